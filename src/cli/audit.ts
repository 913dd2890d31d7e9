/** IO. `sluice audit query | verify | bundle`. */
import { createReadStream, openSync, readFileSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseDuration } from '../config/units.ts'
import { Bundle } from '../replay/bundle.ts'
import { BundleCheck } from '../replay/bundle-check.ts'
import { describe, type Report, Verifier } from '../replay/verifier.mjs'
import { CliError, type ExitCode } from './exit.ts'
import { ask, type Json, type Where } from './gateway.ts'
import { printList, rowsOf, say } from './output.ts'

/** With `--json` one object a line, so that a long answer can be read as it comes. */
export async function queryAudit(sql: string, flags: Where & { json?: boolean }): Promise<void> {
  const answer = await ask(flags, { method: 'POST', path: '/api/v1/audit/query', body: { sql } })
  const rows = rowsOf(answer.rows)
  if (flags.json === true) say(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  else printList(rows, Object.keys(rows[0] ?? {}), false)
  if (answer.cut === true) say(`Only the first ${rows.length} rows are shown.\n`, 2)
}

export interface EvidenceFlags extends Where {
  readonly json?: boolean
  readonly since?: string
  readonly session?: string
  readonly bundle?: string
  readonly anchor?: readonly string[]
  readonly key?: readonly string[]
  readonly out?: string
}

/** Verified here, from evidence: the gateway is asked for rows and proofs, and not for its opinion. */
export async function verifyAudit(flags: EvidenceFlags): Promise<ExitCode> {
  const { bundle, session, since } = flags
  if ([bundle, session, since].filter((one) => one !== undefined).length > 1)
    throw new CliError(2, 'Give one of --since, --session and --bundle.')
  const anchors = (flags.anchor ?? []).flatMap(readAnchor)
  const page = new BundleCheck()
  const verify = (lines: AsyncIterable<Line>) =>
    verified(new Verifier({ anchors, pins: flags.key ?? [] }), lines)
  const found =
    bundle === undefined
      ? await verifiedMeanwhile(() => verify(asked(flags)))
      : await verify(read(bundle, page))
  if (page.offered !== undefined && page.offered !== readFileSync(VERIFIER, 'utf8'))
    say('The verifier in this bundle is not the one of this version: do not run it.\n', 2)
  const report = withIndex(found, page.fault())
  if (flags.json === true) say(`${JSON.stringify(report)}\n`)
  else say(describe(report))
  return report.status === 'intact' ? 0 : 1
}

async function verified(verifier: Verifier, lines: AsyncIterable<Line>): Promise<Report> {
  const progress = new Progress(verifier)
  try {
    for await (const { line, part } of lines) {
      verifier.line(line)
      progress.show(part)
    }
  } finally {
    progress.clear()
  }
  return verifier.finish()
}

/** What a reading finds of something that is erased meanwhile: it is gone, and what excuses it came after the reading began. */
const ERASED_MEANWHILE = new Set(['erased', 'changed', 'missing'])
const READINGS_MAX = 3

/** Another reading counts where it has an erasure that the one before did not have, and nowhere else: it has findings of its own. */
export async function verifiedMeanwhile(read: () => Promise<Report>): Promise<Report> {
  let report = await read()
  for (let n = 1; n < READINGS_MAX; n++) {
    if (!report.findings.some(({ kind }) => ERASED_MEANWHILE.has(kind))) break
    const known = new Set(report.erasures.map(erasureName))
    const next = await read()
    if (next.erasures.every((one) => known.has(erasureName(one)))) break
    report = next
  }
  return report
}

function erasureName({ at, by, kind, name }: Report['erasures'][number]): string {
  return JSON.stringify([at, by, kind, name])
}

/**
 * Writes the evidence that `verify` would ask for, to be verified elsewhere: of a session as one page with its index, of a
 * range as lines alone.
 */
export async function bundleAudit(flags: EvidenceFlags): Promise<void> {
  if (flags.session !== undefined && flags.since !== undefined)
    throw new CliError(2, 'Give one of --since and --session.')
  const to = flags.out === undefined ? 1 : openOut(flags.out)
  if (flags.session === undefined) {
    for await (const { line } of asked(flags)) say(`${JSON.stringify(line)}\n`, to)
    return
  }
  const bundle = new Bundle(readFileSync(VERIFIER, 'utf8'))
  say(bundle.begin(), to)
  for await (const { line } of asked(flags)) say(bundle.line(line), to)
  say(bundle.end(), to)
}

const VERIFIER = new URL('../replay/verifier.mjs', import.meta.url)

interface Line {
  readonly line: Json
  /** How much of it all is done, from 0 to 1; undefined where nobody knows. */
  readonly part: number | undefined
}

async function* asked(flags: EvidenceFlags): AsyncGenerator<Line> {
  let body: Json | undefined = scopeOf(flags)
  while (body !== undefined) {
    const page = await ask(flags, { method: 'POST', path: '/api/v1/audit/evidence', body })
    for (const line of rowsOf(page.lines)) yield { line, part: undefined }
    body = page.next === undefined || page.next === null ? undefined : { cursor: page.next }
  }
}

function scopeOf({ since, session }: EvidenceFlags): Json {
  if (session !== undefined) return { session }
  if (since === undefined) return { since: 0 }
  const ms = parseDuration(since)
  if (ms === undefined) throw new CliError(2, '--since: expected a duration such as 1h or 7d.')
  return { since: Math.max(0, (Date.now() - ms) * 1000) }
}

function withIndex(report: Report, say: string | undefined): Report {
  if (say === undefined) return report
  return { ...report, status: 'broken', findings: [...report.findings, { kind: 'index', say }] }
}

async function* read(path: string, page: BundleCheck): AsyncGenerator<Line> {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new CliError(2, `${path} cannot be read.`)
  let done = 0
  const input = createReadStream(path)
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    done += Buffer.byteLength(text) + 1
    if (!page.isEvidence(text)) continue
    const line = parse(text, path)
    page.line(text, line)
    yield { line, part: done / size }
  }
}

function readAnchor(path: string): Json[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new CliError(2, `${path} cannot be read.`)
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parse(line, path))
}

function parse(text: string, path: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Said below.
  }
  throw new CliError(2, `${path} is not a file of evidence: a line of it is no JSON object.`)
}

function openOut(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch {
    throw new CliError(2, `${path} cannot be written.`)
  }
}

/** On a terminal only. */
class Progress {
  readonly #verifier: Verifier
  #shownMs = 0

  constructor(verifier: Verifier) {
    this.#verifier = verifier
  }

  show(part: number | undefined): void {
    if (!process.stderr.isTTY || performance.now() - this.#shownMs < 200) return
    this.#shownMs = performance.now()
    const { events } = this.#verifier.counts
    const share = part === undefined ? '' : `${Math.floor(part * 100)} %, `
    say(`\r${share}${events} events, ${this.#verifier.findings.length} findings `, 2)
  }

  clear(): void {
    if (this.#shownMs > 0) say('\r\x1b[K', 2)
  }
}
