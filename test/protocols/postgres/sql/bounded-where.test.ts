import { beforeAll, describe, expect, test } from 'vitest'
import {
  constantItem,
  coverOf,
  isConstant,
} from '../../../../src/protocols/postgres/sql/bounded-where.ts'
import { loadParser, type SelectStmt } from '../../../../src/protocols/postgres/sql/parse.ts'
import { one, resolve } from './sample.ts'

beforeAll(loadParser)

function select(text: string): SelectStmt {
  const stmt = one(text)
  if (!('SelectStmt' in stmt)) throw new Error('no SELECT')
  return stmt.SelectStmt
}

function columns(condition: string): string[] {
  const range = { relname: 'pairs' }
  const relation = resolve(undefined, 'pairs')
  const where = select(`SELECT 1 FROM pairs WHERE ${condition}`).whereClause
  const cover = coverOf(where, { range, relation, alone: true, constants: new Set(['v']) })
  return cover.bounded ? [...cover.columns].sort() : ['unbounded']
}

describe('columns that a condition pins down', () => {
  test.each([
    ['a = 1', ['a']],
    ['pairs.a = 1 AND b = $1', ['a', 'b']],
    ['(a, b) = (1, c)', ['a']],
    ['(a = 1 AND b = 2) OR (a = 3 AND c = 4)', ['a']],
    ['a = 1 OR b = 2', []],
    ['a = v.x', ['a']],
    ["a = 'x'::text || 'y' AND other.b = 1", ['a']],
    ['a OPERATOR(pg_catalog.=) 1', ['a']],
    ['a OPERATOR(public.=) 1', ['unbounded']],
    ['a == 1', ['unbounded']],
    ['a = w.x', ['unbounded']],
    ['x.pairs.a = 1', ['unbounded']],
    ['pairs = $1', ['unbounded']],
    ['a = $1 IS TRUE', ['unbounded']],
    ['a = CURRENT_DATE', ['a']],
    ['a = now()', ['unbounded']],
    ['a = CASE WHEN true THEN a END', ['unbounded']],
  ])('%s: %j', (condition, wanted) => {
    expect(columns(condition)).toEqual(wanted)
  })
})

test('only what the text or its parameters name is constant', () => {
  const constant = (value: string): boolean => {
    const target = select(`SELECT ${value}`).targetList?.[0]
    return target !== undefined && 'ResTarget' in target && isConstant(target.ResTarget.val)
  }
  expect(['1', "'x'::int", '$1 + 1', "'a' || 'b'"].map(constant)).toEqual([true, true, true, true])
  expect(['a', 'f(1)', '(SELECT 1)', '1 @@ 2', 'ARRAY[1]'].map(constant)).not.toContain(true)
})

test('constant lists and unnested parameters are constant items', () => {
  const item = (from: string) => constantItem(select(`SELECT 1 FROM ${from}`).fromClause![0]!)
  expect(item('(VALUES (1), ($1)) v(x)')).toBe('v')
  expect(item('unnest($1::int[]) u')).toBe('u')
  expect(item('ROWS FROM (unnest($1), unnest($2)) u')).toBe('u')
  expect(item('(VALUES (f(1))) v(x)')).toBeUndefined()
  expect(item('(SELECT 1 AS x) v')).toBeUndefined()
  expect(item('unnest(ARRAY[1]) u')).toBeUndefined()
  expect(item('ROWS FROM (unnest($1), generate_series(1, 9)) u')).toBeUndefined()
  expect(item('t')).toBeUndefined()
})
