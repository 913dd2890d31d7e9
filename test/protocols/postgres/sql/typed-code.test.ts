import { beforeAll, expect, test } from 'vitest'
import type { Relation } from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import {
  typeRunsCode,
  unifies,
  viewRunsTypes,
} from '../../../../src/protocols/postgres/sql/typed-code.ts'
import { classes, NAMES, namesOf, PARTS, relation } from './catalogue-sample.ts'

beforeAll(loadParser)

const CHECKED = 40002
const HOLDER = 40003
const MOOD = 40001

function typed(oid: number, name: string, typeOid: number): Relation {
  const columns = [{ number: 1, name: 'v', typeOid, notNull: false, generatedFrom: [] }]
  return relation(oid, name, { columns })
}

const names = namesOf({
  relations: [
    ...PARTS.relations,
    typed(20101, 'checks', CHECKED),
    typed(20102, 'holders', HOLDER),
    typed(20103, 'moods', MOOD),
  ],
})

test.each([
  ['SELECT v, upper(v), count(*) FROM checks GROUP BY v', 'read'],
  ["SELECT * FROM checks WHERE v = 'x' OR v IN ('y')", 'read'],
  ["SELECT coalesce(v, 'x') FROM checks UNION ALL SELECT 'x'", 'read'],
  ["SELECT ARRAY[v] || '{x}' FROM checks", 'read execute'],
  ["SELECT ARRAY(SELECT v FROM checks) || '{x}'", 'read execute'],
  ["SELECT lag(s.v, 1, 'x') OVER () FROM (SELECT v FROM checks) s", 'read execute'],
  ["SELECT coalesce(c, '(x)') FROM checks c", 'read execute'],
  ['SELECT v FROM holders', 'read execute'],
  ["SELECT ARRAY[v] || '{good}', lag(v, 1, 'bad') OVER () FROM moods m", 'read'],
  ["INSERT INTO holders VALUES ('(x)')", 'write'],
])('%s: %s', (text, wanted) => {
  expect(classes(text, { names })).toBe(wanted)
})

test('what makes arrays, or gives a literal the type of an argument', () => {
  for (const name of ['array_append', 'array_agg', 'lead', 'jsonb_populate_record'])
    expect(unifies(name)).toBe(true)
  for (const name of ['count', 'upper', 'coalesce', 'to_json']) expect(unifies(name)).toBe(false)
})

test('a view runs the types that its tree casts to', () => {
  const trust = { names: NAMES, functionsRead: [] }
  const view = (tree?: string) => ({ ...relation(20110, 'v', { kind: 'v' }), tree })
  expect(viewRunsTypes(trust, view(`{COERCETODOMAIN :resulttype ${CHECKED} :location 1}`))).toBe(
    true,
  )
  expect(viewRunsTypes(trust, view('{JSONRETURNING :typid 40003}'))).toBe(true)
  expect(viewRunsTypes(trust, view('{RELABELTYPE :resulttype 25}'))).toBe(false)
  expect(viewRunsTypes(trust, view(`{VAR :vartype ${CHECKED}}`))).toBe(false)
  expect(viewRunsTypes(trust, view())).toBe(false)
  const read = { ...trust, functionsRead: ['public.evil'] }
  expect(viewRunsTypes(read, view(`{COERCETODOMAIN :resulttype ${CHECKED}}`))).toBe(false)
})

test('a type that nobody knows may run anything', () => {
  const trust = { names: NAMES, functionsRead: [] }
  expect([25, MOOD, CHECKED, HOLDER, 49999].map((oid) => typeRunsCode(trust, oid))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ])
})
