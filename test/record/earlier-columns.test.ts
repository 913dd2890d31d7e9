import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { COLUMNS, COLUMNS_HASH } from '../../src/record/columns.ts'
import { type ColumnList, columnsHash, EARLIER, upgrade } from '../../src/record/earlier-columns.ts'
import { joinRows, type SegmentContent } from '../../src/record/segment.ts'

const packr = new Packr({ useRecords: false })
/** Without two columns, and in another order. */
const OLDER: ColumnList = [...COLUMNS]
  .filter(([name]) => !['owner', 'masked'].includes(name))
  .reverse()

/** Every list that ever was, today's last. Who changes COLUMNS adds a hash here, and the former list to EARLIER. */
const LISTS = [256515306]

test('every list of columns that ever was can be read', () => {
  expect(COLUMNS_HASH).toBe(columnsHash(COLUMNS))
  expect([...EARLIER, COLUMNS].map(columnsHash)).toEqual(LISTS)
})

type Values = Record<string, unknown>

function packed(list: ColumnList, values: Values): Buffer {
  const parts = list.map(([name, type]) => {
    const value = values[name]
    return packr.pack(type.startsWith('Map') ? new Map(value as [string, number][]) : value)
  })
  return Buffer.concat(parts)
}

const value = (type: string): fc.Arbitrary<unknown> => {
  if (type === 'String') return fc.string({ maxLength: 400 })
  if (type === 'Bool') return fc.boolean()
  if (type.startsWith('Array')) return fc.array(fc.string(), { maxLength: 20 })
  if (type.startsWith('Map')) return fc.constant([])
  return fc.nat({ max: 0xffffffff })
}
const row = fc.record(Object.fromEntries(COLUMNS.map(([name, type]) => [name, value(type)])))

function contentOf(
  list: ColumnList,
  blocks: readonly (readonly Values[])[],
  hash = columnsHash(list),
): SegmentContent {
  const bodies = blocks.map((rows) => Buffer.concat(rows.map((one) => packed(list, one))))
  const places: number[] = []
  let at = 5
  for (const body of bodies) {
    places.push(at, at + body.length)
    at += body.length + 3
  }
  const gap = Buffer.alloc(3)
  const bytes = Buffer.concat([Buffer.alloc(5), ...bodies.flatMap((body) => [body, gap])])
  const header = { columns: hash, thread: 1, instance: 'x', isNamed: false }
  return {
    header,
    bytes,
    blocks: places,
    names: new Map(),
    said: new Map(),
    seals: [],
    rows: 1,
    sealed: 0,
    end: at,
    damaged: 0,
    torn: 0,
  }
}

test('rows of an earlier list become rows of today, block by block', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(row, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
      (blocks) => {
        const upgraded = upgrade(contentOf(OLDER, blocks), [OLDER])
        expect(upgraded.header.columns).toBe(COLUMNS_HASH)
        expect(upgraded.blocks).toHaveLength(blocks.length * 2)
        const today = blocks.map((rows) => rows.map((one) => ({ ...one, owner: '', masked: [] })))
        const whole = Buffer.concat(today.flat().map((one) => packed(COLUMNS, one)))
        expect(joinRows(upgraded).equals(whole)).toBe(true)
      },
    ),
    { numRuns: 50 },
  )
})

test('what is of today, unknown, cut off, or would lose a column is left as it is', () => {
  const values = fc.sample(row, { numRuns: 1, seed: 1 })[0]!
  const today = contentOf(COLUMNS, [[values]])
  expect(upgrade(today, [OLDER])).toBe(today)
  const unknown = contentOf(OLDER, [[values]], 7)
  expect(upgrade(unknown, [OLDER])).toBe(unknown)
  const more: ColumnList = [...COLUMNS, ['gone', 'String']]
  const lost = contentOf(more, [[{ ...values, gone: 'x' }]])
  expect(upgrade(lost, [more])).toBe(lost)
  const other: ColumnList = COLUMNS.map(([name, type]) => [name, name === 'rows' ? 'String' : type])
  const typed = contentOf(other, [[{ ...values, rows: 'x' }]])
  expect(upgrade(typed, [other])).toBe(typed)
  const whole = contentOf(OLDER, [[values]])
  for (let cut = whole.blocks[0]! + 1; cut < whole.blocks[1]!; cut++) {
    const torn = { ...whole, blocks: [whole.blocks[0]!, cut] }
    expect(upgrade(torn, [OLDER])).toBe(torn)
  }
})
