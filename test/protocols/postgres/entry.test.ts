import { expect, test } from 'vitest'
import {
  copyOf,
  Entry,
  EXECUTE,
  QUERY,
  type Running,
} from '../../../src/protocols/postgres/entry.ts'
import { NO_EFFECT } from '../../../src/protocols/postgres/sql/analysis.ts'
import { COPY_OUT } from './conversations.ts'

function running(copies: boolean): Running {
  const effect = copies ? { ...NO_EFFECT, copy: COPY_OUT } : NO_EFFECT
  return { effect } as Running
}

test('an entry owes nothing and has failed nothing at first', () => {
  expect(new Entry(EXECUTE)).toMatchObject({ silent: false, running: [], done: 0, failed: false })
})

test('the COPY of an entry is that of its present statement', () => {
  const one = new Entry(QUERY)
  one.running = [running(false), running(true)]
  expect(copyOf(one)).toBeUndefined()
  one.done = 1
  expect(copyOf(one)).toBe(COPY_OUT)
  one.done = 2
  expect(copyOf(one)).toBeUndefined()
})
