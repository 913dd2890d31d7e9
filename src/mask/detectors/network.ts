/** Pure. Addresses of machines: IPv4, IPv6 and MAC. */
import { ascii, type Detector, isAlphanumeric, isApart, isDigit, NONE } from './detector.ts'

export const ipv4: Detector = {
  id: 'ipv4',
  version: 1,
  group: 'network',
  finds: 'IPv4 addresses',
  checked: 'four octets; not what is called a version',
  forms: [{ source: '[0-9]{1,3}(?:\\.[0-9]{1,3}){3}', score: 60 }],
  probe: '[0-9]\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]',
  needs: { length: 7, digits: 4, dottedRun: 7 },
  words: ['ip', 'ipv4', 'host', 'addr', 'address', 'peer'],
  doubts: ['version', 'ver', 'v', 'release', 'build', 'firmware', 'driver', 'section', 'chapter'],
  confirm(bytes, start, end) {
    if (!isApart(bytes, start, end)) return NONE
    const octets = ascii(bytes, start, end).split('.')
    const isSound = octets.every((octet) => Number(octet) <= 255 && !/^0[0-9]/.test(octet))
    return isSound && octets[0] !== '0' ? [{ start, end }] : NONE
  },
}

/** What is given out, and local addresses; the rest is rather code (`std::a`) or a fingerprint. */
const IPV6_HEADS =
  /^(?:2[0-9a-f]{3}|3[0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|ff[0-9a-f]{2}|64)$/

export const ipv6: Detector = {
  id: 'ipv6',
  version: 1,
  group: 'network',
  finds: 'IPv6 addresses in use',
  checked: 'groups, range',
  forms: [{ source: '[0-9A-Fa-f]{2,4}:[0-9A-Fa-f:]{2,38}(?:\\.[0-9]{1,3}){0,3}', score: 75 }],
  probe: '[0-9A-Fa-f]{2}:[0-9A-Fa-f:]{2}',
  needs: { length: 5, colons: 2 },
  confirm(bytes, start, end) {
    const before = bytes[start - 1]
    if (isAlphanumeric(before) || before === 0x3a || isAlphanumeric(bytes[end])) return NONE
    // A colon at the end belongs to the sentence, `::` to the address.
    const closes = bytes[end - 1] === 0x3a && bytes[end - 2] !== 0x3a
    const stop = closes ? end - 1 : end
    return isIpv6(ascii(bytes, start, stop).toLowerCase()) ? [{ start, end: stop }] : NONE
  },
}

function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1) ?? ''
  const isMapped = last.includes('.')
  if (isMapped && !/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(last)) return false
  const count = groups.length + (isMapped ? 1 : 0)
  if (halves.length === 2 ? count > 7 : count !== 8) return false
  const plain = isMapped ? groups.filter((group) => group !== last) : groups
  return plain.every((group) => /^[0-9a-f]{1,4}$/.test(group)) && IPV6_HEADS.test(groups[0]!)
}

export const macAddress: Detector = {
  id: 'mac_address',
  version: 1,
  group: 'network',
  finds: 'MAC addresses',
  checked: 'six octets, no more; not all alike',
  forms: [
    { source: '(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}', score: 75, needs: { colons: 5 } },
    { source: '(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}', score: 65 },
    { source: '(?:[0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4}', score: 55, needs: { dottedRun: 14 } },
  ],
  probe: '(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4}',
  needs: { length: 14 },
  words: ['mac', 'hwaddr', 'ether', 'bssid'],
  confirm(bytes, start, end) {
    if (continues(bytes[start - 1]) || continues(bytes[end])) return NONE
    const text = ascii(bytes, start, end)
    const digits = text.replace(/[^0-9A-Fa-f]/g, '')
    if (/^(.)\1+$/.test(digits)) return NONE
    // Six pairs of decimal digits with dashes are rather a date and a time.
    if (text[2] !== ':' && !/[A-Fa-f]/.test(digits)) return NONE
    return [{ start, end }]
  },
}

/** More of the same before or after makes it part of a fingerprint. */
function continues(byte: number | undefined): boolean {
  return isAlphanumeric(byte) || isDigit(byte) || byte === 0x3a || byte === 0x2d
}
