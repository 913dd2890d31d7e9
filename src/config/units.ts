/**
 * Pure. Sizes, durations, addresses and names as people write them. Each function is total: undefined where the text
 * is not of the form.
 */
import { parseBlock } from '../base/cidr.ts'
import type { Address, TargetAddress } from './shape.ts'

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
}

const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `512B`, `1MiB`, `10GiB` → bytes. Binary units only, so that nobody has to guess what MB means. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})(B|KiB|MiB|GiB|TiB)$/.exec(text)
  return match === null ? undefined : safe(Number(match[1]) * SIZES[match[2]!]!)
}

/** `250ms`, `10s`, `15m`, `1h`, `400d` → milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text)
  return match === null ? undefined : safe(Number(match[1]) * DURATIONS[match[2]!]!)
}

/** `127.0.0.1:15432`, `[::1]:15432`, `db.example.com:5432`. Port 0 is a port: the system picks one. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]{1,253})):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  const host = match[1] ?? match[2]!
  if (port > 65_535) return undefined
  if (match[1] !== undefined) return parseBlock(host) === undefined ? undefined : { host, port }
  // What looks like IPv4 has to be IPv4; a resolver might read `010.0.0.1` in its own way.
  if (/^[\d.]+$/.test(host)) return parseBlock(host) === undefined ? undefined : { host, port }
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(host) ? { host, port } : undefined
}

/** As above, or the path of a Unix socket, which the kernel keeps to 107 bytes. */
export function parseTarget(text: string): TargetAddress | undefined {
  if (!text.startsWith('/')) return parseAddress(text)
  return text.includes('\0') || Buffer.byteLength(text) > 107 ? undefined : { path: text }
}

/** `10.0.0.0/8`, `::1`; the text itself, once it is known to be a block. */
export function parseCidr(text: string): string | undefined {
  return parseBlock(text) === undefined ? undefined : text
}

/** Names of connections, roles, policies and rules: no slash, colon, star or space, which have a meaning elsewhere. */
export function parseName(text: string): string | undefined {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/.test(text) ? text : undefined
}

function safe(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
