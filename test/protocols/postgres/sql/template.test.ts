import { beforeAll, describe, expect, test } from 'vitest'
import { analyse } from '../../../../src/protocols/postgres/sql/analyse.ts'
import type { Analysis } from '../../../../src/protocols/postgres/sql/analysis.ts'
import { normalise } from '../../../../src/protocols/postgres/sql/normalise.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { fill, templateOf } from '../../../../src/protocols/postgres/sql/template.ts'
import { CLEAR } from './cached-sample.ts'

beforeAll(loadParser)

const direct = (text: string): Analysis => analyse(text, CLEAR)

function make(text: string) {
  return templateOf(text, normalise(text)!, { analysis: direct(text), analyse: direct })
}

describe('one template serves', () => {
  test.each([
    ['SELECT name FROM customers WHERE id = 1', 'SELECT name FROM customers WHERE id = 22'],
    ["SELECT name FROM customers WHERE name = 'a'", "SELECT name FROM customers WHERE name = 'éé'"],
    ['SELECT name FROM customers WHERE id = -1', 'SELECT name FROM customers WHERE id = -0'],
    [
      'UPDATE orders SET total = total + 5 WHERE id = 1',
      'UPDATE orders SET total = total + 1 WHERE id = 1',
    ],
    ["INSERT INTO orders VALUES (1, 2, 3, 'x')", "INSERT INTO orders VALUES (5, 5, 5, '5')"],
    ['DELETE FROM orders WHERE id IN (1, 2)', 'DELETE FROM orders WHERE id IN (007, 7)'],
  ])('%s: %s', (one, other) => {
    const template = make(one!)
    expect(template).toBeDefined()
    expect(fill(template!, other!, normalise(other!)!.values)).toEqual(direct(other!))
  })
})

describe('there is none where a literal may decide', () => {
  test.each([
    'SELECT 1',
    'SELECT name FROM customers LIMIT 1',
    'SELECT name FROM customers ORDER BY 1',
    'SELECT name FROM customers GROUP BY 1',
    'DELETE FROM orders WHERE 1 = 1',
    "SELECT set_config('a', 'b', false)",
    "SELECT name FROM customers WHERE lower(name) = upper('x')",
    "SELECT name FROM customers WHERE name LIKE '%'",
    "SELECT name FROM customers WHERE id = '1'::int",
    'DELETE FROM orders WHERE id = 1 OR id <> 1',
    'DELETE FROM orders WHERE id = 1 OR NOT id = 1',
    'SELECT 1 FROM orders WHERE 1 IN (1, 2)',
    'SELECT id FROM orders WHERE id BETWEEN 1 AND 2',
    'SELECT id FROM orders WHERE id = 1; SELECT id FROM orders WHERE id = 1',
    "SET search_path = 'x'",
    'PREPARE p AS SELECT 1 FROM orders WHERE id = 1',
    'SELECT id FROM orders TABLESAMPLE system (5)',
  ])('%s', (text) => {
    expect(make(text)).toBeUndefined()
  })
})
