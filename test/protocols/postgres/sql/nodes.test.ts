import { beforeAll, expect, test } from 'vitest'
import {
  attributesOf,
  cteNames,
  dotted,
  each,
  isPart,
  refName,
  same,
} from '../../../../src/protocols/postgres/sql/nodes.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { one } from './sample.ts'

beforeAll(loadParser)

test('two texts that say the same are the same, wherever they stand', () => {
  expect(same(one('SELECT  a +  1'), one('SELECT a+1'))).toBe(true)
  expect(same(one('SELECT a + 1'), one('SELECT a + 2'))).toBe(false)
  expect(same(one('SELECT f(a)'), one('SELECT f(a, a)'))).toBe(false)
})

test('every kind is seen, also behind fields whose kind is fixed', () => {
  const kinds: string[] = []
  each(one('SELECT 1 UNION (WITH x AS (DELETE FROM t) SELECT 2)'), (key) => {
    kinds.push(key)
    return true
  })
  expect(kinds).toContain('DeleteStmt')
})

test('a field that is refused is not entered', () => {
  const kinds: string[] = []
  each(one('SELECT f(a)'), (key) => {
    kinds.push(key)
    return key !== 'FuncCall'
  })
  expect(kinds).not.toContain('ColumnRef')
})

test('names of CTEs are found at any depth', () => {
  const names = cteNames(one('WITH a AS (WITH b AS (SELECT 1) SELECT 2) SELECT 3'))
  expect([...names].sort()).toEqual(['a', 'b'])
})

test('a dotted name with a star is none', () => {
  expect(dotted([{ String: { sval: 'a' } }, { A_Star: {} }])).toBeUndefined()
  expect(dotted([{ String: { sval: 'a' } }, { String: {} }])).toEqual(['a', ''])
})

test('an alias qualifies, the name without one', () => {
  expect(refName({ relname: 't', alias: { aliasname: 'a' } })).toBe('a')
  expect(refName({ relname: 't' })).toBe('t')
})

test('a name behind a dot may call a function, one without cannot', () => {
  const names: string[] = []
  each(one('SELECT a, t.b, (x).c, (y[1]).d.e, f(s.t.g) FROM t'), (kind, inside) => {
    if (isPart(inside)) names.push(...attributesOf(kind, inside))
    return true
  })
  expect(names).toEqual(['b', 'c', 'd', 'e', 't', 'g'])
})
