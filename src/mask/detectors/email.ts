/**
 * Pure. E-mail addresses as people write them (RFC 5321 and 6531 without quoted local parts,
 * comments and address literals): a local part, `@`, and a domain of at least two labels whose last
 * one is no number. `/`, `=` and `?` are left out of local parts although they are legal there:
 * they rather belong to a URL around the address.
 */
import { ascii, type Detector, NONE } from './detector.ts'

const LOCAL_BYTES_MAX = 64 * 4
const DOMAIN_BYTES_MAX = 255 * 4
/** Endings of files, none of them a top-level domain: `icon@2x.png`. */
const NO_DOMAIN = /\.(?:png|jpe?g|gif|webp|svg|css|js|html)$/i

export const email: Detector = {
  id: 'email',
  version: 2,
  group: 'contact',
  finds: 'e-mail addresses',
  checked: 'domain of two labels or more, lengths',
  forms: [
    {
      // Quotes and braces may stand within a local part but do not begin one: they rather enclose it.
      source:
        "[\\p{L}\\p{M}\\p{N}.!#$%&*+^_~-][\\p{L}\\p{M}\\p{N}.!#$%&'*+^_`{|}~-]*" +
        '@[\\p{L}\\p{M}\\p{N}-]+(?:\\.[\\p{L}\\p{M}\\p{N}-]+)*' +
        '\\.[\\p{L}\\p{M}][\\p{L}\\p{M}\\p{N}-]*[\\p{L}\\p{M}\\p{N}]',
      score: 90,
    },
  ],
  probe: '@',
  needs: { length: 6, at: true },
  confirm(bytes, start, end) {
    const at = bytes.indexOf(0x40, start)
    if (NO_DOMAIN.test(ascii(bytes, Math.max(at, end - 5), end))) return NONE
    // `git@host` is nobody's address.
    if (at - start === 3 && ascii(bytes, start, at) === 'git') return NONE
    if (end - at - 1 > DOMAIN_BYTES_MAX) return NONE
    // What stands before may be glued on (`to=a@b.example`): a part that is too long is cut, not
    // let through.
    return [{ start: Math.max(start, at - LOCAL_BYTES_MAX), end }]
  },
}
