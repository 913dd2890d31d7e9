import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['SELECT * FROM pairs p, contacts c', ['a', 'b', 'c', 'email', 'orders']],
  ['SELECT * FROM pairs JOIN pairs q USING (a)', ['a', 'b', 'c', 'b', 'c']],
  ['SELECT * FROM pairs NATURAL JOIN pairs q', ['a', 'b', 'c']],
  ['SELECT j.x, j.b FROM (pairs JOIN contacts ON true) AS j(x)', ['x', 'b']],
  ['SELECT * FROM generate_series(1, 2) g', ['g']],
  ['SELECT * FROM unnest(ARRAY[1]) WITH ORDINALITY AS u', ['u', 'ordinality']],
  ["SELECT * FROM json_to_record('{}') AS r(a int, b text)", ['a', 'b']],
  ['SELECT s.* FROM pairs, LATERAL (SELECT a AS l) s', ['l']],
  [
    `SELECT * FROM JSON_TABLE(jsonb '{}', '$' COLUMNS (n FOR ORDINALITY, NESTED PATH '$.c' COLUMNS (z text), a int,
      e bool EXISTS PATH '$.b')) AS x (first)`,
    ['first', 'a', 'e', 'z'],
  ],
  [
    "SELECT * FROM XMLTABLE('/a' PASSING xml '<a/>' COLUMNS i FOR ORDINALITY, a int PATH '.') x",
    ['i', 'a'],
  ],
])('%s', (text, names) => {
  expect(shown(text)?.map((one) => one.split(' ')[0])).toEqual(names)
})

test('USING makes one column of two, which both decide', () => {
  expect(shown('SELECT a FROM pairs JOIN pairs q USING (a)')).toEqual(['a total pairs.a'])
  expect(lineage('SELECT 1 FROM customers JOIN contacts USING (email)').refusal).toBeDefined()
  expect(lineage('SELECT 1 FROM customers NATURAL JOIN contacts').refusal).toBeDefined()
})

test('columns of a function that nobody knows leave places open', () => {
  expect(shown("SELECT * FROM json_each('{}')")).toBeUndefined()
  expect(lineage('SELECT * FROM upper((SELECT email FROM customers)) u').refusal).toBeDefined()
  expect(lineage('SELECT key, email FROM customers, json_each($1) e').refusal).toBeUndefined()
  const into = "SELECT 1 FROM customers, JSON_TABLE(to_jsonb(email), '$' COLUMNS (a text)) j"
  expect(lineage(into).refusal).toBeDefined()
  const past = `SELECT 1 FROM customers, JSON_TABLE(jsonb '1', '$' COLUMNS (a text DEFAULT email ON EMPTY)) j`
  expect(lineage(past).refusal).toBeDefined()
})

test('only LATERAL sees its neighbours', () => {
  const text = 'SELECT x FROM contacts, (SELECT email AS x FROM customers) s'
  expect(shown(text)).toEqual(['x identity customers.email'])
})
