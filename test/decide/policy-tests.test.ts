import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/decide/policy.ts'
import { readPolicy } from '../../src/decide/policy-file.ts'
import { DETECTORS, policyText } from './fixtures.ts'

const SUITE = `apiVersion: sluice/v1
kind: PolicyTests
schema: |
  CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE logs (id int);
tests:
  - as: { subject: ci, roles: [agents], groups: [a], kind: human, job: nightly }
    connection: orders
    database: archive
    statement: "SELECT $1"
    params: ["7"]
    in_transaction: true
    expect: allow
    masked: [email]
  - { as: { subject: ci, roles: [agents] }, connection: orders, statement: x, expect: deny, rule: p/r }
`

function read(text: string) {
  return readPolicy({ path: '/t.yaml', text }, DETECTORS)
}

test('a file of tests holds tests and no policy', () => {
  const { policy, suite, problems } = read(SUITE)
  expect(problems).toEqual([])
  expect(policy).toBeUndefined()
  expect(suite).toMatchObject({
    policy: '',
    schemaLines: [
      { line: 4, column: 3 },
      { line: 5, column: 3 },
    ],
    tests: [
      {
        as: { subject: 'ci', roles: ['agents'], groups: ['a'], kind: 'human', job: 'nightly' },
        database: 'archive',
        params: ['7'],
        inTransaction: true,
        masked: ['email'],
        rule: '',
        place: { line: 7, column: 5 },
      },
      { as: { kind: 'workload', job: '' }, rule: 'p/r', params: [], masked: undefined },
    ],
  })
})

test('everything wrong with a file of tests comes at once', () => {
  const text = SUITE.replace('expect: allow', 'expect: approve')
    .replace('in_transaction: true', 'in_transaction: yes')
    .replace('rule: p/r', 'rule: p/r/s')
    .replace('schema:', 'rules: []\nschema:')
  const found = read(text).problems.map(({ line, message }) => `${line} ${message}`)
  expect(found).toEqual([
    '3 rules is not a known key',
    '13 expected true or false',
    '14 approve is not available in this version',
    '16 expected the id of a rule, or policy/id',
  ])
})

test('files of tests and of policies stand side by side, and tests decide nothing', () => {
  const files = [
    { path: '/p.yaml', text: policyText('  - { id: a, when: "sql.writes", then: deny }') },
    { path: '/t.yaml', text: SUITE },
  ]
  const result = compilePolicies(files, { version: 1, knownDetectors: DETECTORS })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  expect(result.policies.policies).toHaveLength(1)
  expect(result.policies.suites.map(({ file, tests }) => [file, tests.length])).toEqual([
    ['/p.yaml', 0],
    ['/t.yaml', 2],
  ])
})

test('a kind that is neither is refused', () => {
  const { problems } = read(SUITE.replace('PolicyTests', 'PolicyTest'))
  expect(problems.map(({ message }) => message)).toContain('expected Policy')
})
