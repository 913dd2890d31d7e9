import { expect, test } from 'vitest'
import { listPolicies } from '../../src/policy/list.ts'
import { MONITOR, POLICY, policies } from './fixtures.ts'

const set = policies(POLICY, MONITOR)
const warning = { file: '/p0.yaml', line: 3, column: 4, path: 'rules[0]', message: 'this is odd' }

test('policies come by name, a page after the other, each once', () => {
  const first = listPolicies({ policies: set, warnings: [warning] }, { after: '', limit: 1 })
  expect(first).toMatchObject({
    version: 1,
    warnings: ['/p0.yaml:3:4 rules[0]: this is odd'],
    next: 'shop-guard',
  })
  const second = listPolicies(
    { policies: set, warnings: [warning] },
    { after: 'shop-guard', limit: 1 },
  )
  expect(second.next).toBeNull()
  expect(second.warnings).toEqual([])
  expect(second.policies).toMatchObject([
    { name: 'soon', mode: 'monitor', applies: { roles: ['agents'] } },
  ])
})

test('rules and masks are shown as they stand in the file', () => {
  const {
    policies: [guard],
  } = listPolicies({ policies: set, warnings: [] }, { after: '', limit: 9 })
  expect(guard).toMatchObject({
    rules: [
      { id: 'no-drop', then: 'deny' },
      { id: 'unbounded-write', when: 'sql.writes && !sql.bounded', line: 9 },
      { id: 'keyed', then: 'allow' },
    ],
    masks: [
      { column: 'public.customers.email', with: 'hash', in_predicates: 'deny', derived: 'mask' },
      { column: 'public.customers.ssn', with: 'redact' },
      { column: 'public.customers.card', with: 'partial, last 4 kept' },
      { detect: 'jwt', with: 'redact' },
      { detect: 'private_key', with: 'redact' },
    ],
  })
})
