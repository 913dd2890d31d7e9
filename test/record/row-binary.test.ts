import { expect, test } from 'vitest'
import { COLUMNS } from '../../src/record/columns.ts'
import { RowBytes, SESSION_END, SHAPE_END, STEPS_END } from '../../src/record/row-binary.ts'

/** Every column empty, but `seq`. */
function emptyRow(seq: readonly number[]): Buffer {
  const bytes = COLUMNS.flatMap(([name, type]) => {
    if (name === 'seq') return [...seq]
    if (type === 'String') return [0xa0]
    if (type === 'Bool') return [0xc2]
    return type.startsWith('Array') ? [0x90] : type.startsWith('Map') ? [0x80] : [0]
  })
  return Buffer.from(bytes)
}

function seqOf(block: Buffer): number {
  const row = new RowBytes()
  row.begin(block)
  const seq = row.steps(0, STEPS_END)
  expect(row.at).toBe(block.length)
  return seq
}

test('numbers of every width are read', () => {
  expect(seqOf(emptyRow([7]))).toBe(7)
  expect(seqOf(emptyRow([0xcc, 0xff]))).toBe(255)
  expect(seqOf(emptyRow([0xcd, 1, 2]))).toBe(258)
  expect(seqOf(emptyRow([0xce, 0xff, 0, 0, 1]))).toBe(0xff000001)
  expect(seqOf(emptyRow([0xcf, 0, 0, 0, 1, 0, 0, 0, 2]))).toBe(0x100000002)
})

test('what is no number, and what is cut off, throws', () => {
  expect(() => seqOf(emptyRow([0xc0]))).toThrow()
  expect(() => seqOf(emptyRow([0xcb, 0, 0, 0, 0, 0, 0, 0, 0]))).toThrow()
  const whole = emptyRow([1])
  for (let end = 0; end < whole.length; end++) expect(() => seqOf(whole.subarray(0, end))).toThrow()
})

test('columns of session, shape and event follow each other', () => {
  expect(SESSION_END).toBeLessThan(SHAPE_END)
  expect(COLUMNS[SHAPE_END]![0]).toBe('ts')
  const row = new RowBytes()
  row.begin(Buffer.from([0xa2, 0x68, 0x69]))
  expect(row.peekText()).toBe('hi')
  expect(row.at).toBe(0)
})
