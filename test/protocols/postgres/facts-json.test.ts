import { expect, test } from 'vitest'
import type { Action } from '../../../src/decide/action.ts'
import type { SqlFacts } from '../../../src/decide/facts/sql.ts'
import { factsJson } from '../../../src/protocols/postgres/facts-json.ts'

const FACTS: SqlFacts = {
  commands: ['SELECT'],
  tags: ['SELECT'],
  tables: ['public.customers'],
  tables_written: [],
  columns: ['public.customers.name'],
  functions: [],
  writes: false,
  bounded: true,
  by_key: true,
  has_where: true,
  where_always_true: false,
  literals: ['42'],
  statements: 1,
  in_transaction: false,
  copy: '',
  params: [],
  triggers: [],
}

const ACTION: Action = {
  protocol: 'postgres',
  classes: ['read'],
  verb: 'SELECT',
  objects: ['public.customers'],
  opaque: undefined,
  text: 'SELECT name FROM customers WHERE id = 42',
  facts: { sql: FACTS },
}

function told(action: Action) {
  return JSON.parse(factsJson(action))
}

test('all facts are told but literals and parameters', () => {
  const { literals: _literals, params: _params, ...sql } = FACTS
  expect(told(ACTION)).toEqual({ classes: ['read'], sql })
  expect(factsJson(ACTION)).not.toContain('42')
})

test('another text of the same facts is told alike, whatever its values are', () => {
  const other = { ...ACTION, facts: { sql: { ...FACTS, literals: ['4711'], params: ['s3cret'] } } }
  expect(factsJson(other)).toBe(factsJson(ACTION))
})

test.each(Object.keys(FACTS) as (keyof SqlFacts)[])(
  '%s that differ are not told as before',
  (key) => {
    const was = FACTS[key]
    const now = Array.isArray(was) ? [...was, 'more'] : typeof was === 'boolean' ? !was : `${was}1`
    const before = factsJson(ACTION)
    const changed = told({ ...ACTION, facts: { sql: { ...FACTS, [key]: now } } })
    if (key === 'literals' || key === 'params') expect(changed).toEqual(JSON.parse(before))
    else expect(changed.sql[key]).toEqual(now)
    // And what came before is told as it was.
    expect(factsJson(ACTION)).toBe(before)
  },
)

test('classes, a text that cannot be read, and findings are told as they are now', () => {
  const before = factsJson(ACTION)
  expect(told({ ...ACTION, classes: ['opaque'] }).classes).toEqual(['opaque'])
  const opaque = { reason: 'no SQL', position: undefined }
  expect(told({ ...ACTION, opaque }).opaque).toBe(true)
  const findings = [{ detector: 'email', count: 2 }] as unknown as NonNullable<Action['findings']>
  expect(told({ ...ACTION, findings }).findings).toEqual(findings)
  expect(factsJson(ACTION)).toBe(before)
})
