import { beforeAll, expect, test } from 'vitest'
import {
  columnsOf,
  isStarred,
  outputName,
  outputNames,
  union,
} from '../../../../src/protocols/postgres/sql/masked-names.ts'
import { clearItem } from '../../../../src/protocols/postgres/sql/masked-scope.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { one } from './sample.ts'

beforeAll(loadParser)

const names = (text: string) => {
  const found = outputNames(one(text))
  return found === undefined ? undefined : [...found]
}

test('outputs have the names that PostgreSQL gives them', () => {
  expect(names('SELECT a, t.b, c AS d, count(*), 1')).toEqual(['a', 'b', 'd', 'count', '?column?'])
  expect(names('VALUES (1, 2)')).toEqual(['column1', 'column2'])
  expect(names('SELECT a UNION SELECT b')).toEqual(['a'])
})

test('stars and what is not plain to see leave names open', () => {
  expect(names('SELECT a, *')).toBeUndefined()
  expect(names('SELECT a::int')).toBeUndefined()
  expect(names('DELETE FROM t RETURNING a')).toBeUndefined()
})

test('an alias renames the first columns', () => {
  const colnames = [{ String: { sval: 'x' } }]
  expect([...columnsOf({ aliasname: 'v', colnames }, new Set(['a', 'b']))!]).toEqual(['x', 'b'])
  expect(columnsOf({ aliasname: 'v' }, undefined)).toBeUndefined()
})

test('columns of several items are known only when those of each are', () => {
  const known = clearItem('a', new Set(['x']))
  expect([...union([known, clearItem('b', new Set(['y']))])!]).toEqual(['x', 'y'])
  expect(union([known, clearItem('b', undefined)])).toBeUndefined()
})

test('a starred output has no name', () => {
  const stmt = one('SELECT t.*, a')
  const [star, plain] = 'SelectStmt' in stmt ? stmt.SelectStmt.targetList! : []
  expect([isStarred(star!), outputName(star!)]).toEqual([true, undefined])
  expect([isStarred(plain!), outputName(plain!)]).toEqual([false, 'a'])
})
