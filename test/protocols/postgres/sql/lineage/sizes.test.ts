import { beforeAll, describe, expect, test } from 'vitest'
import {
  callShows,
  castShows,
  prints,
} from '../../../../../src/protocols/postgres/sql/lineage/sizes.ts'
import {
  columnValue,
  constant,
  derived,
  record,
} from '../../../../../src/protocols/postgres/sql/lineage/value.ts'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { findMasked } from '../sample.ts'

beforeAll(loadParser)

const column = (kind: string) =>
  columnValue({ label: 'c', relation: 1, column: 1, mask: undefined, unknown: true }, kind)
const made = (kind: string) => derived([column('text')], { how: 'total', kind })

test.each([
  ['a text', made('text'), true],
  ['a number as it is', column('int4'), true],
  ['a number that was computed', made('int4'), false],
  ['a truth value', column('bool'), false],
  ['a date, which is always as long', made('date'), true],
  ['an array as it is', column('int4[]'), true],
  ['an array that was made: some texts are quoted in it', made('text[]'), false],
  ['an address that was chosen', made('inet'), false],
  ['a row with a truth value', record([column('text'), column('bool')]), false],
  ['a row of texts', record([column('text'), made('text')]), true],
  ['what is not masked', constant('bool'), true],
  ['a time as the client says its zone', column('timestamptz'), false],
  ['several of such', column('timestamptz[]'), false],
  ['a row with such a time', record([column('text'), column('timestamptz')]), false],
  ['a number in as many digits as the client says', column('float8'), false],
  ['bytes in the form that the client says', column('bytea'), false],
  ['an interval in the style that the client says', column('interval'), false],
  ['such a time that is not masked', constant('timestamptz'), true],
])('%s may be printed: %s', (_, value, wanted) => {
  expect(prints(value)).toBe(wanted)
})

test('into jsonb a truth value goes as it is', () => {
  expect(prints(column('bool'), 'jsonb')).toBe(true)
  expect(callShows('to_jsonb', [column('bool')])).toBe(false)
  expect(callShows('to_json', [column('bool')])).toBe(true)
})

test('no function and no cast prints what the settings of a client decide the length of', () => {
  for (const kind of ['timestamptz', 'float4', 'float8', 'bytea', 'interval']) {
    expect(castShows(column(kind), 'text')).toBe(true)
    for (const name of ['concat', 'to_json', 'to_jsonb', 'row_to_json', 'json_agg', 'jsonb_agg'])
      expect(callShows(name, [column(kind)])).toBe(true)
    expect(callShows('array_to_string', [column(`${kind}[]`), constant('text')])).toBe(true)
  }
  expect(callShows('array_to_string', [column('text[]'), constant('text')])).toBe(false)
  expect(castShows(column('timestamp'), 'text')).toBe(false)
})

test('a cast to numeric writes as many digits as a number has', () => {
  expect(castShows(column('int4'), 'numeric')).toBe(false)
  expect(castShows(made('int8'), 'numeric')).toBe(true)
  expect(castShows(made('int8'), 'float8')).toBe(false)
})

describe('no length of what is made tells what a masked column holds', () => {
  test.each([
    "SELECT (email = 'a')::text FROM customers",
    "SELECT 'x' || (email < 'm') FROM customers",
    "SELECT concat(email < 'm') FROM customers",
    "SELECT json_build_array(email = 'a') FROM customers",
    "SELECT row_to_json(s) FROM (SELECT email = 'a' AS b FROM customers) s",
    "SELECT json_agg(s) FROM (SELECT email = 'a' AS b FROM customers) s",
    "SELECT to_json(starts_with(email, 'a')) FROM customers",
    "SELECT translate(substr(email, 1, 1), 'a', '') FROM customers",
    "SELECT btrim(email, 'a') FROM customers",
    'SELECT quote_ident(substr(email, 1, 1)), quote_literal(email) FROM customers',
    'SELECT ARRAY[substr(email, 1, 1)]::text FROM customers',
    "SELECT min(e) FROM (SELECT email AS e FROM customers UNION ALL SELECT 'mmm') s",
    'SELECT length(email)::text FROM customers',
    'SELECT to_hex(length(email)) FROM customers',
    'SELECT coalesce(sum(length(email)), 1.5::numeric) FROM customers',
    'SELECT ARRAY[sum(length(email)), 1.5::numeric] FROM customers',
    'SELECT avg(length(email)) FROM customers',
    'SELECT json_typeof(to_json(email)) FROM customers',
    'SELECT to_json(substr(email, 3, 1)) FROM customers',
    'SELECT to_jsonb(substr(email, 3, 1))::text FROM customers',
    'SELECT json_build_array(1, left(email, 1)) FROM customers',
    'SELECT row_to_json(s) FROM (SELECT id, substr(email, 3, 1) AS c FROM customers) s',
    'SELECT json_agg(substr(email, 3, 1)) FROM customers',
  ])('%s', (text) => {
    expect(findMasked(text).refusal).toBeDefined()
  })

  test.each([
    "SELECT email = 'a', length(email), sum((email = 'a')::int) FROM customers",
    "SELECT upper(email) || 'x', concat(email, ssn), to_json(email) FROM customers",
    'SELECT min(email), max(length(email)), trim(email), md5(email) FROM customers',
    'SELECT row_to_json(c), to_jsonb(c) FROM customers c',
    "SELECT array_to_string(ARRAY[upper(email), name], ',') FROM customers",
    "SELECT translate(name, 'a', ''), (name = 'a')::text, min(upper(name)) FROM customers GROUP BY 1, 2",
    "SELECT translate(name, 'a', '') || email FROM customers",
  ])('%s passes', (text) => {
    expect(findMasked(text).refusal?.reason).toBeUndefined()
  })
})

/** Who may write puts known rows beside a hidden one: then the greatest text is as long as one of the two, a sum as its digits. */
describe('what one of several values is, or how large a sum, is told by no length', () => {
  test.each([
    'SELECT id, max(email) FROM customers GROUP BY id',
    'SELECT max(email), generate_series(1, 9) AS n FROM customers ORDER BY n % 2',
    'SELECT max(email) OVER (PARTITION BY id) FROM customers',
    'SELECT o.id, x.m FROM orders o JOIN (SELECT min(email) AS m FROM customers GROUP BY id) x ON true',
    'WITH x AS (SELECT max(upper(name) || email) FROM customers) SELECT * FROM x',
    'SELECT id, (SELECT max(email) FROM customers) FROM orders',
    'SELECT id, length((SELECT max(email) FROM customers)::text) FROM orders',
    'SELECT s.j FROM (SELECT to_json(max(email)) AS j FROM customers) s',
    'SELECT r FROM (SELECT ROW(max(email), 1) AS r FROM customers) s',
    'SELECT max(email) FROM customers UNION ALL SELECT min(email) FROM customers',
    'SELECT s FROM (SELECT sum(salary) AS s FROM pay GROUP BY id) x',
    'SELECT id, avg(grade) FROM pay GROUP BY id',
  ])('%s', (text) => {
    expect(findMasked(text).refusal).toBeDefined()
  })

  test.each([
    'SELECT max(email), upper(min(email)), count(*) FROM customers WHERE id < 5',
    'SELECT sum(salary), avg(grade) FROM pay',
    'SELECT id, sum(grade), max(grade), max(salary), count(salary) FROM pay GROUP BY id ORDER BY id % 2',
    'SELECT id, string_agg(email, $$,$$), array_agg(email) FROM customers GROUP BY id',
    'SELECT id, max(name) FROM customers GROUP BY id',
  ])('%s passes', (text) => {
    expect(findMasked(text).refusal?.reason).toBeUndefined()
  })
})

/** In Turkish `i` is two bytes long when it is turned: `upper(substr(email, 3, 1))` says whether there is one. */
describe('letters are turned by no collation that a client chose', () => {
  test.each([
    'SELECT upper(email COLLATE "tr-x-icu") FROM customers',
    'SELECT lower(substr(email COLLATE "tr-x-icu", 3, 1)) FROM customers',
    'SELECT upper(e) FROM (SELECT email COLLATE "tr-x-icu" AS e FROM customers) s',
    'SELECT upper(email || (name COLLATE "tr-x-icu")) FROM customers',
    'SELECT upper(email || (\'\' COLLATE "tr-x-icu")) FROM customers',
    'SELECT initcap(concat(email, c.orders)) FROM customers, contacts c',
    'SELECT upper(email || x) FROM customers, json_to_record($$[]$$) AS t(x text COLLATE "tr-x-icu")',
    'SELECT upper(email COLLATE public."C") FROM customers',
  ])('%s', (text) => {
    expect(findMasked(text).refusal).toBeDefined()
  })

  test.each([
    'SELECT upper(email), lower(email || $$x$$), initcap(email COLLATE "C") FROM customers',
    'SELECT email COLLATE "tr-x-icu", upper(name COLLATE "tr-x-icu") FROM customers',
    'SELECT upper(email COLLATE pg_catalog."default"), lower(customers.email) FROM customers',
    'SELECT upper(name || notes || c.orders) FROM customers, contacts c',
  ])('%s passes', (text) => {
    expect(findMasked(text).refusal?.reason).toBeUndefined()
  })
})
