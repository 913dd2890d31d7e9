/**
 * Pure. Whether a text is a public key of age (https://age-encryption.org/v1): bech32 (BIP 173) of 32 bytes of X25519, or
 * of the 1216 of age's post-quantum hybrid. Its checksum finds a typing mistake before anything is wrapped for nobody.
 *
 *   "age1" or "age1pq1" · data, five bits a letter · checksum, six letters
 *
 * Does not encrypt: age.ts does.
 */
const LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const CHECKSUM_LETTERS = 6
/** Letters of the data, by the prefix before the separator. */
const DATA_LETTERS: ReadonlyMap<string, number> = new Map([
  ['age', Math.ceil((32 * 8) / 5)],
  ['age1pq', Math.ceil((1216 * 8) / 5)],
])

/** What is wrong with it; undefined: nothing. */
export function recipientFault(text: string): string | undefined {
  const split = text.lastIndexOf('1')
  const prefix = text.substring(0, split)
  const wanted = DATA_LETTERS.get(prefix)
  if (text.startsWith('AGE-SECRET-KEY-')) return 'this is a secret key: name its public key, age1…'
  if (wanted === undefined) return 'expected a public key of age: age1…'
  const values = Array.from(text.substring(split + 1), (letter) => LETTERS.indexOf(letter))
  if (values.includes(-1) || values.length !== wanted + CHECKSUM_LETTERS || !checks(prefix, values))
    return 'expected a public key of age: this one has a typing mistake'
  return undefined
}

function checks(prefix: string, values: readonly number[]): boolean {
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0))
  const all = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...values]
  let sum = 1
  for (const value of all) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, part] of GENERATOR.entries()) if ((top >>> bit) & 1) sum ^= part
  }
  return sum >>> 0 === 1
}
