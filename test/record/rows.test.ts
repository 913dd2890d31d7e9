import { expect, test } from 'vitest'
import { CANONICAL_COLUMNS } from '../../src/record/canonical.ts'
import { splitRows } from '../../src/record/rows.ts'

/** RowBinary of a row of which every text is `text`. */
function row(text: string, seq: number): Buffer {
  const texts = Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
  const long = Buffer.alloc(8)
  long.writeBigUInt64LE(BigInt(seq))
  return Buffer.concat(
    CANONICAL_COLUMNS.map(([, type]) => {
      if (type === 'String') return texts
      if (type === 'Bool') return Buffer.from([1])
      if (type.startsWith('Array')) return Buffer.concat([Buffer.from([2]), texts, texts])
      if (type.startsWith('Map')) return Buffer.concat([Buffer.from([1]), texts, long])
      return long
    }),
  )
}

test('rows are told apart, each with its session, its number and its two parts', () => {
  const [first, second] = [row('alpha', 7), row('', 8)]
  const rows = splitRows(Buffer.concat([first, second]))
  expect(rows.map(({ session, seq }) => [session, seq])).toEqual([
    ['alpha', 7],
    ['', 8],
  ])
  expect(Buffer.concat(rows.flatMap(({ events, contents }) => [events, contents]))).toEqual(
    Buffer.concat([first, second]),
  )
  // statement, facts, two params, payload.
  expect(rows[0]!.contents).toHaveLength(6 * 3 + 1 + 2 * 6)
  expect(rows[1]!.contents).toEqual(Buffer.from([0, 0, 2, 0, 0, 0]))
})

test('rows that are cut off are an error, wherever', () => {
  const whole = row('alpha', 7)
  for (let size = 1; size < whole.length; size++)
    expect(() => splitRows(whole.subarray(0, size))).toThrow()
})
