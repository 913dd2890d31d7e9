import { expect, test } from 'vitest'
import { sessionsOf, toLeaf } from '../../src/record/evidence-page.ts'

test('which rows a leaf speaks for is said by its text', () => {
  const columns = { n: '3', session_id: 'forged', first_seq: 1, last_seq: 99, salt: '', hints: '' }
  const text = JSON.stringify([
    'sluice-leaf-1',
    'c',
    3,
    0,
    's',
    'told',
    4,
    6,
    '',
    '',
    '',
    'live',
    'x',
  ])
  expect(toLeaf({ ...columns, text })).toMatchObject({ n: 3, session: 'told', first: 4, last: 6 })
  expect(toLeaf({ ...columns, text: '{' })).toMatchObject({ session: 'forged', first: 1, last: 99 })
})

test('evidence of a session holds the calls that may have erased some of it', () => {
  expect(sessionsOf({ type: 'session', session: 'a' })).toEqual(['a'])
  expect(sessionsOf({ type: 'session', session: 'a', calls: ['ctl_1'] })).toEqual(['a', 'ctl_1'])
})
