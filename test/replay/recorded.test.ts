import { expect, test } from 'vitest'
import { behind, Progress, readCursor, START, writeCursor } from '../../src/replay/recorded.ts'

const action = (seq: number) => ({ seq, kind: 'action', action: seq })
const outcome = (seq: number, of: number) => ({ seq, kind: 'outcome', action: of })

test('no row that may still come belongs to an older action than is said', () => {
  const progress = new Progress()
  for (const row of [action(2), action(3), outcome(4, 3)]) progress.see(row)
  expect(progress.oldest).toBe(2)
  progress.see(outcome(5, 2))
  // What belongs to no action is recorded with the one that was over last.
  expect(progress.oldest).toBe(2)
  for (const row of [action(6), outcome(7, 6), action(8)]) progress.see(row)
  expect(progress.oldest).toBe(6)
})

test('a reading that goes on elsewhere knows what this one knew', () => {
  const first = new Progress()
  for (const row of [action(2), action(3), outcome(4, 3)]) first.see(row)
  const second = new Progress(readCursor(writeCursor(first.position)))
  expect(second.position).toEqual(first.position)
  second.see(outcome(9, 2))
  second.see(outcome(11, 10))
  expect(second.oldest).toBe(10)
})

test('who begins in the middle leaves nothing out', () => {
  const progress = new Progress(behind(100))
  for (const row of [action(101), outcome(102, 101)]) progress.see(row)
  expect(progress.oldest).toBe(0)
  expect(readCursor(writeCursor(progress.position))).toEqual(behind(102))
  expect(behind(0)).toEqual(START)
})

test('a cursor of more open actions than are carried is one that knows of none', () => {
  const progress = new Progress()
  for (let seq = 1; seq <= 200; seq++) progress.see(action(seq))
  expect(readCursor(writeCursor(progress.position))).toEqual(behind(200))
})

test('what is no cursor of ours is none', () => {
  for (const text of ['', 'x', '1-', '-1', '1-2-x', '1'.repeat(16), `${'1-'.repeat(2000)}1`])
    expect(readCursor(text)).toBeUndefined()
})
