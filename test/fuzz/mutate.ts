/** Pure. What hostile bytes are made of: numbers at the edge, texts that are not UTF-8, frames changed in their parts, cuts. */
import fc from 'fast-check'

/** For lengths and counts. */
export const NUMBERS = [
  ...[0, 1, 2, 3, 4, 5, 6, 8, 127, 128, 255, 256, 1664, 1665, 0x7fff, 0x8000, 0xffff, 0x10000],
  ...[0x3ffffffe, 0x3fffffff, 0x40000000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffe],
  0xffffffff,
]

/** Sequences that readers of UTF-8 take for different things, or that people do. */
const HOSTILE = [
  ...['c080', 'c0af', 'c1bf', 'e080af', 'f08080af', 'eda080', 'edbfbf', 'f4908080', 'f8888080'],
  ...['80', 'bf', 'c3', 'e282', 'f09f92', 'fe', 'ff', 'fffe', 'efbbbf', 'efbfbe', 'efbfbd'],
  ...['e2808b', 'e280ae', 'efbca7', 'cc81', 'c2a0', 'e38080', 'f09f9880', 'c4b0', 'c59e', '00'],
].map((hex) => Buffer.from(hex, 'hex'))

/** Bytes that mean something to some reader along the way. */
const SIGNS = Buffer.from('\0\b\t\n\v\f\r "\'$%*+,-./:;<=>?@[\\]^_`{|}~0\x01\x02\x7f', 'latin1')

export const hostileBytes: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.constantFrom(...[...SIGNS].map((byte) => Buffer.from([byte]))),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ maxLength: 8, unit: 'binary' }).map((text) => Buffer.from(text)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts))

/** Text without zero bytes, for where the protocol ends texts with one. */
export const hostileText: fc.Arbitrary<Buffer> = hostileBytes.map((bytes) =>
  Buffer.from(bytes.filter((byte) => byte !== 0)),
)

export interface Edit {
  readonly how: (typeof HOW)[number]
  /** Where, as a share of what there is; and with what. */
  readonly at: number
  readonly with: number
  readonly bytes: Buffer
}

const HOW = [
  ...(['byte', 'bit', 'number16', 'number32', 'insert', 'replace', 'remove'] as const),
  ...(['length', 'cut', 'grow', 'drop', 'again', 'swap'] as const),
] as const

export const edit: fc.Arbitrary<Edit> = fc.record({
  how: fc.constantFrom(...HOW),
  at: fc.nat(0xffff),
  with: fc.nat(0xffff),
  bytes: hostileBytes,
})

/** One buffer with one thing changed. */
export function edited(bytes: Buffer, one: Edit): Buffer {
  const own = Buffer.from(bytes)
  if (own.length === 0) return own
  const at = one.at % own.length
  const number = NUMBERS[one.with % NUMBERS.length]!
  switch (one.how) {
    case 'byte':
      own[at] = one.with & 0xff
      return own
    case 'bit':
      own[at]! ^= 1 << (one.with & 7)
      return own
    case 'number16':
      if (at + 2 <= own.length) own.writeUInt16BE(number & 0xffff, at)
      return own
    case 'number32':
      if (at + 4 <= own.length) own.writeUInt32BE(number, at)
      return own
    case 'remove':
      return Buffer.concat([own.subarray(0, at), own.subarray(at + 1 + (one.with % 8))])
    case 'replace':
      return Buffer.concat([own.subarray(0, at), one.bytes, own.subarray(at + one.bytes.length)])
    case 'cut':
      return own.subarray(0, at)
    case 'grow':
      return Buffer.concat([own, one.bytes])
    default:
      return Buffer.concat([own.subarray(0, at), one.bytes, own.subarray(at)])
  }
}

/** A list of frames with one thing changed: in a frame (its length kept true or not), or in their order. */
export function editedFrames(frames: readonly Buffer[], one: Edit): Buffer[] {
  const list = [...frames]
  if (list.length === 0) return [one.bytes]
  const which = one.with % list.length
  const frame = list[which]!
  switch (one.how) {
    case 'drop':
      list.splice(which, 1)
      return list
    case 'again':
      list.splice(one.at % (list.length + 1), 0, frame)
      return list
    case 'swap': {
      const other = one.at % list.length
      list[which] = list[other]!
      list[other] = frame
      return list
    }
    case 'length':
      if (frame.length >= 5) {
        const changed = Buffer.from(frame)
        const number = NUMBERS[one.at % NUMBERS.length]!
        const near = frame.readInt32BE(1) + ((one.at % 9) - 4)
        changed.writeInt32BE((one.at & 0x8000 ? near : number) | 0, 1)
        list[which] = changed
      }
      return list
    default: {
      const changed = edited(frame, one)
      // Half of them say the length that they have, so that what reads bodies is reached.
      if (one.at & 1 && changed.length >= 5) changed.writeInt32BE(changed.length - 1, 1)
      list[which] = changed
      return list
    }
  }
}

/** Sizes of pieces, used one after the other and again. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
  fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 8 }),
  fc.constant([1 << 20]),
)

/** Own memory each, so that a reader may overwrite what it was given. */
export function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const list: Buffer[] = []
  for (let at = 0, next = 0; at < bytes.length; next++) {
    const end = Math.min(bytes.length, at + sizes[next % sizes.length]!)
    list.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return list
}
