/** The built command on policy files, without a gateway: what is printed where, and the exit codes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, start } from '../lib/child.ts'
import { CONFIG_TEXT, MONITOR, POLICY } from '../policy/fixtures.ts'

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const ENTRY = join(DIST, 'src/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'sluice-policy-'))
const env = { ...process.env, SLUICE_CONFIG: undefined, P: 'x' }

function sluice(...args: readonly string[]) {
  return run(process.execPath, [ENTRY, 'policy', ...args], { cwd: folder, env })
}

const TESTS = `schema: |
  CREATE TABLE customers (id int PRIMARY KEY, email text, ssn text, card text);
tests:
  - { as: { subject: ci, roles: [agents] }, connection: shop, statement: "DROP TABLE customers", expect: deny, rule: no-drop }
  - { as: { subject: ci, roles: [agents] }, connection: shop, statement: "SELECT email FROM customers", expect: allow, masked: [email] }
`

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

beforeAll(() => {
  mkdirSync(join(folder, 'policies'))
  write('sluice.yaml', `${CONFIG_TEXT}policies: [./policies]\n`)
  write('policies/guard.yaml', `${POLICY}${TESTS}`)
  write('policies/soon.yaml', MONITOR)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('policy check', () => {
  test('counts what is fine', async () => {
    const { code, stdout, stderr } = await sluice('check')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('2 policies with 4 rules and 2 tests are fine.\n')
    const json = await sluice('check', '--json')
    expect(JSON.parse(json.stdout)).toEqual({ policies: 2, rules: 4, tests: 2, warnings: [] })
  })

  test('says all that is wrong, each with its place and the nearest word', async () => {
    const path = write(
      'wrong.yaml',
      `apiVersion: sluice/v1\nkind: Policy\nname: w\nrules:\n  - { id: a, when: 'sql.wites', then: dny }\nmask: []\n`,
    )
    const { code, stdout, stderr } = await sluice('check', path)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => line.replace(folder, ''))
    expect(lines).toEqual([
      '/wrong.yaml:5:25 rules[0].when: sql.wites is not a fact (did you mean writes?)',
      '/wrong.yaml:5:39 rules[0].then: expected one of allow, deny (did you mean deny?)',
      '/wrong.yaml:6:1 mask: mask is not a known key (did you mean masks?)',
    ])
  })

  test('warns of rules that do nothing, and is content', async () => {
    const path = write(
      'odd.yaml',
      `apiVersion: sluice/v1\nkind: Policy\nname: o\napplies: { roles: [agnets] }\nrules:\n  - { id: a, when: '"drop" in sql.commands', then: deny }\n  - { id: b, when: 'sql.writes', then: deny }\n  - { id: c, when: 'sql.writes && sql.by_key', then: deny }\n`,
    )
    const { code, stderr } = await sluice('check', path)
    expect(code).toBe(0)
    expect(stderr).toContain(
      'applies to the role agnets, which does not exist (did you mean agents?)',
    )
    expect(stderr).toContain('odd.yaml:6:21 rules[0].when: this can never be true')
    expect(stderr).toContain('odd.yaml:8:5 the rule c: is shadowed by o/b')
  })

  test('warns of columns that hold what a masked one holds', async () => {
    const path = write(
      'keys.yaml',
      `apiVersion: sluice/v1\nkind: Policy\nname: k\nschema: CREATE TABLE a (mail text PRIMARY KEY); CREATE TABLE b (mail text REFERENCES a)\nmasks:\n  - { columns: [public.a.mail], with: redact }\n`,
    )
    const { code, stderr } = await sluice('check', path)
    expect(code).toBe(0)
    expect(stderr).toContain(
      'public.b.mail holds the same values as public.a.mail by a foreign key',
    )
  })

  test('a schema that cannot be read is wrong, in its place', async () => {
    const path = write(
      'schema.yaml',
      'apiVersion: sluice/v1\nkind: PolicyTests\nschema: |\n  CREATE x\n',
    )
    const { code, stderr } = await sluice('check', path)
    expect(code).toBe(2)
    expect(stderr).toContain('schema.yaml:4:10 schema: syntax error at or near "x"')
  })
})

describe('policy test', () => {
  test('passes, prints a summary, and writes JUnit', async () => {
    const { code, stdout } = await sluice('test', '--junit', 'out/junit.xml')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2 tests in 1 files passed.\n' })
    expect(readFileSync(join(folder, 'out/junit.xml'), 'utf8')).toContain('tests="2" failures="0"')
  })

  test('fails with place and reason', async () => {
    const path = write('fails.yaml', `${POLICY}${TESTS.replace('expect: deny', 'expect: allow')}`)
    const { code, stdout } = await sluice('test', path)
    expect(code).toBe(1)
    expect(stdout).toContain('✗ fails.yaml:19 ci (agents) on shop: DROP TABLE customers')
    expect(stdout).toContain('    expected allow, but it is denied, by the rule shop-guard/no-drop')
    expect(stdout).toContain('1 of 2 tests failed.')
    const json = await sluice('test', path, '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ tests: 2, failed: 1 })
  })

  test('a file of tests alone tests the policies of the configuration', async () => {
    const path = write('more.yaml', `apiVersion: sluice/v1\nkind: PolicyTests\n${TESTS}`)
    expect(await sluice('test', path)).toMatchObject({
      code: 0,
      stdout: '2 tests in 1 files passed.\n',
    })
  })

  test('nothing to test is no success', async () => {
    const path = write('none.yaml', MONITOR)
    expect(await sluice('test', path)).toMatchObject({ code: 1, stdout: 'There are no tests.\n' })
  })

  test('without a configuration the rules alone decide, and that is said', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'sluice-policy-'))
    try {
      writeFileSync(join(elsewhere, 'p.yaml'), `${POLICY}${TESTS}`)
      const found = await run(process.execPath, [ENTRY, 'policy', 'test', 'p.yaml'], {
        cwd: elsewhere,
        env,
      })
      expect(found.code).toBe(0)
      expect(found.stdout).toContain('No configuration: each role was taken to allow')
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  })

  test('--watch runs again when a file changes, also after one that was wrong', async () => {
    const path = write('watched.yaml', `${POLICY}${TESTS}`)
    const child = start(process.execPath, [ENTRY, 'policy', 'test', path, '--watch'], {
      cwd: folder,
      env,
    })
    try {
      await child.until(/2 tests in 1 files passed/)
      // The watch begins with what it finds.
      await new Promise((resolve) => setTimeout(resolve, 1500))
      write('watched.yaml', 'kind: Nothing\n')
      await child.until(/watched\.yaml:1:7 kind: expected Policy/)
      write('watched.yaml', `${POLICY}${TESTS.replace('expect: deny', 'expect: allow')}`)
      await child.until(/1 of 2 tests failed/)
    } finally {
      await child.stop('SIGINT', 10_000)
    }
  })
})

describe('policy explain', () => {
  const at = ['--connection', 'shop', '--as', 'ci']

  test('an allowed statement ends with 0, a denied one with 1', async () => {
    const fine = await sluice('explain', ...at, '--statement', 'SELECT email FROM customers')
    expect(fine.code).toBe(0)
    expect(fine.stdout).toContain(
      'email  public.customers.email  →  masked: redact (hash for a role that only reads)',
    )
    expect(fine.stdout).toContain('tables as the schema of the policy tests says')
    const denied = await sluice('explain', ...at, '--statement', 'DROP TABLE customers', '--json')
    expect(denied.code).toBe(1)
    expect(JSON.parse(denied.stdout)).toMatchObject({
      verdict: { verdict: 'deny', rule: 'shop-guard/no-drop' },
      statements: [
        { rules: [{ rule: 'shop-guard/no-drop', value: true, decides: true }, {}, {}, {}] },
      ],
    })
  })

  test('the statement may come from standard input, and the tables from a file', async () => {
    write('tables.sql', 'CREATE TABLE orders (id int PRIMARY KEY);')
    const args = ['policy', 'explain', ...at, '--schema', 'tables.sql', '--statement', '-']
    const found = await run(process.execPath, [ENTRY, ...args], {
      cwd: folder,
      env,
      input: 'DELETE FROM orders WHERE id = 1',
    })
    expect(found.code).toBe(0)
    expect(found.stdout).toContain('by_key          yes')
  })

  test.each([
    [['--connection', 'shpo', '--as', 'ci', '--statement', 'x'], 'there is no shpo'],
    [[...at, '--roles', 'nobody', '--statement', 'x'], 'there is no nobody'],
    [[...at, '--kind', 'robot', '--statement', 'x'], 'expected human or workload'],
    [at, "required option '--statement <sql>' not specified"],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stderr } = await sluice('explain', ...args)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

test('policy schema prints what editors check files by', async () => {
  const { code, stdout } = await sluice('schema')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toHaveProperty('$schema')
})
