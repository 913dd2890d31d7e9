import { expect, test } from 'vitest'
import { Runs } from '../../src/record/canonical.ts'
import { COLUMN_NAMES } from '../../src/record/columns.ts'
import { RowBuffer, sessionSpan, shapeSpans } from '../../src/record/encode.ts'
import { EngineRows } from '../../src/record/engine-rows.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

/** Actions with their outcomes, each of a statement of its own or all of one. */
function rows(
  engine: EngineRows,
  statements: readonly string[],
  sessions: readonly string[] = ['S'],
): EngineRows {
  const buffer = new RowBuffer(0, 4096)
  const spans = sessions.map((sessionId) => sessionSpan(facts('I', { sessionId, job: "it's" })))
  for (const [i, statement] of statements.entries()) {
    const { action, outcome } = shapeSpans({ ...SHAPE, statement }, 'hash')
    const head = { at: 1_790_000_000_000_000 + i, seq: i * 2 + 1, action: i * 2 + 1, job: i }
    const session = spans[i % spans.length]!
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
  expect(made.as.startsWith(`(${COLUMN_NAMES.join(', ')}) SELECT CAST(x'`)).toBe(true)
  expect(made.as).toContain("'Array(String)'), shape_number) AS statement")
  expect(made.as).toContain("input('session_number UInt32, shape_number UInt32, ts DateTime64")
  expect(made.as.endsWith(' FORMAT RowBinary')).toBe(true)
  expect(made.as.split(Buffer.from('SELECT 1').toString('hex'))).toHaveLength(2)
  expect(made.as).not.toContain("it's")
  expect(made.settings.log_queries).toBe(0)
  // The first two: an action of session 1 and shape 1, its outcome of shape 2.
  const [body] = made.body
  expect(made.body).toHaveLength(1)
  expect(body!.subarray(0, 8).toString('hex')).toBe('0100000001000000')
  const ts = Buffer.alloc(8)
  ts.writeBigUInt64LE(1_790_000_000_000_000n)
  expect(body!.subarray(8, 16)).toEqual(ts)
})

test('sessions stand one behind the other in the order of their ids, and each keeps its own', () => {
  const made = rows(new EngineRows(), SAME, ['S3', 'S1', 'S2']).insert(40, 2)!
  expect(made.body.map((one) => one.readUInt32LE(0))).toEqual([2, 3, 1])
  const whole = rows(new EngineRows(), SAME, ['S1']).insert(40, 2)!
  expect(Buffer.concat(made.body)).toHaveLength(Buffer.concat(whole.body).length)
})

test('what all sessions share is not looked up for each row', () => {
  const { as } = rows(new EngineRows(), SAME, ['S1', 'S2']).insert(40, 2)!
  expect(as).toContain(`CAST(x'${Buffer.from("it's").toString('hex')}', 'String') AS job`)
  expect(as).toMatch(
    /arrayElement\(CAST\(\[x'[0-9a-f]+',x'[0-9a-f]+'\], 'Array\(String\)'\), session_number\) AS session_id/,
  )
})

test('columns of shapes stand in the rows where they are not numbered', () => {
  const numbered = rows(new EngineRows(), OTHERS)
  expect(numbered.hasManyShapes).toBe(true)
  expect(numbered.insert(40, 2)).toBe(undefined)
  const inline = rows(new EngineRows(true), OTHERS)
  expect(inline.hasManyShapes).toBe(true)
  const made = inline.insert(40, 2)!
  expect(made.as).not.toContain('shape_number')
  expect(Buffer.concat(made.body).includes('SELECT 13')).toBe(true)
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
