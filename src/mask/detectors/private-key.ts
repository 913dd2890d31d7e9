/**
 * Pure. Private keys in PEM armour (RFC 7468), OpenSSH's and OpenPGP's among them, from
 * `-----BEGIN` to the end of the END line. One that is cut off counts up to the end of the value.
 */
import type { Detector } from './detector.ts'

const END = Buffer.from('-----END')
const DASHES = Buffer.from('-----')

export const privateKey: Detector = {
  id: 'private_key',
  version: 1,
  patterns: ['-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----'],
  probe: '-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY',
  needs: { length: 27, run: 10, fourSigns: true },
  confirm(bytes, start, end) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const footer = view.indexOf(END, end)
    const closed = footer < 0 ? -1 : view.indexOf(DASHES, footer + END.length)
    return [{ start, end: closed < 0 ? bytes.length : closed + DASHES.length }]
  },
}
