/** Pure. Blocks of a spool segment as somebody finds them who knows the format (segment.ts), and what he may do to them. */
import { crc32 } from 'node:zlib'
import fc from 'fast-check'

export interface Block {
  readonly start: number
  readonly end: number
  readonly rows: number
}

/** Where the first one begins, all of them, and where the last one ends. */
export function blocksOf(bytes: Buffer): { begin: number; blocks: Block[]; end: number } {
  const isEncrypted = bytes.readUInt16BE(8) === 5
  const begin = 20 + bytes.readUInt16BE(18) + (isEncrypted ? 8 + 60 + 32 : 0)
  const blocks: Block[] = []
  let at = begin
  while (at + 12 <= bytes.length) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (bytes.readUInt32BE(at + 4) === 0 || end > bytes.length) break
    blocks.push({ start: at, end, rows: bytes.readUInt32BE(at + 8) })
    at = end
  }
  return { begin, blocks, end: at }
}

const HOW = ['bit', 'zeros', 'out', 'again', 'swap'] as const

export interface Damage {
  readonly how: (typeof HOW)[number]
  readonly at: number
  readonly with: number
}

export const damage: fc.Arbitrary<Damage> = fc.record({
  how: fc.constantFrom(...HOW),
  at: fc.nat(),
  with: fc.nat(),
})

/** One thing changed: a bit, a few bytes, or blocks that are gone, there twice, or in another order. */
export function damaged(bytes: Buffer, { how, at, with: what }: Damage): Buffer {
  const own = Buffer.from(bytes)
  if (own.length === 0) return own
  if (how === 'bit') own[at % own.length]! ^= 1 << (what & 7)
  if (how === 'zeros')
    own.fill(0, at % own.length, Math.min(own.length, (at % own.length) + (what % 5000)))
  if (how === 'bit' || how === 'zeros' || own.length < 20) return own
  const { begin, blocks, end } = blocksOf(own)
  const list = blocks.map((one) => own.subarray(one.start, one.end))
  if (list.length === 0) return own
  const [one, other] = [at % list.length, what % list.length]
  if (how === 'out') list.splice(one, 1 + (what % 3))
  else if (how === 'again') list.splice(other, 0, list[one]!)
  else [list[one], list[other]] = [list[other]!, list[one]!]
  return Buffer.concat([own.subarray(0, begin), ...list, own.subarray(end)])
}

/** What one block holds is another, and its checksum holds. */
export function mended(bytes: Buffer, which: number, change: (rows: Buffer) => Buffer): Buffer {
  const { blocks } = blocksOf(bytes)
  if (blocks.length === 0) return bytes
  const { start, end, rows } = blocks[which % blocks.length]!
  const body = change(bytes.subarray(start + 12, end))
  const head = Buffer.alloc(12)
  head.writeUInt32BE(body.length)
  head.writeUInt32BE(rows, 8)
  head.writeUInt32BE(crc32(body, crc32(head.subarray(8))) >>> 0, 4)
  return Buffer.concat([bytes.subarray(0, start), head, body, bytes.subarray(end)])
}
