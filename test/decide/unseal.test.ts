import { expect, test } from 'vitest'
import { approveUnseal, type UnsealApproval, unsealFault } from '../../src/decide/unseal.ts'

const ann = { subject: 'ann', kind: 'human' } as const
const bob = { subject: 'bob', kind: 'human' } as const
const request = {
  request: 'req_1',
  session: '01S',
  asker: ann,
  approvers: [bob],
  quorum: 1,
  expiresAt: 1000,
}

test('an approved request becomes an approval for its session and asker', () => {
  const approval = approveUnseal(request, 0)
  if (typeof approval === 'string') throw new Error(approval)
  const use = { session: '01S', subject: 'ann', now: 999 }
  expect(unsealFault(approval, use)).toBe(undefined)
  expect(unsealFault(approval, { ...use, session: '02S' })).toMatch(/another session/)
  expect(unsealFault(approval, { ...use, subject: 'bob' })).toMatch(/somebody else/)
  expect(unsealFault(approval, { ...use, now: 1000 })).toMatch(/expired/)
})

test.each([
  [{ approvers: [] }, /Not enough/],
  [{ approvers: [ann] }, /their own/],
  [{ approvers: [ann, bob] }, /their own/],
  [{ approvers: [bob, bob], quorum: 2 }, /Not enough/],
  [{ quorum: 0, approvers: [] }, /Not enough/],
  [{ approvers: [{ subject: 'ci', kind: 'workload' as const }] }, /Only people/],
  [{ approvers: [{ subject: 'operator', kind: 'operator' as const }] }, /Only people/],
  [{ asker: { subject: 'operator', kind: 'operator' as const } }, /operator/],
  [{ expiresAt: 0 }, /expired/],
])('%j is no approval', (change, why) => {
  expect(approveUnseal({ ...request, ...change }, 0)).toMatch(why)
})

test('none can be written by hand', () => {
  // @ts-expect-error: only approveUnseal mints one.
  const forged: UnsealApproval = {
    request: '',
    session: '',
    asker: '',
    approvers: [],
    expiresAt: 0,
  }
  expect(forged).toBeDefined()
})
