/**
 * Pure. Private keys in PEM armour (RFC 7468), OpenSSH's and OpenPGP's among them, from
 * `-----BEGIN` to the end of the END line; one that is cut off counts up to the end of the value.
 * PuTTY's files likewise, and age's identities.
 */
import type { Detector } from './detector.ts'

const END = Buffer.from('-----END')
const DASHES = Buffer.from('-----')
const AGE = 0x41
const PUTTY = 0x50

export const privateKey: Detector = {
  id: 'private_key',
  version: 2,
  group: 'secret',
  finds: 'private keys: PEM, OpenSSH, PGP, PuTTY, age',
  checked: '',
  forms: [
    {
      source: '-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----',
      score: 95,
      needs: { fourSigns: true },
    },
    { source: 'PuTTY-User-Key-File-[0-9]:', score: 95 },
    { source: 'AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}', score: 95 },
  ],
  probe: '-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1',
  needs: { length: 22, run: 10 },
  confirm(bytes, start, end) {
    if (bytes[start] === AGE) return [{ start, end }]
    if (bytes[start] === PUTTY) return [{ start, end: bytes.length }]
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const footer = view.indexOf(END, end)
    const closed = footer < 0 ? -1 : view.indexOf(DASHES, footer + END.length)
    return [{ start, end: closed < 0 ? bytes.length : closed + DASHES.length }]
  },
}
