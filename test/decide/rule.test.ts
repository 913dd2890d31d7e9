import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Facts } from '../../src/decide/facts/view.ts'
import { compileRule } from '../../src/decide/rule.ts'
import { action, context, grant } from './fixtures.ts'

const facts = new Facts(
  action({ commands: ['DROP'], tables: ['public.users'], params: ['a@b.c'] }, ['read', 'schema']),
  context(grant()),
)

function answer(text: string): boolean | 'error' | string {
  const { rule, problem } = compileRule(text)
  return rule === undefined ? `${problem?.offset}: ${problem?.message}` : rule.test(facts)
}

describe('every fact of the contract is there', () => {
  for (const text of [
    'identity.subject == "ci" && identity.kind == "workload" && identity.issuer == "gateway"',
    'identity.owner == "ada" && "agents" in identity.roles && identity.groups == []',
    'job.id == "job-1" && job.run == "" && job.agent == "" && job.parent == "" && job.verified',
    'connection.name == "orders" && connection.type == "postgres"',
    'connection.labels.env == "prod" && connection.labels["env"] == "prod"',
    'has(connection.labels.env) && !has(connection.labels.tier)',
    'session.id == "s1" && session.client_ip == "127.0.0.1" && session.age == 5',
    'session.statements == 3 && session.rows + session.bytes == 110 && session.masked_values < 1',
    'action.class == "schema" && "read" in action.classes && action.verb == "DROP"',
    'action.objects == [] && !action.opaque && action.text.startsWith("select")',
    'now.getHours() == 3 && now > timestamp("2024-01-01T00:00:00Z")',
    'findings.exists(f, f.detector == "email" && f.count > 1 && f.where == "text")',
    '"DROP" in sql.commands && sql.tags.size() == 1 && sql.tables.all(t, t.startsWith("public."))',
    'sql.tables_written == [] && "public.orders.id" in sql.columns && sql.functions == []',
    '!sql.writes && sql.bounded && !sql.by_key && sql.has_where && !sql.where_always_true',
    'sql.literals == [] && sql.statements == 1 && !sql.in_transaction && sql.copy == ""',
    'sql.params.exists(p, p.matches("^[a-z]+@")) && sql.triggers == []',
    'sql["writes"] == false',
    'sql.tables.map(t, t + "!").exists(t, t.endsWith("!"))',
  ])
    test(text, () => expect(answer(text)).toBe(true))
})

describe('refused at load, with the place', () => {
  for (const [text, wanted] of [
    ['sql.wites', '4: sql.wites is not a fact (did you mean writes?)'],
    [
      'true && has(sql.wites)',
      '8: has() is for connection.labels.NAME; other facts are always there',
    ],
    ['sqll.writes', '0: Unknown variable: sqll'],
    ['sql.writes == 1', '0: no such overload: bool == int'],
    ['sql.statements', '0: expected an expression that is true or false, found int'],
    ['sql.writes &&', '13: Unexpected token: EOF'],
    ['sql == sql', '0: sql is a group; name one of its facts'],
    ['dyn(sql).wites', '4: sql is a group; name one of its facts'],
    ['sql["wri" + "tes"]', '0: expected the name of a fact after sql'],
    ['ssh.sudo', '0: the facts of ssh: no protocol of this version has them'],
    ['identity.owner_active', '9: identity.owner_active is not available in this version'],
    [
      'findings.exists(sql, sql.count > 0)',
      '16: sql is the name of a fact; give the variable another',
    ],
    ['findings.exists(f, f.cuont > 0)', '21: No such key: cuont'],
    ['action.text.matches("(")', '20: expected a regular expression of RE2'],
    ['action.text.matches(action.verb)', '27: matches() takes one pattern, written out as text'],
    ['x'.repeat(10), '0: Unknown variable: xxxxxxxxxx'],
  ] as const)
    test(text, () => expect(answer(text)).toBe(wanted))
})

test('a pattern that explodes in other engines is linear here, wherever it stands', () => {
  const started = performance.now()
  const { rule } = compileRule('[action.text].exists(t, t.matches("^(a+)+$"))')
  const long = { ...action(), text: `${'a'.repeat(50_000)}!` }
  expect(rule?.test(new Facts(long, context(grant())))).toBe(false)
  expect(performance.now() - started).toBeLessThan(10_000)
})

describe('what goes wrong while evaluating is an error and never an answer', () => {
  for (const text of [
    'connection.labels.tier == "x"',
    'sql.params[5] == "x"',
    '1 / (sql.statements - 1) == 1',
    'dyn(sql.statements) == 1 && dyn(sql.copy)',
    'int(sql.params[0]) == 1',
  ])
    test(text, () => expect(answer(text)).toBe('error'))

  test('but a side that is false decides an "and", whatever the other does', () => {
    expect(answer('connection.labels.tier == "x" && sql.writes')).toBe(false)
    expect(answer('connection.labels.tier == "x" || "DROP" in sql.commands')).toBe(true)
  })

  test('facts of an action that was not understood are missing', () => {
    const opaque = new Facts(action({}, ['opaque']), context(grant()))
    expect(compileRule('"DROP" in sql.commands').rule?.test(opaque)).toBe('error')
    expect(compileRule('!action.opaque && "DROP" in sql.commands').rule?.test(opaque)).toBe(false)
  })
})

test('comparing action.class warns', () => {
  const { rule, warnings } = compileRule('true && action.class == "schema"')
  expect(rule).toBeDefined()
  expect(warnings[0]?.offset).toBe(8)
  expect(compileRule('"schema" in action.classes').warnings).toEqual([])
})

test('no text makes it throw', () => {
  const word = fc.constantFrom(
    ...['sql', '.', 'writes', ' && ', ' || ', '(', ')', '[', ']', '"x"', ' in ', '!', '1', '{'],
    ...['.exists(', 'f', ', ', '.matches(', 'has(', 'cel.bind(', ' ? ', ' : ', '==', 'action'],
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join('')),
  )
  fc.assert(
    fc.property(text, (source) => {
      const { rule, problem } = compileRule(source)
      expect(rule === undefined).toBe(problem !== undefined)
      if (rule !== undefined) expect([true, false, 'error']).toContain(rule.test(facts))
    }),
    { numRuns: 1000 },
  )
})

test('depth and size have limits', () => {
  expect(answer(`${'('.repeat(500)}true${')'.repeat(500)}`)).toMatch(/^\d+: /)
  expect(answer(`true${' || true'.repeat(5000)}`)).toMatch(/^\d+: /)
})
