import { expect, test } from 'vitest'
import { builtInTypeOid } from '../../src/policy/type-oids.ts'

test('scalar types and arrays have the OIDs of pg_type', () => {
  expect(builtInTypeOid('int4', false)).toBe(23)
  expect(builtInTypeOid('text', true)).toBe(1009)
  expect(builtInTypeOid('jsonb', false)).toBe(3802)
  expect(builtInTypeOid('mood', false)).toBeUndefined()
})
