import { beforeAll, expect, test } from 'vitest'
import { readSchema } from '../../src/policy/schema-catalogue.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'

beforeAll(loadParser)

function relation(schema: string, name: string) {
  const { names, problems } = readSchema(schema)
  expect(problems).toEqual([])
  return names.catalogue.relationByName('public', name)!
}

test('columns have the types that are written, and those of their own schema', () => {
  const schema = `CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN mail AS text;
    CREATE TABLE t (a int, b text[], c numeric(10, 2) NOT NULL, d mood, e mail, f timestamptz, g serial)`
  const { columns } = relation(schema, 't')
  expect(columns.map(({ typeOid }) => typeOid).map((oid) => (oid > 16384 ? 'own' : oid))).toEqual([
    23,
    1009,
    1700,
    'own',
    'own',
    1184,
    23,
  ])
  expect(columns.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(columns[2]?.notNull).toBe(true)
})

test('children have the columns of their parents, each way', () => {
  const schema = 'CREATE TABLE a (x int); CREATE TABLE b (y int) INHERITS (a)'
  expect(relation(schema, 'b').columns.map(({ name }) => name)).toEqual(['x', 'y'])
  expect(relation(schema, 'a').children).toEqual([relation(schema, 'b').oid])
})

test('views name their outputs and what they read', () => {
  const schema = `CREATE TABLE a (id int, x text, z text);
    CREATE VIEW v (first) AS SELECT id, upper(x), a.z AS last, 1 FROM a;
    CREATE VIEW w AS SELECT v.*, a.x FROM v JOIN a ON true;`
  expect(relation(schema, 'v').columns.map(({ name }) => name)).toEqual([
    'first',
    'upper',
    'last',
    '?column?',
  ])
  expect(relation(schema, 'w').columns.map(({ name }) => name)).toEqual([
    'first',
    'upper',
    'last',
    '?column?',
    'x',
  ])
  expect(relation(schema, 'v').reads.map(({ column }) => column)).toEqual([1, 2, 3])
})

test('unique indexes are keys; beside the columns of a partial one or an expression something else decides', () => {
  const schema = `CREATE TABLE a (id int, x text);
    CREATE UNIQUE INDEX one ON a (id); CREATE UNIQUE INDEX two ON a (x) WHERE id > 1;
    CREATE UNIQUE INDEX three ON a (lower(x)); CREATE INDEX four ON a (x);
    CREATE TABLE b (id int, EXCLUDE (id WITH =));`
  expect(relation(schema, 'a').uniqueKeys).toEqual([[1], [0], [0]])
  expect(relation(schema, 'b').uniqueKeys).toEqual([[0]])
})

test('a generated column knows what it is made of', () => {
  const schema = 'CREATE TABLE a (x text, y text GENERATED ALWAYS AS (upper(x)) STORED)'
  expect(relation(schema, 'a').columns[1]?.generatedFrom).toEqual([1])
})
