import { expect, test } from 'vitest'
import { standIn } from '../../src/policy/stand-in.ts'
import { grantOf } from '../../src/policy/trial.ts'
import { asked } from './fixtures.ts'

test('each role may do all but what is not understood, on each connection', () => {
  const config = standIn({ connections: ['a', 'b.c'], roles: ['x', 'x', 'y'] })
  const grant = grantOf(asked('', { roles: ['x'], connection: 'b.c' }), config)
  expect(grant?.roles).toEqual(['x'])
  expect(grant?.database).toBe('b.c')
  expect([...grant!.allow]).toEqual(['read', 'write', 'schema', 'transfer', 'execute', 'admin'])
})
