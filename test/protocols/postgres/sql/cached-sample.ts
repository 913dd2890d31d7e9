/**
 * Pure. Statements for the facts cache: shapes × literals, some of which decide what the shape means.
 */
import fc from 'fast-check'
import type { AnalyseOptions, Names } from '../../../../src/protocols/postgres/sql/analysis.ts'
import { catalogueOf } from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { MASKED, RELATIONS } from './sample.ts'

const CATALOGUE = catalogueOf({
  serverVersion: 150018,
  epoch: 1,
  relations: RELATIONS,
  routines: [],
  operators: [],
  types: [],
  casts: [],
  builtIn: {
    routines: new Set(['length', 'lower', 'upper', 'set_config']),
    volatile: new Set(['set_config']),
    operators: new Set(['=', '<>', '<', '>=', '+', '||', '~~', '-']),
    types: new Set(['bool', 'int4', 'text', 'interval', 'regclass']),
  },
})

const NAMES: Names = {
  catalogue: CATALOGUE,
  searchPath: ['pg_catalog', 'public'],
  currentUser: 'app',
  own: [],
  key: 'names',
  encoding: 'utf8',
  standardConformingStrings: true,
}

export const CLEAR: AnalyseOptions = {
  names: NAMES,
  masked: undefined,
  functionsRead: [],
  identityParameter: undefined,
}

export const HIDING: AnalyseOptions = { ...CLEAR, masked: MASKED }

const INTEGER = fc.constantFrom('0', '1', '2', '7', '007', '42', '999999999', '2147483648')
const STRING = fc.constantFrom(
  "''",
  "'x'",
  "'t'",
  "'%'",
  "'role'",
  "'off'",
  "'1'",
  "'it''s'",
  "'é'",
)
const LITERAL = fc.oneof(
  INTEGER,
  STRING,
  fc.nat(20).map(String),
  fc.constantFrom('-5', '1.5', 'NULL'),
)
const COLUMN = fc.constantFrom('id', 'name', 'customers.id', 'email', 'ctid')
const COMPARISON = fc.constantFrom('=', '<>', '<', '>=', 'LIKE', 'IS DISTINCT FROM', '+', '||')

const TERM = fc.oneof(
  fc.tuple(COLUMN, COMPARISON, LITERAL).map((parts) => parts.join(' ')),
  fc.tuple(LITERAL, COMPARISON, LITERAL).map((parts) => parts.join(' ')),
  fc.tuple(LITERAL, fc.constant('='), COLUMN).map((parts) => parts.join(' ')),
  fc.tuple(COLUMN, LITERAL, LITERAL).map(([column, a, b]) => `${column} IN (${a}, ${b})`),
  fc.tuple(LITERAL, LITERAL, LITERAL).map(([a, b, c]) => `${a} IN (${b}, ${c})`),
  fc.tuple(LITERAL).map(([a]) => `${a}::bool`),
  fc.tuple(LITERAL).map(([a]) => `length(${a}) = id`),
  fc.tuple(COLUMN, LITERAL).map(([column, a]) => `${column} = ANY(ARRAY[${a}])`),
  fc.tuple(COLUMN, LITERAL, LITERAL).map(([column, a, b]) => `${column} BETWEEN ${a} AND ${b}`),
  fc.tuple(LITERAL).map(([a]) => `EXISTS (SELECT 1 FROM orders WHERE total = ${a})`),
  fc.constantFrom('true', 'id = id', 'id IS NOT NULL'),
)
const WHERE = fc.oneof(
  TERM,
  fc.tuple(TERM, TERM).map((parts) => parts.join(' AND ')),
  fc.tuple(TERM, TERM).map((parts) => parts.join(' OR ')),
  // Always true only where both literals are the same.
  fc.tuple(fc.nat(2), fc.nat(2)).map(([a, b]) => `id = ${a} OR id <> ${b}`),
  fc.tuple(fc.nat(2), fc.nat(2)).map(([a, b]) => `id = ${a} OR NOT id = ${b}`),
  TERM.map((term) => `NOT (${term})`),
)

/** One text; its literals vary apart from its shape only by chance, so that shapes meet again. */
export const TEXT: fc.Arbitrary<string> = fc.oneof(
  WHERE.map((where) => `SELECT id FROM customers WHERE ${where}`),
  WHERE.map((where) => `DELETE FROM customers WHERE ${where}`),
  fc.tuple(LITERAL, WHERE).map(([a, b]) => `UPDATE customers SET name = ${a} WHERE ${b}`),
  fc.tuple(LITERAL, WHERE).map(([a, b]) => `UPDATE customers SET id = id + ${a} WHERE ${b}`),
  fc
    .tuple(LITERAL, LITERAL)
    .map(([a, b]) => `INSERT INTO customers (id, name) VALUES (${a}, ${b})`),
  fc
    .tuple(LITERAL, LITERAL)
    .map(([a, b]) => `INSERT INTO orders SELECT ${a} FROM customers LIMIT ${b}`),
  fc.tuple(INTEGER).map(([a]) => `SELECT email, name FROM customers ORDER BY ${a}`),
  fc.tuple(INTEGER).map(([a]) => `SELECT email, name FROM customers GROUP BY ${a}`),
  fc.tuple(LITERAL, LITERAL).map(([a, b]) => `SELECT set_config(${a}, ${b}, false)`),
  fc.tuple(LITERAL).map(([a]) => `SET search_path = ${a}`),
  fc.tuple(LITERAL).map(([a]) => `SELECT interval ${a}`),
  fc.tuple(LITERAL).map(([a]) => `SELECT ${a}::regclass`),
  fc.tuple(LITERAL, WHERE).map(([a, b]) => `SELECT id FROM customers WHERE ${b}; SELECT ${a}`),
  fc
    .tuple(LITERAL, LITERAL)
    .map(([a, b]) => `SELECT id /* ${a} */ FROM customers WHERE id = ${b} -- x`),
)
