import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ActionClass, CLASSES } from '../../src/decide/action.ts'
import { decide } from '../../src/decide/decide.ts'
import { action, context, grant, policies, policyText } from './fixtures.ts'

const agent = grant()
const blind = grant({ groups: ['blind'] })

function verdict(rules: string, asked = action(), who = agent, head = '') {
  return decide(policies(policyText(rules, head)).guard(who), asked, context(who))
}

const rule = (when: string, then = 'deny', id = 'r') =>
  `  - { id: ${id}, when: '${when}', then: ${then} }`

describe('classes come first', () => {
  const empty = policies().guard(agent)
  test('what the roles allow passes', () => {
    expect(decide(empty, action({}, ['read', 'write']), context(agent))).toEqual({
      verdict: 'allow',
      rule: '',
      wouldDeny: '',
    })
  })

  test('each class needs a role, and the refusal names those without', () => {
    const refused = decide(empty, action({}, ['read', 'schema', 'admin']), context(agent))
    expect(refused).toMatchObject({ verdict: 'deny', kind: 'not_allowed', rule: '' })
    expect(refused).toMatchObject({ say: expect.stringContaining('schema, admin') })
    expect(refused).toMatchObject({ hint: 'Allowed here: read, write.' })
  })

  test('what was not understood says why and where', () => {
    expect(decide(empty, action({}, ['schema', 'opaque']), context(agent))).toMatchObject({
      kind: 'not_understood',
      say: 'syntax error at or near "x"',
      position: 3,
    })
    expect(decide(empty, action({}, ['opaque']), context(blind)).verdict).toBe('allow')
  })

  test('no class at all is not understood', () => {
    expect(decide(empty, action({}, []), context(agent))).toMatchObject({ kind: 'not_understood' })
  })

  test('a rule that refuses it as well says it better; one that fails does not', () => {
    const drop = action({ commands: ['DROP'] }, ['schema'])
    expect(verdict(rule('"DROP" in sql.commands'), drop)).toMatchObject({
      kind: 'denied',
      rule: 'guard/r',
    })
    expect(verdict(rule('sql.params[9] == ""'), drop)).toMatchObject({ kind: 'not_allowed' })
    expect(verdict(rule('true'), drop, agent, 'mode: monitor')).toMatchObject({
      kind: 'not_allowed',
    })
  })

  test('no rule lifts what no role allows', () => {
    expect(verdict(rule('true', 'allow'), action({}, ['schema']))).toMatchObject({
      kind: 'not_allowed',
    })
  })
})

describe('rules', () => {
  test('a denial names its rule and says its message', () => {
    const text = `  - { id: no, when: 'sql.writes', then: deny, message: "Not so." }`
    expect(verdict(text, action({ writes: true }))).toMatchObject({
      verdict: 'deny',
      kind: 'denied',
      rule: 'guard/no',
      say: 'Not so.',
    })
    expect(verdict(text).verdict).toBe('allow')
  })

  test('an allowing rule is named and overrides nothing', () => {
    const both = `${rule('true', 'allow', 'a')}\n${rule('sql.writes', 'deny', 'b')}`
    expect(verdict(both)).toEqual({ verdict: 'allow', rule: 'guard/a', wouldDeny: '' })
    expect(verdict(both, action({ writes: true }))).toMatchObject({ rule: 'guard/b' })
  })

  test('one that fails denies, whether it would have denied or allowed', () => {
    for (const then of ['deny', 'allow']) {
      const failing = `${rule('true', 'allow', 'a')}\n${rule('sql.params[9] == ""', then, 'f')}`
      expect(verdict(failing)).toMatchObject({ verdict: 'deny', kind: 'denied', rule: 'guard/f' })
    }
  })

  test('a monitor never denies and says what it would have done', () => {
    for (const when of ['true', 'sql.params[9] == ""'])
      expect(verdict(rule(when), action(), agent, 'mode: monitor')).toEqual({
        verdict: 'allow',
        rule: '',
        wouldDeny: 'guard/r',
      })
    const allowing = verdict(rule('true', 'allow'), action(), agent, 'mode: monitor')
    expect(allowing).toMatchObject({ rule: '', wouldDeny: '' })
  })

  test('that read facts of an action nobody understood deny it, unless they say otherwise', () => {
    const opaque = action({}, ['opaque'])
    expect(verdict(rule('"DROP" in sql.commands'), opaque, blind)).toMatchObject({
      verdict: 'deny',
      rule: 'guard/r',
    })
    expect(verdict(rule('!action.opaque && "DROP" in sql.commands'), opaque, blind)).toMatchObject({
      verdict: 'allow',
    })
  })
})

describe('whatever the order', () => {
  const WHENS = ['true', 'false', 'sql.writes', 'sql.params[9] == ""', '"DROP" in sql.commands']
  const someRule = fc.record({
    when: fc.constantFrom(...WHENS),
    then: fc.constantFrom('allow', 'deny'),
    monitor: fc.boolean(),
  })
  const someAction = fc
    .record({
      commands: fc.subarray(['DROP', 'SELECT']),
      writes: fc.boolean(),
      classes: fc.subarray<ActionClass>([...CLASSES]),
    })
    .map(({ classes, ...sql }) => action(sql, classes))
  type SomeRule = typeof someRule extends fc.Arbitrary<infer R> ? R : never
  const files = (rules: readonly SomeRule[]) =>
    rules.map(({ when, then, monitor }, at) =>
      policyText(rule(when, then), `mode: ${monitor ? 'monitor' : 'enforce'}`).replace(
        'name: guard',
        `name: p${at}`,
      ),
    )
  const who = fc.constantFrom(agent, blind, grant({ groups: ['dba', 'blind'] }))

  test('deny beats allow, and one more rule never lifts a denial', () => {
    fc.assert(
      fc.property(
        fc.array(someRule, { maxLength: 5 }),
        someRule,
        someAction,
        who,
        (rules, more, asked, grantOf) => {
          const of = (...texts: string[]) =>
            decide(policies(...texts).guard(grantOf), asked, context(grantOf))
          const forth = of(...files(rules))
          expect(of(...files(rules).reverse()).verdict).toBe(forth.verdict)
          if (forth.verdict === 'deny') expect(of(...files([...rules, more])).verdict).toBe('deny')
        },
      ),
      { numRuns: 100 },
    )
  })

  test('it answers, and the same each time', () => {
    fc.assert(
      fc.property(
        fc.array(someRule, { maxLength: 4 }),
        someAction,
        who,
        (rules, asked, grantOf) => {
          const guard = policies(...files(rules)).guard(grantOf)
          const first = decide(guard, asked, context(grantOf))
          expect(['allow', 'deny']).toContain(first.verdict)
          expect(decide(guard, asked, context(grantOf))).toEqual(first)
        },
      ),
      { numRuns: 100 },
    )
  })
})
