import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { EVENT_COLUMNS, SHAPE_COLUMNS } from '../../src/record/columns.ts'
import {
  countRows,
  expanded,
  Name,
  readNames,
  readReference,
  valueEnd,
  valuesEnd,
} from '../../src/record/named-rows.ts'

const packr = new Packr({ useRecords: false })
const pack = (values: readonly unknown[]) =>
  Buffer.concat(values.map((value) => Buffer.from(packr.pack(value))))

/** What is said of names, as a block begins with it. */
function said(...names: Name[]): Buffer {
  const bytes = Buffer.alloc(names.reduce((size, name) => size + name.size, 0))
  let at = 0
  for (const name of names) at = name.say(bytes, at)
  expect(at).toBe(bytes.length)
  return bytes
}

const all = (bytes: Buffer) => ({ start: 0, end: bytes.length })
const EVENT = pack(EVENT_COLUMNS.map((_, at) => at))

test('a number of any size is read as it was written, and nothing else is one', () => {
  const numbers = [1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 45]
  for (const number of numbers) {
    const { reference } = new Name(Buffer.alloc(0), number)
    const bytes = Buffer.concat([Buffer.from([9]), reference, Buffer.from([7])])
    const end = 1 + reference.length
    expect(readReference(bytes, 1, bytes.length)).toEqual([number, end])
    for (let cut = 1; cut < end; cut++) expect(readReference(bytes, 1, cut)).toBe(undefined)
    const block = said(new Name(pack(['a']), number))
    const names = new Map([[number, pack(['a'])]])
    expect(readNames(block, all(block), new Map())).toEqual({ names, rowsAt: block.length })
  }
  for (const tag of [0x80, 0x90, 0xa3, 0xc0, 0xc2, 0xcc, 0xd0, 0xd9, 0xdb, 0xff])
    expect(readReference(Buffer.alloc(10, tag), 0, 10)).toBe(undefined)
})

describe('what a block says', () => {
  const [one, two] = [new Name(pack(['s', 1]), 1), new Name(pack(['kind', []]), 300)]

  test('is told, with where the rows begin', () => {
    const block = Buffer.concat([Buffer.from('xx'), said(one, two), Buffer.from([1, 0xcd])])
    const read = readNames(block, { start: 2, end: block.length }, new Map([[1, one.columns]]))!
    expect(block.subarray(read.rowsAt)).toEqual(Buffer.from([1, 0xcd]))
    expect([...read.names.keys()]).toEqual([1, 300])
    // The memory of a segment is used again.
    block.fill(0)
    expect(read.names.get(300)).toEqual(two.columns)
    expect(readNames(Buffer.from([7, 8]), { start: 0, end: 2 }, new Map())?.rowsAt).toBe(0)
  })

  test('is refused as a whole where it is cut, or where a number means something else', () => {
    const block = said(two, one)
    for (let cut = 1; cut < block.length; cut++) {
      const read = readNames(block, { start: 0, end: cut }, new Map())
      // A cut between the two is none: what follows is no name.
      expect(read?.rowsAt).toBe(cut === two.size ? cut : undefined)
    }
    const other = said(new Name(pack(['new']), 7), new Name(pack(['t', 1]), 1))
    expect(readNames(other, all(other), new Map([[1, one.columns]]))).toBe(undefined)
    const twice = said(one, new Name(pack(['t', 1]), 1))
    expect(readNames(twice, all(twice), new Map())).toBe(undefined)
    const zero = said(new Name(pack(['t']), 0))
    expect(readNames(zero, all(zero), new Map())).toBe(undefined)
  })
})

describe('rows', () => {
  const session = new Name(pack(['s', 'i', false]), 5)
  const shape = new Name(pack(['action', ['a', 'b'], 7]), 70_000)
  const names = new Map([session, shape].map((name) => [name.number, name.columns]))
  const row = Buffer.concat([session.reference, shape.reference, EVENT])
  const full = Buffer.concat([session.columns, shape.columns, EVENT])

  test('get all of their columns, block by block', () => {
    const bytes = Buffer.concat([Buffer.from('head'), row, row, Buffer.from('--'), row])
    const ends = [4, 4 + row.length * 2, 6 + row.length * 2, bytes.length]
    expect(expanded({ bytes, blocks: ends, names })).toEqual([Buffer.concat([full, full]), full])
    expect(countRows(bytes, [4, 4 + row.length * 2], names)).toBe(2)
  })

  test('may hold the columns of their shape', () => {
    const columns = pack(SHAPE_COLUMNS.map(([name]) => name))
    const bytes = Buffer.concat([row, session.reference, columns, EVENT, row])
    const whole = Buffer.concat([full, session.columns, columns, EVENT, full])
    expect(expanded({ bytes, blocks: [0, bytes.length], names })).toEqual([whole])
    const early = Buffer.concat([session.reference, columns, pack([1])])
    const count = 3 + SHAPE_COLUMNS.length + 1
    expect(expanded({ bytes: early, blocks: [0, early.length], names }, count)).toEqual([
      Buffer.concat([session.columns, columns, pack([1])]),
    ])
  })

  test('of an earlier list have as many columns as it had', () => {
    const short = Buffer.concat([session.reference, shape.reference, pack([1, 'x'])])
    const rows = { bytes: short, blocks: [0, short.length], names }
    expect(expanded(rows, 8)).toEqual([
      Buffer.concat([session.columns, shape.columns, pack([1, 'x'])]),
    ])
    expect(expanded(rows, 9)).toBe(undefined)
    expect(expanded(rows)).toBe(undefined)
  })

  test('are none where they would be longer than any of ours', () => {
    const long = new Name(pack(['x'.repeat(1 << 20)]), 9)
    const rows = Array<Buffer>(1025).fill(Buffer.concat([long.reference, shape.reference, EVENT]))
    const bytes = Buffer.concat(rows)
    const all = { bytes, names: new Map([...names, [9, long.columns]]) }
    const ends = rows.flatMap((_, at) => [at, at + 1].map((n) => n * rows[0]!.length))
    expect(expanded({ ...all, blocks: ends })).toBe(undefined)
  })

  test('are none where they are cut, or name what nothing was said of', () => {
    for (let cut = 1; cut < row.length; cut++)
      expect(expanded({ bytes: row, blocks: [0, cut], names })).toBe(undefined)
    for (const number of [5, 70_000]) {
      const fewer = new Map(names)
      fewer.delete(number)
      expect(countRows(row, [0, row.length], fewer)).toBe(undefined)
    }
  })
})

test('values of msgpack end where msgpackr says, and not beyond what there is', () => {
  const text = fc.string({ maxLength: 70_000 })
  const number = fc.nat({ max: 0xffffffff })
  const value = fc.oneof(
    number,
    fc.nat({ max: 300 }),
    fc.boolean(),
    text,
    fc.array(fc.string(), { maxLength: 40 }),
    fc.dictionary(fc.string(), fc.nat()),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
      const packed = values.map((one) => pack([one]))
      const bytes = Buffer.concat(packed)
      expect(valueEnd(bytes, 0)).toBe(packed[0]!.length)
      expect(valuesEnd(bytes, 0, values.length)).toBe(bytes.length)
      expect(valuesEnd(bytes, 0, values.length, bytes.length - 1)).toBe(undefined)
      expect(valuesEnd(bytes, 0, values.length + 1)).toBe(undefined)
    }),
    { numRuns: 200 },
  )
  for (const tag of [0xc0, 0xc1, 0xc7, 0xca, 0xcb, 0xd0, 0xd4, 0xe0, 0xff])
    expect(valueEnd(Buffer.alloc(40, tag), 0)).toBe(undefined)
})
