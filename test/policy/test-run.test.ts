import { beforeAll, expect, test } from 'vitest'
import { junit } from '../../src/policy/junit.ts'
import { runTests } from '../../src/policy/test-run.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { config, POLICY, policies } from './fixtures.ts'

beforeAll(loadParser)

const AS = 'as: { subject: ci, roles: [agents] }, connection: shop'
const SCHEMA = `schema: |
  CREATE TABLE customers (id int PRIMARY KEY, email text, ssn text, card text);
`
const line = (statement: string, rest: string) =>
  `  - { ${AS}, statement: '${statement}', ${rest} }\n`

function run(tests: string, more = SCHEMA) {
  const place = { config: config(), policies: policies(`${POLICY}${more}tests:\n${tests}`), now: 0 }
  return runTests(place)
}

function failures(tests: string, more = SCHEMA): (string | undefined)[] {
  return run(tests, more).results.map(({ failure }) => failure)
}

test('tests pass where verdict, rule and masks are as expected', () => {
  const tests = [
    line('DROP TABLE customers', 'expect: deny, rule: no-drop'),
    line('DROP TABLE customers', 'expect: deny, rule: shop-guard/no-drop'),
    line('SELECT * FROM customers', 'expect: allow, masked: [card, email, ssn]'),
    line('SELECT id AS email FROM customers', 'expect: allow, masked: []'),
    line('DELETE FROM customers WHERE id = 1', 'expect: allow, rule: keyed'),
  ]
  expect(failures(tests.join(''))).toEqual([undefined, undefined, undefined, undefined, undefined])
})

test('a test that fails says what was found instead', () => {
  const tests = [
    line('DROP TABLE customers', 'expect: allow'),
    line('DROP TABLE customers', 'expect: deny, rule: unbounded-write'),
    line('DROP TABLE customers', 'expect: deny, rule: other/no-drop'),
    line('SELECT 1', 'expect: deny'),
    line('SELECT email, id FROM customers', 'expect: allow, masked: [id]'),
    line('SELECT 1', 'expect: allow').replace('connection: shop', 'connection: shpo'),
    line('SELECT 1', 'expect: deny').replace('agents', 'agnets'),
  ]
  expect(failures(tests.join(''))).toEqual([
    expect.stringMatching(
      /^expected allow, but it is denied, by the rule shop-guard\/no-drop: Objects/,
    ),
    expect.stringMatching(
      /^expected the rule unbounded-write, but it is denied, by the rule shop-guard/,
    ),
    expect.stringMatching(/^expected the rule other\/no-drop/),
    'expected deny, but it is allowed',
    'expected masked: id; it is: email',
    'there is no connection shpo (did you mean shop?)',
    'there is no role agnets (did you mean agents?)',
  ])
})

test('a schema that cannot be read tests nothing, and says where', () => {
  const found = run(
    line('SELECT 1', 'expect: allow'),
    'schema: |\n  CREATE TABLE a (id int);\n  DROP TABLE a;\n',
  )
  expect(found.results).toEqual([])
  expect(found.problems).toMatchObject([{ file: '/p0.yaml', column: 3, path: 'schema' }])
  const text = POLICY.split('\n').length
  expect(found.problems[0]?.line).toBe(text + 2)
})

test('results have their place, and become XML that holds no markup of theirs', () => {
  const found = run(line('SELECT 1 < 2 & "x"', 'expect: deny') + line('SELECT 1', 'expect: allow'))
  expect(found.results[0]).toMatchObject({
    file: '/p0.yaml',
    column: 5,
    title: 'ci (agents) on shop: SELECT 1 < 2 & "x"',
  })
  const xml = junit(found)
  expect(xml).toContain('<testsuite name="/p0.yaml" tests="2" failures="1">')
  expect(xml).toContain('SELECT 1 &lt; 2 &amp; &quot;x&quot;"><failure message="expected deny')
  expect(xml.match(/<testcase /g)).toHaveLength(2)
})
