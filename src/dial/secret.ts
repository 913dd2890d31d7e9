/**
 * IO. Resolves references to secrets (`{ env }`, `{ file }`) at the moment of use, so that a rotated file counts without
 * a restart. Files are kept for a few seconds. Errors name the reference and never what it holds.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { GatewayError } from '../base/errors.ts'
import type { SecretReference } from '../config/shape.ts'

const KEPT_MS = 5000
const BYTES_MAX = 64 * 1024

const kept = new Map<string, { readonly text: string; readonly until: number }>()

/** One trailing newline is not part of a secret in a file. Throws GW_UNAVAILABLE. */
export function resolveSecret(reference: SecretReference, nowMs = performance.now()): string {
  if ('env' in reference) {
    const text = process.env[reference.env]
    if (text === undefined || text === '')
      throw new GatewayError(
        'GW_UNAVAILABLE',
        `the environment variable ${reference.env} is not set`,
      )
    return text
  }
  const known = kept.get(reference.file)
  if (known !== undefined && known.until > nowMs) return known.text
  const text = read(reference.file)
  kept.set(reference.file, { text, until: nowMs + KEPT_MS })
  return text
}

function read(path: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      // The size is asked of the open file, not of the path: no time between check and use.
      if (!fstatSync(file).isFile()) throw new Error('not a regular file')
      const bytes = Buffer.alloc(BYTES_MAX + 1)
      const size = readSync(file, bytes, 0, bytes.length, 0)
      if (size > BYTES_MAX) throw new Error(`larger than ${BYTES_MAX} bytes`)
      const text = bytes.toString('utf8', 0, size).replace(/\r?\n$/, '')
      if (text === '') throw new Error('empty')
      return text
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw new GatewayError('GW_UNAVAILABLE', `the secret file ${path} cannot be used`, { cause })
  }
}
