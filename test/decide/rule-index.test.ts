import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLASSES } from '../../src/decide/action.ts'
import { Facts } from '../../src/decide/facts/view.ts'
import { RuleIndex } from '../../src/decide/rule-index.ts'
import { action, context, grant, policies, policyText } from './fixtures.ts'

const leaf = fc.constantFrom(
  '"DROP" in sql.commands',
  '"DELETE" in sql.commands',
  '"DROP TABLE" in sql.tags',
  '"schema" in action.classes',
  'sql.writes',
  '!sql.bounded',
  'sql["writes"]',
  'sql.copy == "out"',
  '"in" == sql.copy',
  'sql.copy in ["in", "file"]',
  'sql.tables.exists(t, t == "public.a")',
  'sql.tables.exists(t, "public.b" == t)',
  'sql.tables.exists(t, t in ["public.a", "public.c"])',
  'sql.tables == ["public.a"]',
  'sql.tables == []',
  'connection.name == "orders"',
  'connection.name == "lab"',
  '"agents" in identity.roles',
  'connection.labels.tier == "x"',
  'false',
)
const expression = fc.letrec<{ tree: string; pair: string }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, leaf, tie('pair'), leaf),
  pair: fc
    .tuple(tie('tree'), fc.constantFrom('&&', '||'), tie('tree'))
    .map(([left, op, right]) => `(${left} ${op} ${right})`),
})).tree
const someAction = fc.record({
  commands: fc.subarray(['DROP', 'DELETE', 'SELECT']),
  tags: fc.subarray(['DROP TABLE', 'SELECT']),
  writes: fc.boolean(),
  bounded: fc.boolean(),
  copy: fc.constantFrom('', 'in', 'out', 'file'),
  tables: fc.array(fc.constantFrom('public.a', 'public.b', 'public.c'), { maxLength: 3 }),
})

test('no rule that is true or fails is ever left out, and the order stays', () => {
  fc.assert(
    fc.property(
      fc.array(expression, { minLength: 1, maxLength: 6 }),
      someAction,
      fc.subarray([...CLASSES], { minLength: 1 }),
      (texts, sql, classes) => {
        const lines = texts.map((when, at) => `  - { id: r${at}, when: '${when}', then: deny }`)
        const { rules } = policies(policyText(lines.join('\n'))).guard(grant())
        const asked = action(sql, classes)
        const facts = new Facts(asked, context(grant()))
        const found = new RuleIndex(rules).candidates(asked, grant())
        const wanted = rules.filter((one) => one.rule.test(facts) !== false)
        expect(found.filter((one) => one.rule.test(facts) !== false)).toEqual(wanted)
        expect(rules.filter((one) => found.includes(one))).toEqual(found)
      },
    ),
    { numRuns: 150 },
  )
})

test('rules about other commands are not looked at', () => {
  const lines = Array.from({ length: 100 }, (_, at) => {
    return `  - { id: r${at}, when: '"C${at}" in sql.commands && sql.writes', then: deny }`
  })
  const { rules } = policies(policyText(lines.join('\n'))).guard(grant())
  const index = new RuleIndex(rules)
  expect(index.candidates(action(), grant())).toEqual([])
  expect(
    index.candidates(action({ commands: ['C7', 'C3'] }), grant()).map(({ name }) => name),
  ).toEqual(['guard/r3', 'guard/r7'])
  expect(index.candidates(action({}, ['opaque']), grant())).toHaveLength(100)
})
