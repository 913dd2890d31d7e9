/**
 * IO. The credential of the host's operator: `<data>/operator.token`, made at the first start, readable by its owner
 * alone. Whoever can read the file may operate this gateway; kept in memory only as a hash.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { hashSecret, OPERATOR_ID, parseToken, tokenText } from '../identify/token.ts'

export const OPERATOR_FILE = 'operator.token'
/** Where a running gateway writes its control URL, for the CLI on the same host. */
export const CONTROL_FILE = 'control.json'

/** The hash of the operator's secret. A file that does not hold a token is replaced: it opens nothing anyway. */
export function operatorHash(folder: string): Uint8Array {
  const path = join(folder, OPERATOR_FILE)
  const found = parseToken(readIfThere(path).trim())
  if (found !== undefined && found.id === OPERATOR_ID) {
    // A restore or a copy may have opened it to others.
    chmodSync(path, 0o600)
    return hashSecret(found.secret)
  }
  const made = tokenText(OPERATOR_ID, randomBytes(32))
  writePrivate(path, `${made}\n`)
  return hashSecret(parseToken(made)!.secret)
}

/** `url`: what the listener is bound to. */
export function announceControl(folder: string, url: string): void {
  writePrivate(join(folder, CONTROL_FILE), `${JSON.stringify({ url, pid: process.pid })}\n`)
}

/** At a clean end: nobody should send the operator's token to whoever has the port next. */
export function withdrawControl(folder: string): void {
  rmSync(join(folder, CONTROL_FILE), { force: true })
}

/** Whole or not at all: a reader never sees half of it. */
function writePrivate(path: string, text: string): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
