/**
 * Pure. The keys of `recorder.spool.encrypt`, as the secret that it refers to holds them: one a line, 32 bytes each, in base64
 * or in hexadecimal digits. The first one encrypts; those below it are of earlier times, and only read. Empty lines and lines
 * that begin with # count for nothing.
 *
 * What is wrong is said by line, and never with a part of it.
 */
import { hash } from 'node:crypto'

const KEY_BYTES = 32
/** Of a digest, so that it says nothing of the key. */
export const KEY_ID_BYTES = 8
const KEYS_MAX = 64

const EXPECTED = 'expected a key of 32 bytes in base64, such as `openssl rand -base64 32` makes'

export interface SpoolKey {
  readonly id: Buffer
  readonly key: Buffer
}

/** `fault`: what was expected, as an end of a sentence. */
export function readSpoolKeys(
  text: string,
): { readonly keys: readonly SpoolKey[] } | { readonly fault: string } {
  const keys: SpoolKey[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.trim()
    if (word === '' || word.startsWith('#')) continue
    const key = keyIn(word)
    if (key === undefined) return { fault: `line ${index + 1} of the secret: ${EXPECTED}` }
    // A placeholder that nobody has replaced.
    if (key.every((byte) => byte === key[0]))
      return { fault: `line ${index + 1} of the secret repeats one byte: ${EXPECTED}` }
    keys.push({ id: spoolKeyId(key), key })
  }
  if (keys.length === 0) return { fault: `the secret holds no key: ${EXPECTED}` }
  if (keys.length > KEYS_MAX) return { fault: `the secret holds more than ${KEYS_MAX} keys` }
  return { keys }
}

export function spoolKeyId(key: Uint8Array): Buffer {
  const digest = hash('sha256', Buffer.concat([Buffer.from('sluice-spool-key-1\0'), key]), 'buffer')
  return digest.subarray(0, KEY_ID_BYTES)
}

function keyIn(word: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(word)) return Buffer.from(word, 'hex')
  const key = Buffer.from(word, 'base64')
  // What Node leaves out while it reads was not meant as a key.
  const isWhole = key.length === KEY_BYTES && key.toString('base64') === word
  return isWhole ? key : undefined
}
