/**
 * IO. `sluice audit unseal`: asks the gateway for what an approved request releases, and opens it here, with an identity that
 * never leaves this machine.
 */
import { isUtf8 } from 'node:buffer'
import { readFileSync, writeFileSync } from 'node:fs'
import type { SealedValue } from '../record/sealed-values.ts'
import { type Release, type Unsealed, unseal } from '../replay/unseal.ts'
import { CliError, type ExitCode } from './exit.ts'
import { ask, type Json, type Where } from './gateway.ts'
import { printList, say } from './output.ts'

export interface UnsealFlags extends Where {
  readonly json?: boolean
  readonly session?: string
  readonly request?: string
  /** A release that was kept, in place of asking. */
  readonly release?: string
  readonly identity?: string
  /** Keeps the release instead of opening it. */
  readonly out?: string
}

export async function unsealAudit(flags: UnsealFlags): Promise<ExitCode> {
  const { identity, out } = flags
  if ((identity === undefined) === (out === undefined))
    throw new CliError(
      2,
      'Give --identity FILE to open it here, or --out FILE to keep the release.',
    )
  // Before the approval is used up.
  const identities = identity === undefined ? '' : text(identity)
  const release = flags.release === undefined ? await asked(flags) : read(flags.release)
  if (out !== undefined) {
    write(out, release)
    return 0
  }
  const opened = await open(release, identities)
  for (const { say: what } of opened.findings) say(`${what}\n`, 2)
  for (const { action, values, bytes } of opened.cuts)
    say(
      `Of action ${action} and others behind it, ${values} values (${bytes} bytes) were not kept.\n`,
      2,
    )
  const rest = (release.batches[0]?.among ?? 0) - release.batches.length
  if (rest > 0) say(`${rest} batches more are sealed than one release holds.\n`, 2)
  print(opened.values, flags.json === true)
  return opened.findings.length > 0 ? 1 : 0
}

async function asked(flags: UnsealFlags): Promise<Release> {
  const { session, request } = flags
  if (session === undefined) throw new CliError(2, 'Give --session, or --release FILE.')
  const body = { session, ...(request === undefined ? {} : { request }) }
  return asRelease(await ask(flags, { method: 'POST', path: '/api/v1/audit/unseal', body }))
}

async function open(release: Release, identities: string): Promise<Unsealed> {
  try {
    return await unseal(release, identities)
  } catch {
    throw new CliError(
      1,
      'No identity of the file opens it: it is sealed for others, or was changed.',
    )
  }
}

function print(values: readonly SealedValue[], asJson: boolean): void {
  const rows = values.map(({ value, ...where }) => ({
    ...where,
    ...(isUtf8(value) ? { value: value.toString('utf8') } : { base64: value.toString('base64') }),
  }))
  if (asJson) say(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  else printList(rows, ['action', 'row', 'place', 'name', 'by', 'value', 'base64'], false)
}

function read(path: string): Release {
  try {
    return asRelease(JSON.parse(text(path)))
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(2, `${path} is not a release.`)
  }
}

function asRelease(given: Json): Release {
  const { session, key, batches } = given
  const isOne = given.sluice === 'release' && given.version === 1 && Array.isArray(batches)
  if (!isOne || typeof session !== 'string' || typeof key !== 'string')
    throw new CliError(2, 'This is no release of this version.')
  return given as unknown as Release
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliError(2, `${path} cannot be read.`)
  }
}

function write(path: string, release: Release): void {
  try {
    writeFileSync(path, `${JSON.stringify(release)}\n`, { mode: 0o600 })
  } catch {
    throw new CliError(2, `${path} cannot be written.`)
  }
}
