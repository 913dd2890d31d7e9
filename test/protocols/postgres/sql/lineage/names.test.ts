import { beforeAll, expect, test } from 'vitest'
import { isStar, nameOf } from '../../../../../src/protocols/postgres/sql/lineage/names.ts'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { one } from '../sample.ts'

beforeAll(loadParser)

function value(expression: string) {
  const stmt = one(`SELECT ${expression}`)
  const target = 'SelectStmt' in stmt ? stmt.SelectStmt.targetList?.[0] : undefined
  return target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
}

test.each([
  ['a.b', 'b'],
  ['upper(x)', 'upper'],
  ["'x'::text", 'text'],
  ['a::text', 'a'],
  ['a COLLATE "C"', 'a'],
  ['CASE WHEN a THEN 1 END', 'case'],
  ['CASE WHEN a THEN 1 ELSE b END', 'b'],
  ['coalesce(a, b)', 'coalesce'],
  ['nullif(a, b)', 'nullif'],
  ['least(a, b)', 'least'],
  ['ARRAY[a]', 'array'],
  ['ROW(a)', 'row'],
  ['(SELECT y FROM t)', 'y'],
  ['(SELECT 1 AS z)', 'z'],
  ['EXISTS (SELECT 1)', 'exists'],
  ['ARRAY(SELECT 1)', 'array'],
  ['(a).f', 'f'],
  ['a[1]', 'a'],
  ['a + 1', '?column?'],
  ['a IS NULL', '?column?'],
  ['current_date', 'current_date'],
  ['a IN (SELECT 1)', '?column?'],
  ['xmlelement(name x)', undefined],
])('%s is called %s', (expression, wanted) => {
  expect(nameOf(value(expression))).toBe(wanted)
})

test('a star has no name', () => {
  expect([isStar(value('*')), isStar(value('t.*')), isStar(value('t'))]).toEqual([
    true,
    true,
    false,
  ])
})
