import { expect, test } from 'vitest'
import { Runs } from '../../src/record/canonical.ts'
import { COLUMN_NAMES } from '../../src/record/columns.ts'
import { RowBuffer, sessionSpan, shapeSpans } from '../../src/record/encode.ts'
import { EngineRows } from '../../src/record/engine-rows.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

/** Actions with their outcomes, each of a statement of its own or all of one. */
function rows(engine: EngineRows, statements: readonly string[]): EngineRows {
  const buffer = new RowBuffer(0, 4096)
  const session = sessionSpan(facts('I', { job: "it's" }))
  for (const [i, statement] of statements.entries()) {
    const { action, outcome } = shapeSpans({ ...SHAPE, statement }, 'hash')
    const head = { at: 1_790_000_000_000_000 + i, seq: i * 2 + 1, action: i * 2 + 1, job: i }
    buffer.action([session, action], head, TIMES)
    buffer.outcome([session, outcome], { ...head, seq: i * 2 + 2 }, OUTCOME)
  }
  new Runs(() => new Uint8Array(16), engine).add(buffer.bytes, [0, buffer.size])
  return engine
}

const SAME = Array<string>(20).fill('SELECT 1')
const OTHERS = SAME.map((_, i) => `SELECT ${i}`)

test('a row names its session and shape, and their columns stand in the query once, in hexadecimal', () => {
  const made = rows(new EngineRows(), SAME).insert(40, 2)!
  expect(made.as.startsWith(`(${COLUMN_NAMES.join(', ')}) SELECT arrayElement(`)).toBe(true)
  expect(made.as).toContain("input('session_number UInt32, shape_number UInt32, ts DateTime64")
  expect(made.as.endsWith(' FORMAT RowBinary')).toBe(true)
  expect(made.as.split(Buffer.from('SELECT 1').toString('hex'))).toHaveLength(2)
  expect(made.as).not.toContain("it's")
  expect(made.settings.log_queries).toBe(0)
  // The first two: an action of session 1 and shape 1, its outcome of shape 2.
  expect(made.body.subarray(0, 8).toString('hex')).toBe('0100000001000000')
  const ts = Buffer.alloc(8)
  ts.writeBigUInt64LE(1_790_000_000_000_000n)
  expect(made.body.subarray(8, 16)).toEqual(ts)
})

test('columns of shapes stand in the rows where they are not numbered', () => {
  const numbered = rows(new EngineRows(), OTHERS)
  expect(numbered.hasManyShapes).toBe(true)
  expect(numbered.insert(40, 2)).toBe(undefined)
  const inline = rows(new EngineRows(true), OTHERS)
  expect(inline.hasManyShapes).toBe(true)
  const made = inline.insert(40, 2)!
  expect(made.as).not.toContain('shape_number')
  expect(made.body.includes('SELECT 13')).toBe(true)
  expect(rows(new EngineRows(true), SAME).hasManyShapes).toBe(false)
})

test('there are none where rows are missing, too few, or of too many sessions', () => {
  expect(rows(new EngineRows(), SAME).insert(39, 2)).toBe(undefined)
  expect(rows(new EngineRows(), SAME).insert(41, 2)).toBe(undefined)
  expect(rows(new EngineRows(), SAME).insert(40)).toBe(undefined)
  const large = rows(new EngineRows(), [`SELECT '${'x'.repeat(40_000)}'`, ...SAME])
  expect([large.isFull, large.count]).toEqual([true, 42])
  expect(large.bytes).toBeLessThan(4097)
})
