/**
 * IO. Plays SQL texts through a session, as simple queries or prepared, and reads what became of each from the wire
 * and from the target's own log.
 */
import { readFileSync } from 'node:fs'
import {
  bind,
  describe,
  execute,
  fieldsOf,
  frame,
  type Message,
  parse,
  query,
  SYNC,
  WireClient,
} from './wire-client.ts'

/**
 * `binary` asks for binary results; `named` prepares once and executes twice where it can, as drivers with a statement cache do; `transaction` plays
 * inside an open block, and `pipelined` behind a harmless statement that already went up.
 */
export type Form = 'simple' | 'prepared' | 'binary' | 'named' | 'transaction' | 'pipelined'

export interface Played {
  readonly text: string
  /** The gateway said no. */
  readonly refused: boolean
  /** Fields of the error, the gateway's or the target's. */
  readonly error: Readonly<Record<string, string>> | undefined
}

export interface Play {
  readonly steps: readonly Played[]
  /** Every byte that the client got. */
  readonly received: Buffer
}

const COPY_DONE = frame('c')

/** `id` is the session's application name, by which `logOf` finds it. */
export async function play(
  url: string,
  about: { id: string; form: Form; texts: readonly string[] },
): Promise<Play> {
  const client = await WireClient.login(url, { application_name: about.id })
  const steps: Played[] = []
  try {
    if (about.form === 'transaction') await answered(client, query('BEGIN'))
    for (const text of about.texts) {
      const messages = await ask(client, text, about.form)
      const found = messages.find(({ kind }) => kind === 'E')
      const error = found && fieldsOf(found)
      steps.push({ text, error, refused: isRefusal(error, about.form) })
    }
  } catch (error) {
    // The session ended in the middle: the target's doing, or a bug of ours; the error tells.
    const fields = client.error() ?? { M: String(error) }
    steps.push({ text: about.texts[steps.length] ?? '', error: fields, refused: false })
  }
  const { received } = client
  client.end()
  return { steps, received }
}

/**
 * The gateway also says itself that a name is unknown, in the target's own words. Of a name in the protocol that may follow from
 * what came before; a text of SQL that names one was refused by it.
 */
function isRefusal(error: Played['error'], form: Form): boolean {
  if (error?.D?.startsWith('{"sluice"') !== true) return false
  if (form === 'simple' || form === 'transaction') return true
  return error.C !== '26000' && error.C !== '34000'
}

async function ask(client: WireClient, text: string, form: Form): Promise<readonly Message[]> {
  if (form === 'simple' || form === 'transaction') return answered(client, query(text))
  if (form === 'pipelined') {
    const first = [parse('SELECT 1'), bind(), execute()]
    return answered(client, ...first, parse(text), bind(), describe('P'), execute(), SYNC)
  }
  if (form === 'prepared' || form === 'binary') {
    const bound = bind({ binary: form === 'binary' })
    return answered(client, parse(text), bound, describe('P'), execute(), SYNC)
  }
  const made = await answered(client, parse(text, 's'), describe('S', 's'), SYNC)
  const run = () => answered(client, bind({ statement: 's' }), execute(), SYNC)
  const ran = made.some(({ kind }) => kind === 'E') ? [] : [...(await run())]
  // What is made or inserted once cannot be so twice.
  if (ran.length > 0 && /^\s*(SELECT|UPDATE|DELETE)\b/i.test(text)) ran.push(...(await run()))
  await answered(client, frame('C', Buffer.from('Ss\0')), SYNC)
  return [...made, ...ran]
}

/** Up to ReadyForQuery; a target that asks for COPY data is given none. */
async function answered(client: WireClient, ...frames: Uint8Array[]): Promise<readonly Message[]> {
  const from = client.messages.length
  client.send(...frames)
  const synced = frames.length > 1
  let next = await client.until('ZG')
  while (next.kind === 'G') {
    client.send(...(synced ? [COPY_DONE, SYNC] : [COPY_DONE]))
    next = await client.until('ZG')
  }
  return client.messages.slice(from)
}

export interface Logged {
  /** `parse` and `bind` alone run nothing; `error` is the text beside an error. */
  readonly as: 'statement' | 'execute' | 'parse' | 'bind' | 'error'
  /** With all white space taken out. */
  readonly text: string
}

const SHOWN =
  /^([^|\n]*)\|(?:LOG: {2}(?:duration: [\d.]+ ms {2})?(statement|execute|parse|bind)[^:]*: |STATEMENT: {2})(.*)$/s

/** What reached the target, by session. Needs `log_line_prefix = '%a|'` and statements in the log. */
export function logOf(path: string): ReadonlyMap<string, readonly Logged[]> {
  const sessions = new Map<string, Logged[]>()
  // A statement's further lines begin with a tab.
  for (const entry of readFileSync(path, 'utf8').split(/\n(?!\t)/)) {
    const found = SHOWN.exec(entry)
    if (found === null) continue
    const [, id = '', as = 'error', text = ''] = found
    const logged = { as: as as Logged['as'], text: squeezed(text) }
    const known = sessions.get(id)
    if (known === undefined) sessions.set(id, [logged])
    else known.push(logged)
  }
  return sessions
}

export function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, '')
}
