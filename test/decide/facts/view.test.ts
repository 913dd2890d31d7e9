import { describe, expect, test } from 'vitest'
import { FACT_GROUPS } from '../../../src/decide/facts/schema.ts'
import { Facts } from '../../../src/decide/facts/view.ts'
import { action, context, grant } from '../fixtures.ts'

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  int: (value) => typeof value === 'bigint',
  'list<string>': Array.isArray,
  'map<string, string>': (value) => typeof value === 'object',
}

describe('every fact of the schema has a value of its type', () => {
  const facts = new Facts(action(), context(grant()))
  for (const [group, fields] of Object.entries(FACT_GROUPS))
    for (const [name, type] of Object.entries(fields))
      test(`${group}.${name}`, () => {
        const view = Reflect.get(facts, group)
        expect(TYPES[type]?.(Reflect.get(view, name))).toBe(true)
      })
})

test('what belongs to the grant is made once', () => {
  const of = grant()
  const [one, other] = [new Facts(action(), context(of)), new Facts(action(), context(of))]
  expect(other.identity).toBe(one.identity)
  expect(new Facts(action(), context(grant())).identity).not.toBe(one.identity)
})

test('an action that was not understood has no facts of its protocol', () => {
  expect(new Facts(action({}, ['read', 'opaque']), context(grant())).sql).toBeUndefined()
  expect(new Facts({ ...action(), facts: {} }, context(grant())).sql).toBeUndefined()
})
