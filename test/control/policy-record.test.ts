import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type PolicyMoment, PolicyRecord, policyMoments } from '../../src/control/policy-record.ts'
import { configOf } from '../threads/configuration.ts'

const text = 'apiVersion: sluice/v1\nkind: Policy\n'
const settings = {
  config: configOf({ path: '/etc/sluice/sluice.yaml' }),
  policyVersion: 3,
  policyFiles: [{ path: '/etc/sluice/policies/a.yaml', text }],
}

test('a version is recorded with the text of its files, and which these are', () => {
  const sha256 = hash('sha256', text, 'hex')
  const file = 'policies/a.yaml'
  expect(policyMoments(settings).map((one) => ({ ...one, text: JSON.parse(one.text) }))).toEqual([
    { kind: 'policy', status: '3', text: { version: 3, file, sha256, text } },
    { kind: 'policy', status: '3', text: { version: 3, files: [{ file, sha256 }] } },
  ])
})

test('once, and again where it could not be written', () => {
  const written: (readonly PolicyMoment[])[] = []
  let isFull = true
  const record = new PolicyRecord((moments) => {
    if (isFull) throw new Error('full')
    written.push(moments)
  })
  expect(() => record.inForce(settings)).toThrow('full')
  isFull = false
  record.inForce(settings)
  record.inForce(settings)
  record.inForce({ ...settings, policyVersion: 4 })
  expect(written.map((one) => one[0]?.status)).toEqual(['3', '4'])
})
