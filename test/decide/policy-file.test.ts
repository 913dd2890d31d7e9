import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPolicy } from '../../src/decide/policy-file.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { DETECTORS, policyText } from './fixtures.ts'

function read(text: string) {
  return readPolicy({ path: '/p.yaml', text }, DETECTORS)
}

function problems(text: string): string[] {
  return read(text).problems.map(({ line, column, path, message }) => {
    return `${line}:${column} ${path}: ${message}`
  })
}

const RULE = '  - { id: a, when: "sql.writes", then: deny }'

test('a policy has its rules, masks and tests', () => {
  const text = `${policyText(`${RULE}
  - id: b
    when: |
      "public.x" in sql.tables &&
      sql.bounded
    then: allow
    message: Fine.`)}
applies: { connections: [orders, "label:env=dev"], roles: [agents] }
mode: monitor
masks: [{ columns: ["*.*.email"], with: redact }]
tests:
  - { as: { subject: ci, roles: [agents] }, connection: orders, statement: "DROP TABLE x", expect: deny, rule: a }
`
  const { policy, suite, problems: found, warnings } = read(text)
  expect(found).toEqual([])
  expect(warnings).toEqual([])
  expect(policy).toMatchObject({
    name: 'guard',
    monitor: true,
    connections: ['orders', 'label:env=dev'],
    roles: ['agents'],
    rules: [
      { name: 'guard/a', then: 'deny', monitor: true, message: '' },
      { name: 'guard/b', then: 'allow', message: 'Fine.' },
    ],
    masks: { columns: [{ pattern: ['*', '*', 'email'], monitor: true, rule: 'guard/mask-1' }] },
  })
  expect(suite).toMatchObject({ policy: 'guard', tests: [{ expect: 'deny', rule: 'a' }] })
})

test('a policy without rules is one', () => {
  expect(problems('apiVersion: sluice/v1\nkind: Policy\nname: p\n')).toEqual([])
})

test('all problems come at once, inside expressions too', () => {
  const text = `apiVersion: sluice/v2
kind: Policy
nmae: x
rules:
  - { id: a, when: 'sql.wites', then: deny }
  - id: a
    when: |
      "x" in sql.tables &&
        sql.bonded
    then: dney
  - { id: c, when: true, then: allow, message: 5 }
masks:
  - { columns: [email], with: redact }
applies: { roles: [] }
`
  expect(problems(text)).toEqual([
    '1:1 name: missing; expected letters, digits, _ . - (at most 63)',
    '1:13 apiVersion: expected sluice/v1',
    '3:1 nmae: nmae is not a known key (did you mean name?)',
    '5:25 rules[0].when: sql.wites is not a fact (did you mean writes?)',
    '6:9 rules[1].id: this id stands here twice',
    '9:13 rules[1].when: sql.bonded is not a fact (did you mean bounded?)',
    '10:11 rules[1].then: expected one of allow, deny (did you mean deny?)',
    '11:20 rules[2].when: expected an expression of CEL in quotes, found true or false',
    '11:48 rules[2].message: expected a sentence of at most 500 characters, found a number',
    '13:17 masks[0].columns[0]: expected schema.table.column, each a name, "a quoted name" or *, and for a part of JSON in it ->\'key\'',
    '14:19 applies.roles: expected at least one; leave it out to speak of all',
  ])
})

describe('what does not exist yet is refused', () => {
  for (const [name, text] of Object.entries({
    'then: approve': policyText('  - { id: a, when: "sql.writes", then: approve }'),
    approval: policyText('  - { id: a, when: "sql.writes", then: deny, approval: {} }'),
    limits: `${policyText(RULE)}limits: [{ rows: 1, per: statement }]\n`,
    'in_predicates: approve': `${policyText(RULE)}masks: [{ columns: [a.b.c], with: redact, in_predicates: approve }]\n`,
    'expect: approve': `${policyText(RULE)}tests: [{ as: { subject: a, roles: [b] }, connection: c, statement: x, expect: approve }]\n`,
  }))
    test(name, () => {
      expect(problems(text)).toHaveLength(1)
      expect(problems(text)[0]).toContain('is not available in this version')
    })
})

describe('the example policies', () => {
  const folder = 'deploy/examples/policies'
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.yaml')))
    test(`${name} has neither problems nor warnings`, () => {
      const text = readFileSync(`${folder}/${name}`, 'utf8')
      const {
        policy,
        problems: found,
        warnings,
      } = readPolicy({ path: name, text }, KNOWN_DETECTORS)
      expect([...found, ...warnings]).toEqual([])
      expect(policy?.roles).not.toContain('*')
    })
})

test('no text makes it throw', () => {
  const example = readFileSync('deploy/examples/policies/agents-baseline.yaml', 'utf8')
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.tuple(fc.nat(example.length), fc.string()).map(([at, more]) => {
      return example.substring(0, at) + more + example.substring(at + more.length)
    }),
  )
  fc.assert(
    fc.property(text, (source) => {
      const { policy, problems: found } = read(source)
      expect(policy === undefined).toBe(found.length > 0)
    }),
    { numRuns: 300 },
  )
})
