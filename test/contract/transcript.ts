/**
 * IO (files). Reads `.wire` files: what each side sends, and what the gateway must send to each.
 *
 *   # First comment: what it shows, as a sentence.        allow: read write
 *   forbidden: text that must never go up                 secret: value that must never come down
 *   replication: database                                 how the session was started
 *   policy:                                               (indented: body of a policy file, YAML)
 *
 *   C> Query "SELECT 1" | Query "SELECT 2"     the client sends
 *   >U same                                    the target gets the same frames
 *   U> Ready I                                 the target sends
 *   >C Refused 42501 | Ready I                 the client gets
 *   >R action allowed "SELECT 1"               the recorder gets (compared where a file has such lines)
 *   names: {"path":["pg_catalog"]}             later answers to the gateway's question differ in this
 *   names: fail                                it fails from now on; `start: fail`: it does at the start
 *   reload:                                    (indented) the policy changes
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { splitFrames } from './frames.ts'

export type Lane = 'C>' | 'U>' | '>C' | '>U' | '>R'

export type Step =
  | { readonly type: 'frames'; readonly lane: Lane; readonly frames: readonly string[] }
  | { readonly type: 'names'; readonly answer: string }
  | { readonly type: 'reload'; readonly policy: string }

export interface Transcript {
  readonly file: string
  readonly title: string
  readonly allow: string
  readonly policy: string
  /** The start-up parameter; '' for none. */
  readonly replication: string
  readonly statementBytesMax: number
  /** `start: fail`: the gateway's question at the start fails. */
  readonly start: string
  readonly forbidden: readonly string[]
  readonly secrets: readonly string[]
  readonly steps: readonly Step[]
}

export function readTranscripts(...folders: readonly string[]): Transcript[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.wire'))
      .sort()
      .map((name) => readTranscript(name, readFileSync(join(folder, name), 'utf8'))),
  )
}

export function readTranscript(file: string, text: string): Transcript {
  const lines = text.split('\n')
  const heads = new Map<string, string[]>()
  const steps: Step[] = []
  let policy = ''
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trimEnd()
    const lane = /^(C>|U>|>C|>U|>R) (.*)$/.exec(line)
    const head = /^([a-z]+):(?: (.*))?$/.exec(line)
    if (lane !== null) {
      const frames = splitFrames(lane[2]!)
      steps.push({ type: 'frames', lane: lane[1] as Lane, frames })
    } else if (head !== null) {
      const [, name = '', said = ''] = head
      const block: string[] = []
      while (/^ /.test(lines[at + 1] ?? '')) block.push(lines[++at]!)
      if (name === 'policy') policy = block.join('\n')
      else if (name === 'reload') steps.push({ type: 'reload', policy: block.join('\n') })
      else if (name === 'names') steps.push({ type: 'names', answer: said })
      else heads.set(name, [...(heads.get(name) ?? []), said])
    } else if (line !== '' && !line.startsWith('#')) {
      throw new Error(`${file}:${at + 1}: ${line}`)
    }
  }
  const title = lines.find((line) => line.startsWith('# '))?.substring(2)
  if (title === undefined) throw new Error(`${file} has no title`)
  return {
    file,
    title,
    allow: heads.get('allow')?.[0] ?? 'read write',
    policy,
    replication: heads.get('replication')?.[0] ?? '',
    statementBytesMax: Number(heads.get('statement')?.[0] ?? 1 << 20),
    start: heads.get('start')?.[0] ?? '',
    forbidden: heads.get('forbidden') ?? [],
    secrets: heads.get('secret') ?? [],
    steps,
  }
}
