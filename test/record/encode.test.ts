import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { expect, test } from 'vitest'
import { COLUMN_NAMES } from '../../src/record/columns.ts'
import {
  momentSpan,
  RowBuffer,
  responseSpan,
  sessionSpan,
  shapeSpans,
} from '../../src/record/encode.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number', mapsAsObjects: false })
const SESSION = sessionSpan(facts('instance', { sessionId: 'S', roles: ['a', 'b'] }))
const HEAD = { at: 1_700_000_000_000_001, seq: 5, action: 4, job: 1_700_000_000_000_002 }

/** Rows as ClickHouse reads them: values one after the other, as many as there are columns. */
function decode(rows: RowBuffer): Record<string, unknown>[] {
  const values: unknown[] = []
  unpackr.unpackMultiple(rows.bytes.subarray(rows.start, rows.size), (value) => {
    values.push(value)
  })
  expect(values.length % COLUMN_NAMES.length).toBe(0)
  return Array.from({ length: values.length / COLUMN_NAMES.length }, (_, row) =>
    Object.fromEntries(
      COLUMN_NAMES.map((name, i) => [name, values[row * COLUMN_NAMES.length + i]]),
    ),
  )
}

test('an action row holds statement, parameters and facts, and no outcome', () => {
  const rows = new RowBuffer(12, 64)
  rows.action([SESSION, shapeSpans(SHAPE, 'hash').action], HEAD, { ...TIMES, parseUs: 12.9 })
  expect(decode(rows)).toEqual([
    expect.objectContaining({
      session_id: 'S',
      instance: 'instance',
      job_verified: true,
      roles: ['a', 'b'],
      groups: [],
      kind: 'action',
      class: 'read',
      objects: ['public.customers'],
      statement: SHAPE.statement,
      statement_hash: 'hash',
      policy_version: 7,
      facts: SHAPE.facts,
      ts: HEAD.at,
      seq: 5,
      action_seq: 4,
      job_seq: HEAD.job,
      bytes_up: 300,
      parse_us: 12,
      params: ['42'],
      rows: 0,
      status: '',
      masked: new Map(),
      payload_cut: false,
      payload: '',
    }),
  ])
  expect(rows.rows).toBe(1)
})

test('an outcome row holds what came of it, and neither statement nor facts', () => {
  const rows = new RowBuffer(12, 64)
  const masked = new Map([['email', 70_000]])
  const payload = Buffer.from([0, 255, 1])
  rows.outcome([SESSION, shapeSpans(SHAPE, 'hash').outcome], HEAD, { ...OUTCOME, masked, payload })
  const [row] = decode(rows)
  expect(row).toMatchObject({ kind: 'outcome', verdict: 'allow', status: 'ok', rows: 3 })
  expect(row).toMatchObject({ statement: '', statement_hash: '', facts: '', params: [] })
  expect(row?.masked).toEqual(masked)
  expect(Buffer.from(row?.payload as Uint8Array)).toEqual(payload)
})

test('a part of a response stands under its action as the outcome does, with nothing else to tell', () => {
  const rows = new RowBuffer(12, 64)
  const payload = Buffer.alloc(100_000, 7)
  const spans = shapeSpans(SHAPE, 'hash')
  rows.response([SESSION, responseSpan(spans.outcome)], HEAD, payload)
  rows.outcome([SESSION, spans.outcome], HEAD, OUTCOME)
  const [part, outcome] = decode(rows)
  expect(part).toMatchObject({ kind: 'response', verdict: 'allow', action_seq: 4, seq: 5 })
  expect(part).toMatchObject({
    status: '',
    rows: 0,
    bytes_down: 0,
    payload_cut: false,
    masked: new Map(),
  })
  expect(Buffer.from(part?.payload as Uint8Array).equals(payload)).toBe(true)
  expect(outcome).toMatchObject({ kind: 'outcome', status: 'ok', rows: 3, payload: '' })
  expect(rows.rows).toBe(2)
})

test('a moment row holds its word and its sentence', () => {
  const rows = new RowBuffer(12, 64)
  const moment = {
    kind: 'close',
    status: 'idle',
    text: 'Nothing was heard – for an hour.',
  } as const
  rows.moment([SESSION, momentSpan('close')], HEAD, moment)
  expect(decode(rows)).toMatchObject([{ kind: 'close', status: 'idle', text: moment.text }])
})

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ maxLength: 20 }))

test('any values come back as they went in, whatever the buffer’s size was', () => {
  const count = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat())
  const input = fc.record({
    params: fc.array(text, { maxLength: 40 }),
    bytesUp: count,
    parseUs: count,
    decideUs: count,
    waitUs: count,
    status: text,
    error: text,
    masked: fc.dictionary(text, count, { maxKeys: 30, noNullPrototype: true }),
    payload: fc.uint8Array({ maxLength: 500 }),
    capacity: fc.integer({ min: 16, max: 4000 }),
  })
  fc.assert(
    fc.property(input, (given) => {
      const rows = new RowBuffer(12, given.capacity)
      const spans = shapeSpans(SHAPE, 'hash')
      const masked = new Map(Object.entries(given.masked))
      rows.action([SESSION, spans.action], HEAD, given)
      rows.outcome([SESSION, spans.outcome], HEAD, { ...OUTCOME, ...given, masked })
      const [action, outcome] = decode(rows)
      expect(action).toMatchObject({ params: given.params, bytes_up: given.bytesUp })
      expect(action).toMatchObject({ decide_us: given.decideUs, wait_us: given.waitUs })
      expect(outcome).toMatchObject({ status: given.status, error: given.error })
      expect(outcome?.masked).toEqual(masked)
      const payload = outcome?.payload
      const bytes = typeof payload === 'string' ? [] : [...(payload as Uint8Array)]
      expect(bytes).toEqual([...given.payload])
    }),
    { numRuns: 200 },
  )
})

test('what is no count is written as nought', () => {
  const rows = new RowBuffer(12, 64)
  const times = { params: [], bytesUp: Number.NaN, parseUs: -3, decideUs: 0.9, waitUs: Infinity }
  rows.action([SESSION, shapeSpans(SHAPE, '').action], HEAD, times)
  expect(decode(rows)).toMatchObject([
    { bytes_up: 0, parse_us: 0, decide_us: 0, wait_us: Number.MAX_SAFE_INTEGER },
  ])
})

test('an ill-formed surrogate does not break the row', () => {
  const rows = new RowBuffer(12, 64)
  rows.action([SESSION, shapeSpans(SHAPE, '').action], HEAD, { ...TIMES, params: ['a\ud800b'] })
  expect(decode(rows)).toMatchObject([{ params: ['a\ufffdb'] }])
})

test('shapes that share what they say of themselves but not their texts are packed apart', () => {
  const spans = (objects: string[], statement: string) =>
    shapeSpans({ ...SHAPE, objects, statement }, 'hash').action
  const one = spans(['a', 'b'], 'SELECT 1')
  // Lists whose texts are the same when they are joined.
  for (const objects of [['ab'], ['a:b'], ['a1:b'], ['1:a', 'b'], ['a', 'b', '']])
    expect(spans(objects, 'SELECT 1').equals(one)).toBe(false)
  expect(spans(['a', 'b'], 'SELECT 1').equals(one)).toBe(true)
  expect(spans(['a', 'b'], 'SELECT 2').equals(one)).toBe(false)
  for (let i = 0; i < 2000; i++) spans([`table ${i}`], 'SELECT 1')
  expect(spans(['a', 'b'], 'SELECT 1').equals(one)).toBe(true)
})
