import { describe, expect, test } from 'vitest'
import { compilePolicies } from '../../src/decide/policy.ts'
import { config, DETECTORS, grant, policies, policyText } from './fixtures.ts'

const named = (name: string, rules: string, head = '') =>
  policyText(rules, head).replace('name: guard', `name: ${name}`)
const rule = (id: string, when = 'sql.writes') => `  - { id: ${id}, when: '${when}', then: deny }`

describe('a guard', () => {
  test('holds the rules that speak of the connection and one of the roles', () => {
    const set = policies(
      named('everywhere', rule('a')),
      named('orders', rule('b'), 'applies: { connections: [orders] }'),
      named('lab', rule('c'), 'applies: { connections: ["label:env=dev"] }'),
      named('dba', rule('d'), 'applies: { roles: [dba] }'),
      named('agents', rule('e'), 'applies: { roles: [nobody, agents] }'),
    )
    const names = (of: ReturnType<typeof grant>) => set.guard(of).rules.map(({ name }) => name)
    expect(names(grant())).toEqual(['everywhere/a', 'orders/b', 'agents/e'])
    expect(names(grant({}, 'lab'))).toEqual(['everywhere/a', 'lab/c', 'agents/e'])
    expect(names(grant({ groups: ['dba'] }))).toEqual([
      'everywhere/a',
      'orders/b',
      'dba/d',
      'agents/e',
    ])
  })

  test('is the same one for the same connection and roles', () => {
    const set = policies(named('a', rule('a')))
    const first = set.guard(grant())
    expect(set.guard(grant({ subject: 'other' }))).toBe(first)
    expect(set.guard(grant({}, 'lab'))).not.toBe(first)
    expect(first.version).toBe(7)
  })

  test('adds masks up, monitored ones marked', () => {
    const masks = 'masks: [{ columns: [a.b.c], with: redact }, { detect: [email], with: hash }]'
    const set = policies(
      named('a', rule('a'), masks),
      named('b', rule('b'), `${masks}\nmode: monitor`),
    )
    const { columns, detectors } = set.guard(grant()).masks
    expect(columns.map((one) => [one.rule, one.monitor])).toEqual([
      ['a/mask-1', false],
      ['b/mask-1', true],
    ])
    expect(detectors).toHaveLength(2)
  })

  test('knows what a kept verdict may not depend on', () => {
    const flags = (when: string) => {
      const { stable, readsParameters, readsFindings } = policies(
        named('a', rule('a', when)),
      ).guard(grant())
      return { stable, readsParameters, readsFindings }
    }
    const steady = { stable: true, readsParameters: false, readsFindings: false }
    for (const when of ['"DROP" in sql.commands', 'sql.in_transaction', 'identity.subject == "x"'])
      expect(flags(when)).toEqual(steady)
    for (const when of [
      'session.rows > 5',
      'now > now',
      'sql.literals == []',
      'action.text == ""',
      'sql.statements > 1',
    ])
      expect(flags(when)).toEqual({ ...steady, stable: false })
    expect(flags('"a" in sql.params')).toMatchObject({ stable: false, readsParameters: true })
    expect(flags('findings == []')).toEqual({
      stable: false,
      readsParameters: true,
      readsFindings: true,
    })
  })
})

describe('several files', () => {
  const compile = (...texts: string[]) =>
    compilePolicies(
      texts.map((text, at) => ({ path: `/p${at}.yaml`, text })),
      { version: 1, knownDetectors: DETECTORS, config: config() },
    )

  test('none is valid', () => {
    expect('policies' in compile()).toBe(true)
  })

  test('with one problem anywhere, nothing takes effect', () => {
    const result = compile(named('a', rule('a')), named('b', rule('b', 'sql.x')), '{')
    expect('problems' in result && result.problems.map(({ file }) => file)).toEqual([
      '/p1.yaml',
      '/p2.yaml',
    ])
  })

  test('do not share a name', () => {
    const result = compile(named('a', rule('a')), named('a', rule('b')))
    expect('problems' in result && result.problems[0]?.message).toContain('/p0.yaml')
  })

  test('that name what does not exist are warned about', () => {
    const head = 'applies: { connections: [ordres, "*", "label:a=b"], roles: [agent, dba] }'
    const { warnings } = compile(named('a', rule('a'), head))
    expect(warnings.map(({ message }) => message)).toEqual([
      'applies to the connection ordres, which does not exist (did you mean orders?)',
      'applies to the role agent, which does not exist (did you mean agents?)',
    ])
  })
})
