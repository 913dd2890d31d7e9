/** IO (randomness). Identifiers that sort by time of making and cannot be guessed. */
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * 26 characters of Crockford's base 32: 48 bits of milliseconds, then 80 random bits (the ULID layout).
 * https://github.com/ulid/spec
 */
export function ulid(now = Date.now()): string {
  let text = ''
  let time = now
  for (let i = 0; i < 10; i++) {
    text = ALPHABET[time % 32] + text
    time = Math.floor(time / 32)
  }
  const noise = randomBytes(16)
  for (let i = 0; i < 16; i++) text += ALPHABET[noise[i]! & 31]
  return text
}
