/**
 * Pure. E-mail addresses as people write them (RFC 5321 and 6531 without quoted local parts,
 * comments and address literals): a local part, `@`, and a domain of at least two labels whose last
 * one is no number. `/`, `=` and `?` are left out of local parts although they are legal there:
 * they rather belong to a URL around the address.
 */
import { type Detector, NONE } from './detector.ts'

const LOCAL_BYTES_MAX = 64 * 4
const DOMAIN_BYTES_MAX = 255 * 4

export const email: Detector = {
  id: 'email',
  version: 1,
  patterns: [
    // Quotes and braces may stand within a local part but do not begin one: they rather enclose it.
    "[\\p{L}\\p{M}\\p{N}.!#$%&*+^_~-][\\p{L}\\p{M}\\p{N}.!#$%&'*+^_`{|}~-]*" +
      '@[\\p{L}\\p{M}\\p{N}-]+(?:\\.[\\p{L}\\p{M}\\p{N}-]+)*' +
      '\\.[\\p{L}\\p{M}][\\p{L}\\p{M}\\p{N}-]*[\\p{L}\\p{M}\\p{N}]',
  ],
  probe: '@',
  needs: { length: 6, at: true },
  confirm(bytes, start, end) {
    const at = bytes.indexOf(0x40, start)
    if (end - at - 1 > DOMAIN_BYTES_MAX) return NONE
    // What stands before may be glued on (`to=a@b.example`): a part that is too long is cut, not
    // let through.
    return [{ start: Math.max(start, at - LOCAL_BYTES_MAX), end }]
  },
}
