import { beforeAll, expect, test } from 'vitest'
import { truthOf } from '../../../../src/protocols/postgres/sql/bounded-truth.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { one } from './sample.ts'

beforeAll(loadParser)

function truth(condition: string): boolean | undefined {
  const stmt = one(`SELECT 1 FROM t WHERE ${condition}`)
  return 'SelectStmt' in stmt ? truthOf(stmt.SelectStmt.whereClause) : undefined
}

test.each([
  'true',
  '1 = 1',
  "'a' = 'a'",
  'id = id',
  't.id >= t.id',
  'NOT false',
  'id = 1 OR true',
  'id IS NULL OR id IS NOT NULL',
  'id = 1 OR id <> 1',
  'id = 1 OR NOT id = 1',
  "'t'::bool",
  "'yes'::boolean",
  '1::bool',
  "name LIKE '%'",
  'id IN (1, id)',
  'id = ANY(ARRAY[id])',
  'EXISTS (SELECT 1)',
  '1 < 2 AND 2 <> 3',
  'id BETWEEN id AND id',
  'true IS TRUE',
  'id IS NOT DISTINCT FROM id',
  'false IS NOT TRUE',
  '1 IS NOT NULL',
])('%s is true of every row', (condition) => {
  expect(truth(condition)).toBe(true)
})

test.each(['id = 1', "name LIKE 'a%'", 'id = other', 'false', '1 = 2', 'id <> id', 'NOT true'])(
  '%s is not',
  (condition) => {
    expect(truth(condition)).not.toBe(true)
  },
)
