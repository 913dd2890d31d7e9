import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../../src/base/bytes.ts'
import type { RowPlan } from '../../../src/mask/plan.ts'
import type { CopyPlan } from '../../../src/protocols/postgres/mask-copy.ts'
import { BinaryCopyMasker } from '../../../src/protocols/postgres/mask-copy-binary.ts'
import { column, context, dataRow, detected, type Value } from '../../lib/mask-frames.ts'

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
const TRAILER = Buffer.from([0xff, 0xff])
const CARD = '4111111111111111'
const THREE: RowPlan = [
  undefined,
  column('text', { type: 'redact' }, { format: 1 }),
  detected('text', 1),
]

function row(...values: Value[]): Buffer {
  return dataRow(values).subarray(5)
}

function stream(...rows: Buffer[]): Buffer {
  return Buffer.concat([HEADER, ...rows, TRAILER])
}

/** Bodies of the frames that come out, or why none did; `data` in pieces of these sizes, the last one again and again. */
function copied(
  data: Buffer,
  { sizes = [data.length], ...plan }: Partial<CopyPlan> & { sizes?: readonly number[] } = {},
): Buffer[] | string {
  const { fields = THREE, every, rowBytesMax = 1000 } = plan
  const masker = new BinaryCopyMasker({ fields, every, rowBytesMax }, context())
  const sink = new ByteSink(8)
  for (let at = 0, piece = 0; at < data.length; piece++) {
    const size = sizes[Math.min(piece, sizes.length - 1)]!
    const bytes = Buffer.from(data.subarray(at, at + size))
    const result = masker.push(bytes, sink)
    bytes.fill(0x7a) // The caller reuses its memory.
    if (result !== 'ok') return result
    at += size
  }
  const result = masker.end(sink)
  return result === 'ok' ? bodies(Buffer.from(sink.view())) : result
}

function bodies(bytes: Buffer): Buffer[] {
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x64)
    const end = at + 1 + bytes.readInt32BE(at + 1)
    out.push(bytes.subarray(at + 5, end))
    at = end
  }
  return out
}

const WANTED = [
  Buffer.concat([HEADER, row('1', '****', 'x ****')]),
  row('2', null, 'plain'),
  row('', '****', null),
  TRAILER,
]
const DATA = stream(row('1', 'secret', `x ${CARD}`), row('2', null, 'plain'), row('', '', null))

test('rows are masked field by field, and come framed as the server frames them', () => {
  expect(copied(DATA)).toEqual(WANTED)
})

test('wherever the data is cut, what comes out is the same', () => {
  expect(copied(DATA, { sizes: [1] })).toEqual(WANTED)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sizes) => {
      expect(copied(DATA, { sizes })).toEqual(WANTED)
    }),
  )
})

test('no rows: header and trailer in one frame', () => {
  expect(copied(stream())).toEqual([Buffer.concat([HEADER, TRAILER])])
})

test('rows without fields', () => {
  expect(copied(stream(row(), row()), { fields: [] })).toEqual([
    Buffer.concat([HEADER, row()]),
    row(),
    TRAILER,
  ])
})

test('where the columns are not known one plan holds for all of them, and all rows have as many', () => {
  const job = { fields: undefined, every: column('other', { type: 'redact' }, { format: 1 }) }
  const masker = (data: Buffer) => {
    const made = new BinaryCopyMasker({ ...job, rowBytesMax: 99 }, context())
    const sink = new ByteSink()
    return [made.push(data, sink), bodies(Buffer.from(sink.view()))] as const
  }
  expect(masker(stream(row('a', 'b')))[1][0]).toEqual(Buffer.concat([HEADER, row(null, null)]))
  expect(masker(stream(row('a', 'b'), row('a')))[0]).toBe('malformed')
})

test.each([
  [
    'another signature',
    Buffer.concat([Buffer.from('PGCOPX\n\xff\r\n\0', 'latin1'), DATA.subarray(11)]),
  ],
  ['flags', Buffer.concat([DATA.subarray(0, 12), Buffer.of(1), DATA.subarray(13)])],
  [
    'flags of no consequence',
    Buffer.concat([DATA.subarray(0, 14), Buffer.of(1), DATA.subarray(15)]),
  ],
  [
    'an extension',
    Buffer.concat([DATA.subarray(0, 18), Buffer.of(4), Buffer.alloc(4), DATA.subarray(19)]),
  ],
  ['too few fields', stream(row('1', '2'))],
  ['too many fields', stream(row('1', '2', '3', '4'))],
  ['a number of fields that is none', Buffer.concat([HEADER, Buffer.from([0xff, 0xfe])])],
  [
    'a length that is none',
    Buffer.concat([HEADER, row('1', '2', '3').subarray(0, 2), Buffer.from([255, 255, 255, 254])]),
  ],
  ['no trailer', Buffer.concat([HEADER, row('1', '2', '3')])],
  ['a row that is cut off', DATA.subarray(0, 40)],
  ['nothing at all', Buffer.alloc(0)],
  ['half a header', HEADER.subarray(0, 15)],
  ['more behind the trailer', Buffer.concat([stream(), row('1', '2', '3')])],
  ['a second trailer', Buffer.concat([stream(), TRAILER])],
  ['text', Buffer.from('1\tsecret\tx\n'.repeat(9))],
])('%s is malformed', (_, data) => {
  expect(copied(data)).toBe('malformed')
  expect(copied(data, { sizes: [1] })).toBe('malformed')
})

test('nothing of a malformed row goes out', () => {
  const masker = new BinaryCopyMasker(
    { fields: THREE, every: undefined, rowBytesMax: 1000 },
    context(),
  )
  const sink = new ByteSink()
  const bad = Buffer.concat([
    HEADER,
    row('1', 'secret', 'x').subarray(0, -1),
    Buffer.from([0, 255]),
  ])
  masker.push(bad, sink)
  expect(masker.end(sink)).toBe('malformed')
  expect(sink.view().includes('secret')).toBe(false)
  expect(masker.push(stream(), sink)).toBe('malformed')
})

test('a row that is too long ends it before it is held', () => {
  const long = row('1', '2', 'x'.repeat(100))
  expect(copied(stream(long), { rowBytesMax: 50 })).toBe('over_limit')
  expect(copied(stream(long), { rowBytesMax: 50, sizes: [1] })).toBe('over_limit')
  expect(copied(stream(long), { rowBytesMax: long.length })).toHaveLength(2)
  const many = stream(row(...Array.from({ length: 30 }, () => '12345')))
  expect(copied(many, { rowBytesMax: 100, fields: Array(30).fill(undefined) })).toBe('over_limit')
  const announced = Buffer.concat([HEADER, Buffer.from([0, 3, 0x7f, 0xff, 0xff, 0xff])])
  expect(copied(announced)).toBe('over_limit')
})

test('what was masked is counted once it is sent', () => {
  const ctx = context()
  const masker = new BinaryCopyMasker({ fields: THREE, every: undefined, rowBytesMax: 1000 }, ctx)
  masker.push(DATA, new ByteSink())
  expect(Object.fromEntries(ctx.tally)).toEqual({ col: 2, credit_card: 1 })
})

test('noise in any place never throws', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(DATA.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      (changes, size) => {
        const data = Buffer.from(DATA)
        for (const [at, byte] of changes) data[at] = byte
        const out = copied(data, { sizes: [size] })
        if (typeof out !== 'string' && changes.length === 0) expect(out).toEqual(WANTED)
      },
    ),
    { numRuns: 500 },
  )
})
