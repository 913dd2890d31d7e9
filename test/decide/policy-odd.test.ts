import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/decide/policy.ts'
import { oddities } from '../../src/decide/policy-odd.ts'
import { config, DETECTORS } from './fixtures.ts'

function policy(name: string, rules: readonly string[], head = ''): string {
  const all = rules.map((rule, at) => `  - { id: r${at + 1}, ${rule} }`).join('\n')
  return `apiVersion: sluice/v1\nkind: Policy\nname: ${name}\n${head}rules:\n${all}\n`
}

function warnings(...texts: readonly string[]): string[] {
  const files = texts.map((text, at) => ({ path: `/p${at}.yaml`, text }))
  const result = compilePolicies(files, { version: 1, knownDetectors: DETECTORS, compares: true })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.warnings.map(
    ({ file, line, path, message }) => `${file}:${line} ${path}: ${message}`,
  )
}

const WIDE = 'when: "sql.writes", then: deny'
const NARROW = 'when: "sql.writes && !sql.bounded", then: deny'

test('a denial behind a wider one never decides', () => {
  expect(warnings(policy('a', [WIDE, NARROW]))).toEqual([
    '/p0.yaml:6 the rule r2: is shadowed by a/r1, which denies whatever it is true of: it is never the one that decides',
  ])
  expect(warnings(policy('a', [NARROW, WIDE]))).toEqual([])
})

test('a permission that is always denied is never named, wherever it stands', () => {
  const allow = 'when: "sql.writes && sql.by_key", then: allow'
  expect(warnings(policy('a', [allow, WIDE]))).toEqual([
    expect.stringContaining('the rule r1: is shadowed by a/r2'),
  ])
  expect(warnings(policy('a', [WIDE.replace('deny', 'allow'), NARROW]))).toEqual([])
})

test('a rule is shadowed only by one that speaks of all it speaks of', () => {
  const scoped = 'applies: { roles: [agents] }\n'
  expect(warnings(policy('a', [WIDE], scoped), policy('b', [NARROW]))).toEqual([])
  expect(warnings(policy('a', [WIDE]), policy('b', [NARROW], scoped))).toHaveLength(1)
  const other = 'applies: { roles: [dba] }\n'
  expect(warnings(policy('a', [WIDE], scoped), policy('b', [NARROW], other))).toEqual([])
})

test('a policy that only monitors shadows nothing that enforces', () => {
  const monitor = 'mode: monitor\n'
  expect(warnings(policy('a', [WIDE], monitor), policy('b', [NARROW]))).toEqual([])
  expect(warnings(policy('a', [WIDE]), policy('b', [NARROW], monitor))).toHaveLength(1)
})

test('a rule that can never be true is said so once', () => {
  expect(warnings(policy('a', ['when: "true", then: deny', 'when: "false", then: deny']))).toEqual([
    '/p0.yaml:6 rules[1].when: this can never be true: it is false, whatever the action',
  ])
})

test('a rule that reads facts of another protocol does nothing on a connection', () => {
  const files = [{ path: '/p.yaml', text: policy('a', [WIDE]) }]
  const result = compilePolicies(files, { version: 1, knownDetectors: DETECTORS })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  const { policies } = result.policies
  const connections = [...config().connections.values()]
  expect(oddities(policies, connections)).toEqual([])
  const [first, ...others] = connections
  const redis = { ...first!, type: 'redis' as 'postgres' }
  expect(oddities(policies, [redis, ...others]).map(({ message }) => message)).toEqual([
    'does nothing on orders: redis has not all the facts that it reads',
  ])
  expect(oddities(policies, [redis]).map(({ message }) => message)).toEqual([
    'does nothing: redis has not all the facts that it reads',
  ])
})

test('five thousand rules are compared in time', () => {
  const rules = Array.from(
    { length: 5000 },
    (_, n) => `when: '"public.t${n}" in sql.tables && sql.writes', then: deny`,
  )
  const began = performance.now()
  expect(warnings(policy('large', rules))).toEqual([])
  expect(performance.now() - began).toBeLessThan(10_000)
})
