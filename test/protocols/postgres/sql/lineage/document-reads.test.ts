import { beforeAll, expect, test } from 'vitest'
import type { ColumnMask } from '../../../../../src/mask/plan.ts'
import { maskedColumns } from '../../../../../src/mask/resolve-masks.ts'
import { catalogueOf } from '../../../../../src/protocols/postgres/sql/catalogue.ts'
import { INITDB } from '../../../../../src/protocols/postgres/sql/initdb-names.ts'
import { maskFinding } from '../../../../../src/protocols/postgres/sql/masked.ts'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { NAMES, one, RELATIONS } from '../sample.ts'

beforeAll(loadParser)

const DOCS = {
  ...RELATIONS[1]!,
  oid: 20050,
  name: 'docs',
  columns: [23, 3802, 114, 3807, 25].map((typeOid, at) => ({
    number: at + 1,
    name: ['id', 'd', 'j', 'many', 't'][at]!,
    typeOid,
    notNull: false,
    generatedFrom: [],
  })),
}
const CATALOGUE = catalogueOf({
  serverVersion: 180000,
  epoch: 1,
  relations: [...RELATIONS, DOCS],
  routines: [],
  operators: [],
  types: [],
  casts: [],
  builtIn: INITDB,
})

const hides = (...paths: [path: string, monitor?: boolean][]): ColumnMask => ({
  transform: {
    type: 'paths',
    paths: paths.map(([path, monitor = false]) => ({
      path: path.split('.').filter((key) => key !== ''),
      transform: { type: 'redact' },
      monitor,
      name: `public.docs.d->'${path}'`,
    })),
  },
  inPredicates: 'deny',
  derived: 'mask',
  monitor: paths.every(([, monitor]) => monitor === true),
  rule: 'p/mask-1',
  name: 'public.docs.d',
})

/** d hides `card`, `a.b` and, only in the record, `name`; j, many and t hide `card`. */
function find(text: string) {
  const rest = hides(['card'])
  const own = hides(['card'], ['a.b'], ['name', true])
  const columns = new Map([
    [2, own],
    [3, rest],
    [4, rest],
    [5, rest],
  ])
  const masked = maskedColumns(new Map([[20050, columns]]), 'key')
  const names = { ...NAMES, catalogue: CATALOGUE }
  const options = { names, masked, functionsRead: [], identityParameter: undefined }
  return maskFinding(one(text), options, ['read'])
}

/** `clear`, `watched` (hidden in the record), `hidden`, `parts`, or `refused`. */
function output(expression: string): string {
  const { refusal, outputs } = find(`SELECT ${expression} FROM docs`)
  if (refusal !== undefined) return 'refused'
  const [mask] = outputs ?? []
  if (mask === null || mask === undefined) return 'clear'
  if (mask.monitor) return 'watched'
  return mask.transform.type === 'paths' ? 'parts' : 'hidden'
}

test.each([
  ["d->'other'", 'clear'],
  ["d->>'other'", 'clear'],
  ["docs.d->>'other'::text", 'clear'],
  ["(d->'order')->>'total'", 'clear'],
  ["d->'a'->'c'", 'clear'],
  ["d->'a'->0->'c'", 'clear'],
  ["d->0->'other'", 'clear'],
  ["d->'x'->'card'", 'clear'],
  ["d OPERATOR(pg_catalog.->) 'other'", 'clear'],
  ["d#>'{a,c}'", 'clear'],
  ["d#>>'{order,0,total}'", 'clear'],
  ["d#>ARRAY['a','c']", 'clear'],
  ["d#>'{a,c}'::text[]", 'clear'],
  ["jsonb_extract_path(d, 'a', 'c')", 'clear'],
  ["jsonb_extract_path_text(d, 'other')", 'clear'],
  ["d['other']", 'clear'],
  ["d['a']['c']", 'clear'],
  ["(d->'other') || (d->'more')", 'clear'],
  ["d->'other' || d->'more'", 'refused'],
  ["(d->>'other')::int + 1", 'clear'],
  ["upper(d->>'other')", 'clear'],
  ["d ? 'card'", 'clear'],
  ["d->'a' ? 'b'", 'clear'],
  [`d @> '{"other": 1}'`, 'clear'],
  [`d @> '{"a": {"c": [1, {"x": 2}]}}'::jsonb`, 'clear'],
  [`d->'order' @> '{"card": 1}'`, 'clear'],
  ["jsonb_array_elements(d->'items')", 'clear'],
  ["JSON_VALUE(d, '$.other')", 'clear'],
  ["JSON_VALUE(d, 'strict $.a.c' RETURNING int DEFAULT 1 ON EMPTY ERROR ON ERROR) + 1", 'clear'],
  ["JSON_QUERY(d, '$.items[*]' WITH WRAPPER)", 'clear'],
  ["JSON_QUERY(d->'a', '$.c')", 'clear'],
  ["JSON_EXISTS(d, '$.a')", 'clear'],
  ["upper(JSON_VALUE(d, '$.a.c'))", 'clear'],
  ["JSON_VALUE(d, '$.name')", 'watched'],
  ["d->>'name'", 'watched'],
  ["d#>>'{name,first}'", 'watched'],
  ['d', 'parts'],
  // Everything from here on reads what is hidden, or nobody can tell that it does not.
  ["JSON_VALUE(d, '$.card')", 'refused'],
  ["JSON_VALUE(d, '$[*].card')", 'refused'],
  ["JSON_VALUE(d, 'lax $.a.b')", 'refused'],
  ["JSON_QUERY(d, '$.a')", 'refused'],
  ["JSON_QUERY(d, '$')", 'refused'],
  ["JSON_QUERY(d->'a', '$.b')", 'refused'],
  ["JSON_QUERY(d, '$.*')", 'refused'],
  ["JSON_QUERY(d, '$.**.card')", 'refused'],
  ["JSON_EXISTS(d, '$.card')", 'refused'],
  [`JSON_EXISTS(d, '$.other ? ($.card starts with "z")')`, 'refused'],
  ["JSON_VALUE(d, '$.other' DEFAULT d::text ON EMPTY)", 'refused'],
  ["JSON_VALUE(d, '$.other' PASSING d AS x)", 'refused'],
  ["JSON_VALUE(d, ('$.ca' || 'rd')::jsonpath)", 'refused'],
  ["JSON_VALUE(d, '$.other' DEFAULT (SELECT t FROM docs LIMIT 1) ON ERROR)", 'refused'],
  ["JSON_VALUE(j, '$.other')", 'refused'],
  ["JSON_VALUE(d FORMAT JSON, '$.other')", 'refused'],
  ["d->'card'", 'refused'],
  ["d->>'card'", 'refused'],
  ["d->'card'->>'number'", 'refused'],
  ["d->'a'", 'refused'],
  ["d->'a'->0", 'refused'],
  ["d->'a'->'b'->'c'", 'refused'],
  ["d->'a'->0->'b'", 'refused'],
  ['d->0', 'refused'],
  ["d->0->'card'", 'refused'],
  ["d#>'{0,card}'", 'refused'],
  ["d#>'{a}'", 'refused'],
  ["d#>'{}'", 'refused'],
  ['d#>\'{"card"}\'', 'refused'],
  ["d#>'{ca\\rd}'", 'refused'],
  ["d#>'{x,NULL}'", 'refused'],
  ["d#>ARRAY['card']", 'refused'],
  ["jsonb_extract_path(d, 'card')", 'refused'],
  ["jsonb_extract_path(d, VARIADIC ARRAY['other'])", 'refused'],
  ['jsonb_extract_path(d)', 'refused'],
  ["d['card']", 'refused'],
  ["d['other':'x']", 'refused'],
  ["d['a']", 'refused'],
  ['d->$1', 'refused'],
  ["d->lower('other')", 'refused'],
  ["d->('ca' || 'rd')", 'refused'],
  ['d->(d->>0)', 'refused'],
  ['d->t', 'refused'],
  ["d->'card' ? 'number'", 'refused'],
  [`d @> '{"card": 1}'`, 'refused'],
  [`d @> '{"card": {}}'`, 'refused'],
  [`d @> '[{"card": 1}]'`, 'refused'],
  [`d @> '{"a": {"b": 1}}'`, 'refused'],
  [`d @> '{"other": 1, "card": 1}'`, 'refused'],
  [`d @> '{"\\u0063ard": 1}'`, 'refused'],
  [`d @> '{'`, 'refused'],
  ['d @> $1', 'refused'],
  [`d <@ '{"other": 1}'`, 'refused'],
  ["d @? '$.other'", 'refused'],
  ["jsonb_path_query(d, '$.other')", 'refused'],
  ['jsonb_each(d)', 'refused'],
  ["d - 'card'", 'refused'],
  ['jsonb_pretty(d)', 'refused'],
  ["jsonb_set(d, '{x}', '1')", 'refused'],
  ["coalesce(d, '{}')->'other'", 'refused'],
  // Through the list of total functions it comes back, hidden whole.
  ['d::text', 'hidden'],
  ['row_to_json(docs)', 'hidden'],
  ['to_jsonb(docs)', 'refused'],
  ['jsonb_agg(d)', 'hidden'],
  ['count(d)', 'hidden'],
  ['md5(d::text)', 'hidden'],
  // Reading json takes all of the text apart, and arrays and texts are no documents.
  ["j->'other'", 'refused'],
  ["j->>'other'", 'refused'],
  ["many->'other'", 'refused'],
  ["t->'other'", 'refused'],
])('%s: %s', (expression, wanted) => {
  expect(output(expression)).toBe(wanted)
})

test.each([
  "SELECT id FROM docs WHERE d->>'other' = 'x'",
  "SELECT d->>'other', count(*) FROM docs GROUP BY 1 ORDER BY 1",
  "SELECT id FROM docs ORDER BY d->'a'->'c'",
  `SELECT d FROM docs WHERE d @> '{"other": 1}' AND d ? 'card'`,
  "SELECT DISTINCT d->>'other' FROM docs",
  "SELECT x.d->>'other' FROM (SELECT d FROM docs) x JOIN docs y ON x.d->>'k' = y.d->>'k'",
  "WITH x AS (SELECT d AS e FROM docs) SELECT e->'other' FROM x WHERE e['other'] IS NOT NULL",
  "SELECT i FROM docs, jsonb_array_elements(d->'items') i",
  "INSERT INTO orders (id, status) SELECT id, d->>'status' FROM docs",
  "UPDATE orders SET status = d->>'status' FROM docs",
  "SELECT id FROM docs WHERE d->>'name' = 'Ada'",
  "UPDATE docs SET d['other'] = '1'",
  "UPDATE docs SET d['a']['c'][0] = '1'",
  "UPDATE docs SET d['card'] = '1'",
  "INSERT INTO docs (id, d) VALUES (1, '{}') ON CONFLICT (id) DO UPDATE SET d['name']['first'] = '1'",
])('passes: %s', (text) => {
  expect(find(text)).toMatchObject({ touches: true, refusal: undefined })
})

test.each([
  "SELECT id FROM docs WHERE d->>'card' = '4'",
  "SELECT id FROM docs WHERE d->'a' = '{}'",
  `SELECT id FROM docs WHERE d @> '{"card": 1}'`,
  "SELECT id FROM docs WHERE d = '{}'",
  'SELECT id FROM docs ORDER BY d',
  'SELECT DISTINCT d FROM docs',
  "SELECT id FROM docs WHERE d->>$1 = '4'",
  'SELECT i FROM docs, jsonb_each(d) i',
  'INSERT INTO orders (id, status) SELECT id, d::text FROM docs',
  "UPDATE docs SET t = d->>'card'",
  "UPDATE docs SET d = d || '{}'",
  // Whether these fail says what stands there.
  "UPDATE docs SET d['card']['x'] = '1'",
  "UPDATE docs SET d['card'][-5] = '1' WHERE id = 1",
  "UPDATE docs SET d['a']['b']['c'] = '1'",
  "UPDATE docs SET d[0]['card']['c'] = '1'",
  "UPDATE docs SET d[$1]['x'] = '1'",
  "UPDATE docs SET many[1] = '{}'",
  "UPDATE docs SET (t, d['card']['x']) = ('x', '1')",
  "INSERT INTO docs (id, d) VALUES (1, '{}') ON CONFLICT (id) DO UPDATE SET d['card']['x'] = '1'",
  "MERGE INTO docs USING orders o ON docs.id = 1 WHEN MATCHED THEN UPDATE SET d['card']['x'] = '1'",
  "SELECT x->'other' FROM (SELECT d AS x FROM docs UNION ALL SELECT j::jsonb FROM docs) y",
])('refused: %s', (text) => {
  expect(find(text).refusal).toBeDefined()
})

test('a number in a subscript is a key of an object too, and behind an arrow a place alone', () => {
  const masked = maskedColumns(new Map([[20050, new Map([[2, hides(['1'])]])]]), 'key')
  const names = { ...NAMES, catalogue: CATALOGUE }
  const options = { names, masked, functionsRead: [], identityParameter: undefined }
  const told = (text: string) =>
    maskFinding(one(`SELECT ${text} FROM docs`), options, ['read']).refusal === undefined
  for (const text of ["d[1]['x']", "d[1]->'x'", "d[0][1]['x']", "d[1::int]['x']", "d['1']['x']"])
    expect([text, told(text)]).toEqual([text, false])
  for (const text of ["d[2]['x']", "d->1->'x'", "d[0]['x']"])
    expect([text, told(text)]).toEqual([text, true])
})

test('a mask of the whole that only monitors hides every part in the record', () => {
  const masked = maskedColumns(
    new Map([[20050, new Map([[2, hides(['card'], ['', true])]])]]),
    'key',
  )
  const names = { ...NAMES, catalogue: CATALOGUE }
  const options = { names, masked, functionsRead: [], identityParameter: undefined }
  const found = maskFinding(one("SELECT d->'other' FROM docs"), options, ['read'])
  expect(found).toMatchObject({ refusal: undefined, outputs: [{ monitor: true }] })
})
