import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Catalogue } from '../../../../../src/protocols/postgres/sql/catalogue.ts'
import {
  isTotalColumn,
  maskable,
  viewColumns,
} from '../../../../../src/protocols/postgres/sql/lineage/view-columns.ts'

/**
 * As PostgreSQL 15 keeps them, without places in the text. c: id, name, email, ssn varchar, n; o: id, cid, code;
 * 16384 and 16391 there.
 */
const KEPT = JSON.parse(readFileSync(new URL('view-trees.json', import.meta.url), 'utf8')) as {
  views: Record<string, string>
  routines: Record<string, string>
}

const NAMES: Record<string, string> = { 16384: 'c', 16391: 'o', 16396: 'v1' }

function shown(view: string): string[] | undefined {
  const columns = viewColumns(KEPT.views[view] ?? '', (oid) => KEPT.routines[oid])
  return (
    columns &&
    [...columns.values()].map((sources) =>
      sources.map((one) => `${NAMES[one.relation]}.${one.column}:${one.how}`).join(' '),
    )
  )
}

test.each([
  // SELECT id, email, upper(email), ssn || 'x', length(name) FROM c WHERE email LIKE 'a%'
  ['v1', ['c.1:same', 'c.3:same', 'c.3:total', 'c.4:total', 'c.2:total']],
  // SELECT v1.email, o.code, 1 / length(v1.email), CASE WHEN v1.email > 'm' THEN 1 END FROM v1 JOIN o
  ['v2', ['v1.2:same', 'o.3:same', 'v1.2:other', 'v1.2:other']],
  // SELECT email FROM c UNION ALL SELECT code FROM o
  ['v3', ['c.3:total o.3:total']],
  // WITH x AS (SELECT id, email FROM c) SELECT s.email, s.id FROM (SELECT * FROM x) s
  ['v4', ['c.3:same', 'c.1:same']],
  // SELECT id, (SELECT max(code) FROM o WHERE o.cid = c.id), count(email) OVER () FROM c
  ['v5', ['c.1:same', 'o.0:other c.1:other', 'c.3:other']],
  // SELECT * FROM c JOIN o USING (id)
  ['v6', ['c.1:same', 'c.2:same', 'c.3:same', 'c.4:same', 'c.5:same', 'o.2:same', 'o.3:same']],
  // SELECT max(email), count(*), string_agg(email, ','), row_to_json(c), min(name) FILTER (…) FROM c
  // The length of the greatest text tells which it is.
  ['v7', ['c.3:other', '', 'c.3:total', 'c.0:other', 'c.2:other c.3:other']],
  // WITH RECURSIVE r(a) AS (SELECT email FROM c UNION ALL SELECT a FROM r) SELECT a, 1 FROM r
  ['v8', ['c.0:other', '']],
  // SELECT column1, g FROM (VALUES (1), (2)) v, generate_series(1, 2) g
  ['v9', ['', '']],
  // SELECT id, coalesce(email, name), c, n::text, email::varchar(5) FROM c
  ['v10', ['c.1:same', 'c.3:total c.2:total', 'c.0:total', 'c.5:total', 'c.3:other']],
])('%s', (view, wanted) => {
  expect(shown(view)).toEqual(wanted)
})

test('what is no such tree, or not a whole one, shows anything', () => {
  const whole = KEPT.views.v1 ?? ''
  for (const text of ['', '({QUERY})x', '({OTHER})', whole.substring(0, 2000), `${whole} (`])
    expect(viewColumns(text, () => undefined)).toBeUndefined()
  expect(viewColumns(whole.replaceAll(':varno 3', ':varno 9'), () => undefined)).toBeUndefined()
})

test('a catalogue reads the tree of a view once, and knows built-in functions alone', () => {
  const view = { oid: 7, tree: KEPT.views.v1 }
  let asked = 0
  const routine = (oid: number) => {
    asked++
    return { schema: 'pg_catalog', name: KEPT.routines[oid] }
  }
  const catalogue = { epoch: 1, relation: (oid: number) => (oid === 7 ? view : undefined), routine }
  const { shows } = maskable(catalogue as unknown as Catalogue)
  expect(shows?.(7)?.get(3)).toEqual([{ relation: 16384, column: 3, how: 'total' }])
  const before = asked
  expect(shows?.(7)).toBe(shows?.(7))
  expect(asked).toBe(before)
  expect(shows?.(8)).toBeUndefined()
})

/** As PostgreSQL 18 keeps expressions of generated columns: `email` is the second column. */
const EMAIL = '{VAR :varno 1 :varattno 2 :vartype 25 :varnullingrels (b) :varlevelsup 0}'
const call = (oid: number, args: string) =>
  `{FUNCEXPR :funcid ${oid} :funcresulttype 25 :funcretset false :args (${args})}`
const LOWER = call(870, EMAIL)
const FAILS = `{OPEXPR :opno 528 :opfuncid 154 :opresulttype 23 :args (${call(1620, EMAIL)})}`

test.each([
  ['lower(email)', LOWER, true],
  ['email', EMAIL, true],
  ['1 / ascii(email)', FAILS, false],
  ['what is not known', call(99999, EMAIL), false],
  ['what is too large to be looked at', '', false],
  ['half a tree', LOWER.substring(0, 90), false],
])('a column that is computed by %s', (_, tree, isTotal) => {
  const names: Record<number, string> = { 870: 'lower', 1620: 'ascii', 154: 'int4div' }
  expect(isTotalColumn(tree, 16384, (oid) => names[oid])).toBe(isTotal)
})

test('a catalogue says which columns may fail when they are read', () => {
  const column = (number: number, computed?: string) => ({ number, computed })
  const table = { oid: 7, columns: [column(2), column(3, LOWER), column(4, FAILS), column(5, '')] }
  const relation = (oid: number) => (oid === 7 ? table : undefined)
  const routine = () => ({ schema: 'pg_catalog', name: 'lower' })
  const { mayFail } = maskable({ epoch: 1, relation, routine } as unknown as Catalogue)
  expect([2, 3, 4, 5, 6].map((number) => mayFail?.(7, number))).toEqual([
    false,
    false,
    true,
    true,
    false,
  ])
})
