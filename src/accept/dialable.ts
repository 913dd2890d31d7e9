/**
 * Pure. Which addresses a name may stand for when the gateway dials it. A name server is not trusted to send the
 * gateway, with a credential at hand, to a place that no target can have. Addresses that stand in the configuration
 * itself are not judged: there a person has written what is meant.
 *
 * An IPv4 address inside an IPv6 one is the same place where a router, a translator or the kernel takes it out again:
 * IPv4-compatible and translated (RFC 4291, 2765), NAT64 (RFC 6052, 8215), 6to4 (RFC 3056), Teredo (RFC 4380), ISATAP
 * (RFC 5214).
 */
import { addressBytes, blockHolds, parseBlock } from '../base/cidr.ts'

const NEVER = blocks([
  '0.0.0.0/8', // This host, by another name.
  '224.0.0.0/3', // Multicast, reserved, broadcast.
  '::/128',
  'fe80::/10',
  'ff00::/8',
  // Where clouds keep the credentials of machines.
  '169.254.0.0/16', // Link-local; nearly all of them.
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.0/24', // Set aside for such uses (RFC 6890), 192.0.0.192 among them.
  'fd00:ec2::/32',
  'fd20:ce::/32',
  'fd00:42::42/128',
  'fd00:a9fe:a9fe::/48',
])

/** Prefixes behind which an IPv4 address stands, and the first of its bytes. */
const INSIDE = (
  [
    ['::/96', 12],
    ['::ffff:0:0:0/96', 12],
    ['64:ff9b::/96', 12],
    ['2002::/16', 2],
  ] as const
).map(([block, at]) => ({ block: parseBlock(block)!, at }))

/** A network's own NAT64 (RFC 8215), with any of the lengths of prefix that fit in: byte 8 is left out (RFC 6052). */
const OWN_NAT64 = parseBlock('64:ff9b:1::/48')!
const OWN_NAT64_PLACES = [
  [6, 7, 9, 10],
  [7, 9, 10, 11],
  [9, 10, 11, 12],
  [12, 13, 14, 15],
]
const TEREDO = parseBlock('2001::/32')!

/** False for a text that is no address. */
export function isDialable(address: string): boolean {
  const bytes = addressBytes(address)
  if (bytes === undefined || isNever(bytes)) return false
  // Its first bytes are none for ::1, the loopback.
  const isLoopback = bytes.every((byte, at) => byte === (at === 15 ? 1 : 0))
  return isLoopback || !fourOf(bytes).some(isNever)
}

function isNever(bytes: readonly number[]): boolean {
  return NEVER.some((block) => blockHolds(block, bytes))
}

/** Every IPv4 address that may be meant by an IPv6 one. */
function fourOf(bytes: readonly number[]): number[][] {
  if (bytes.length === 4) return []
  const at = (places: readonly number[]) => places.map((place) => bytes[place]!)
  const found = INSIDE.filter(({ block }) => blockHolds(block, bytes)).map(({ at: first }) =>
    at([first, first + 1, first + 2, first + 3]),
  )
  // Where it stands is not known: of four readings three are none, and those may well begin with zeros.
  if (blockHolds(OWN_NAT64, bytes))
    found.push(...OWN_NAT64_PLACES.map(at).filter(([first]) => first !== 0))
  // The server, and the client with its bits turned over.
  if (blockHolds(TEREDO, bytes))
    found.push(
      at([4, 5, 6, 7]),
      at([12, 13, 14, 15]).map((byte) => byte ^ 0xff),
    )
  // Its first byte tells with two bits whether the address is unique in the world; what follows is fixed.
  const isIsatap =
    (bytes[8]! & 0xfc) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe
  if (isIsatap) found.push(at([12, 13, 14, 15]))
  return found
}

function blocks(texts: readonly string[]) {
  return texts.map((text) => parseBlock(text)!)
}
