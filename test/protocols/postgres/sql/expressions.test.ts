import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge, namesOf } from './catalogue-sample.ts'

beforeAll(loadParser)

const BAD = 'evil()'
const PLACES = [
  'CASE WHEN $ THEN 1 END',
  'CASE $ WHEN 1 THEN 1 END',
  'COALESCE($, 1)',
  'ARRAY[$]',
  'ROW($)',
  '($ IS NULL)',
  'NULLIF($, 1)',
  'GREATEST($, 1)',
  '(ARRAY[1])[$]',
  '($)::text',
  'count(*) FILTER (WHERE $)',
  'array_agg(1 ORDER BY $)',
  'sum(1) OVER (PARTITION BY $)',
  '1 = ANY (ARRAY[$])',
  '1 IN ($)',
  '1 BETWEEN 0 AND $',
  'NOT $',
  '(SELECT $)',
  'EXISTS (SELECT 1 WHERE $)',
  "'a' LIKE $",
  'percentile_cont(0.5) WITHIN GROUP (ORDER BY $)',
  'JSON_OBJECT(1: $)',
  'JSON_ARRAY($)',
  "JSON_VALUE($, '$.x')",
  'JSON_ARRAY(SELECT $)',
  'XMLELEMENT(NAME x, $)',
  '$ COLLATE "C"',
  '1 IS DISTINCT FROM $',
  'upper(x => $)',
]

test.each(PLACES)('code is found in %s', (place) => {
  const text = `SELECT ${place.replace(/\$(?!\.)/, BAD)}`
  expect(judge(text).classes, text).toContain('execute')
})

test('operators that are spelled as words are judged by their own name', () => {
  const names = namesOf({}, { searchPath: ['pg_catalog', 'app', 'public'] })
  for (const text of [
    'SELECT 1 IN (2)',
    'SELECT NULLIF(1, 2)',
    'SELECT CASE 1 WHEN 2 THEN 3 END',
    'SELECT 1 = 1',
    'SELECT 1 IN (SELECT 1)',
    'SELECT 1 FROM users JOIN app.other USING (id)',
  ])
    expect(classes(text, { names }), text).toBe('read execute')
  expect(classes('SELECT 1 OPERATOR(pg_catalog.=) 1', { names })).toBe('read')
})

test('literals and the highest parameter are told', () => {
  const statement = judge("SELECT 'a', 1, 2.5, true, $3, $1")
  expect(statement.facts.literals).toEqual(['a', '1', '2.5', 'true'])
  expect(statement.parameters).toBe(3)
})
