import { expect, test } from 'vitest'
import { PostgresReader } from '../../src/replay/postgres-reader.ts'
import { type Item, Timeline } from '../../src/replay/timeline.ts'
import { answered, asked, columns, error, READY, row, tag, values } from './rows.ts'

const REFUSAL = '{"sluice":{"verdict":"denied"}}'

function played(...rows: readonly ReturnType<typeof row>[]): Item[] {
  const timeline = new Timeline(new PostgresReader())
  return [...rows.flatMap((one) => timeline.push(one)), ...timeline.end('closed')]
}

function told(items: readonly Item[]): unknown[] {
  return items.map(({ type, action }) => `${type} ${action}`)
}

const RESULT = Buffer.concat([columns([{ name: 'a' }]), values(['1']), tag('SELECT 1')])

test('statements, results and outcomes stand in order, each with its action and its time', () => {
  const items = played(
    row(1, { kind: 'login', status: 'ok' }),
    asked(2, 'SELECT a FROM t'),
    row(3, { kind: 'response', action: 2, bytes: RESULT.subarray(0, 30) }),
    answered(4, 2, RESULT.subarray(30)),
    row(5, { kind: 'response', action: 2, bytes: READY }),
    row(6, { kind: 'close', status: 'terminated' }),
  )
  expect(told(items)).toEqual([
    ...['moment 0', 'action 2', 'columns 2', 'row 2', 'complete 2', 'outcome 2', 'ready 0'],
    ...['moment 0', 'end 0'],
  ])
  expect(items.map(({ offset }) => offset / 1e6)).toEqual([0, 1, 2, 3, 3, 3, 4, 5, 5])
})

test('an error is its own action’s, a refusal that comes later is of what was refused', () => {
  const items = played(
    asked(1, 'SELECT 1/0'),
    answered(2, 1, error('22012', 'division by zero'), { status: 'error', error: '22012' }),
    asked(3, 'DROP TABLE t', { verdict: 'deny' }),
    answered(4, 3, Buffer.alloc(0), { status: 'refused' }),
    asked(5, 'SELECT a FROM t'),
    answered(6, 5, Buffer.concat([READY, error('42501', 'no', REFUSAL), READY, RESULT])),
    row(7, {
      kind: 'response',
      action: 5,
      bytes: Buffer.concat([READY, error('42601', 'of a Parse alone'), READY]),
    }),
  )
  const errors = items.filter(({ type }) => type === 'error')
  expect(errors.map(({ action, seq }) => [action, seq])).toEqual([
    [1, 2],
    [3, 6],
    [0, 7],
  ])
})

test('a refusal in the middle of a result that was asked for before does not cut it', () => {
  const items = played(
    asked(1, 'SELECT a FROM t'),
    row(2, { kind: 'response', action: 1, bytes: RESULT.subarray(0, 40) }),
    asked(3, 'DROP TABLE t', { verdict: 'deny' }),
    answered(4, 3, Buffer.alloc(0), { status: 'refused' }),
    answered(5, 1, RESULT.subarray(40)),
    row(6, { kind: 'response', action: 1, bytes: error('42501', 'no', REFUSAL) }),
  )
  expect(told(items)).toEqual([
    ...['action 1', 'columns 1', 'row 1', 'action 3', 'outcome 3', 'complete 1', 'outcome 1'],
    ...['error 3', 'end 0'],
  ])
})

test('an action without an outcome is unknown, and missing events are told', () => {
  const items = played(
    row(1, { kind: 'login' }),
    asked(4, 'SELECT 1'),
    row(5, { kind: 'response', action: 4, bytes: RESULT.subarray(0, 40) }),
  )
  expect(items).toContainEqual(expect.objectContaining({ type: 'missing', from: 2, to: 3 }))
  expect(told(items).slice(-3)).toEqual(['torn 4', 'unknown 4', 'end 0'])
})

test('a result that was cut does not spoil the next one', () => {
  const items = played(
    asked(1, 'SELECT a FROM t'),
    answered(2, 1, RESULT.subarray(0, RESULT.length - 20), { payload_cut: true }),
    asked(3, 'SELECT a FROM t'),
    answered(4, 3, Buffer.concat([READY, RESULT])),
  )
  expect(told(items).filter((one) => `${one}`.endsWith('3'))).toEqual([
    ...['action 3', 'columns 3', 'row 3', 'complete 3', 'outcome 3'],
  ])
  expect(items).toContainEqual(expect.objectContaining({ type: 'outcome', payload_cut: true }))
})

test('who begins in the middle hears nothing before the end of a result', () => {
  const timeline = new Timeline(new PostgresReader(), { began: 1_700_000_000_000_000 })
  const items = [
    ...timeline.push(row(7, { kind: 'response', action: 5, bytes: RESULT.subarray(9) })),
    ...timeline.push(answered(8, 5, RESULT.subarray(3))),
    ...timeline.push(asked(9, 'SELECT a FROM t')),
    ...timeline.push(answered(10, 9, RESULT)),
  ]
  expect(told(items)).toEqual([
    'outcome 5',
    'action 9',
    'columns 9',
    'row 9',
    'complete 9',
    'outcome 9',
  ])
  expect(items[0]!.offset).toBe(8_000_000)
})

test('a session without events is nothing', () => {
  expect(played()).toEqual([])
})
