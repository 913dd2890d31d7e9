import { expect, test } from 'vitest'
import { accessed, children, isGroup, type Node } from '../../src/decide/rule-tree.ts'

const node = (op: string, args: unknown): Node => ({ op, args, pos: 0 })
const sql = node('id', 'sql')

test('a fact is read by a dot or by its name in brackets', () => {
  const free = new Set<string>()
  const wanted = { group: 'sql', name: 'writes' }
  expect(accessed(node('.', [sql, 'writes']), free)).toEqual(wanted)
  expect(accessed(node('[]', [sql, node('value', 'writes')]), free)).toEqual(wanted)
  expect(accessed(node('[]', [sql, node('id', 'x')]), free)).toEqual({
    group: 'sql',
    name: undefined,
  })
  expect(accessed(node('.', [node('id', 'x'), 'writes']), free)).toBeUndefined()
  expect(accessed(node('.', [sql, 'writes']), new Set(['sql']))).toBeUndefined()
  expect(accessed(sql, free)).toBeUndefined()
})

test('what stands below a node is found at any nesting, and values have nothing below', () => {
  const one = node('value', 1n)
  expect(children(node('map', [[one, sql]]))).toEqual([one, sql])
  expect(children(node('call', ['size', [sql]]))).toEqual([sql])
  expect(children(node('value', [sql]))).toEqual([])
})

test('names that every object has are no groups', () => {
  expect(isGroup('sql')).toBe(true)
  expect(isGroup('constructor')).toBe(false)
})
