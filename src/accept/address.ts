/**
 * Pure. One spelling per network address, so that one client has one name in limits and records whichever
 * kind of socket it came in on. Does not look names up; blocks of addresses are in base/cidr.ts.
 */
import { addressBytes } from '../base/cidr.ts'

/**
 * Dotted for IPv4, mapped into IPv6 or not (RFC 4291 §2.5.5.2); RFC 5952 without zone for IPv6. A zone
 * (`%eth0`) says where, not who. A text that is not an address comes back as it is.
 */
export function normalAddress(text: string): string {
  const bytes = addressBytes(text)
  if (bytes === undefined) return text
  return bytes.length === 4 ? bytes.join('.') : formatV6(bytes)
}

/**
 * Who counts as one where addresses are limited or delayed. An IPv6 host has a network of 2⁶⁴ addresses to come from (RFC
 * 4291 §2.5.4), so all of that counts as one. `address`: normal. What is no address comes back as it is.
 */
export function networkOf(address: string): string {
  const bytes = address.includes(':') ? addressBytes(address) : undefined
  if (bytes?.length !== 16) return address
  return `${formatV6(bytes.map((byte, at) => (at < 8 ? byte : 0)))}/64`
}

/** `host:port` as a URL wants it: IPv6 in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of two zeros or more as `::`. */
function formatV6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16),
  )
  const text = groups.join(':')
  const longest = (text.match(/\b0(:0\b)+/g) ?? []).reduce(
    (best, run) => (run.length > best.length ? run : best),
    '',
  )
  if (longest === '') return text
  // By groups, not by text: `10:0:0` holds the characters `0:0:0` without holding three zeros.
  const count = (longest.length + 1) / 2
  const at = groups.findIndex((_, from) =>
    Array.from({ length: count }, (_, next) => groups[from + next]).every((group) => group === '0'),
  )
  const before = groups.filter((_, index) => index < at).join(':')
  const after = groups.filter((_, index) => index >= at + count).join(':')
  return `${before}::${after}`
}
