import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findConfig, formatProblems, loadPolicies, loadSettings } from '../../src/config/load.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'

const knownDetectors = new Set(['email'])
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-load-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function put(path: string, text: string | Uint8Array): string {
  const full = join(folder, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, text)
  return full
}

function load() {
  return loadSettings(join(folder, 'sluice.yaml'), { knownDetectors, policyVersion: 7 })
}

function problems(): string {
  const result = load()
  return 'problems' in result ? formatProblems(result.problems).replaceAll(folder, '') : ''
}

const policy = (name: string, when = 'sql.writes') => `apiVersion: sluice/v1
kind: Policy
name: ${name}
rules: [{ id: r, when: '${when}', then: deny }]
`

test('settings hold the configuration and the policy files, sorted', () => {
  put('sluice.yaml', 'policies: [./more, ./policies]\n')
  put('policies/b.yaml', policy('b'))
  put('policies/a.yml', policy('a'))
  put('policies/team/c.yaml', policy('c'))
  put('policies/notes.md', 'nothing')
  put('policies/.hidden.yaml', '{{{')
  put('more/z.yaml', policy('z'))
  const result = load()
  expect('settings' in result && result.settings.policyVersion).toBe(7)
  const names = 'settings' in result ? result.settings.policyFiles.map(({ path }) => path) : []
  expect(names.map((path) => path.replace(folder, ''))).toEqual([
    '/more/z.yaml',
    '/policies/a.yml',
    '/policies/b.yaml',
    '/policies/team/c.yaml',
  ])
})

test('the example loads, with nothing to complain about but two passwords', () => {
  const result = loadSettings('deploy/examples/sluice.yaml', { knownDetectors: KNOWN_DETECTORS })
  expect('settings' in result && result.settings.policyFiles.length).toBe(8)
  const warnings = 'warnings' in result ? result.warnings : []
  expect(warnings.map(({ message }) => message)).toEqual([
    'the variable DEMO_PASSWORD is not set',
    'the variable PROD_PASSWORD is not set',
  ])
})

test('an empty policy folder is valid', () => {
  put('sluice.yaml', 'policies: [./policies]\n')
  mkdirSync(join(folder, 'policies'))
  expect(problems()).toBe('')
})

test('what is referred to has to be there', () => {
  put(
    'sluice.yaml',
    `policies: [./nowhere]
listeners:
  - { protocol: postgres, listen: 127.0.0.1:0, tls: { cert: c.pem, key: { file: k.pem } } }
connections:
  a:
    type: postgres
    address: h:1
    database: d
    tls: { mode: verify-full, ca: ca.pem }
    credential: { user: u, password: { file: secret } }
`,
  )
  expect(problems()).toBe(
    [
      '/sluice.yaml:1:12 policies[0]: there is no such file or folder: /nowhere',
      '/sluice.yaml:3:61 listeners[0].tls.cert: there is no such file: /c.pem',
      '/sluice.yaml:3:81 listeners[0].tls.key.file: there is no such file: /k.pem',
      '/sluice.yaml:9:35 connections.a.tls.ca: there is no such file: /ca.pem',
      '/sluice.yaml:10:46 connections.a.credential.password.file: there is no such file: /secret',
    ].join('\n'),
  )
})

test('a variable that is not set is a warning, since it may be set when the gateway starts', () => {
  put(
    'sluice.yaml',
    `connections:
  a:
    type: postgres
    address: h:1
    database: d
    credential: { user: u, password: { env: SLUICE_TEST_NOT_SET } }
`,
  )
  const result = load()
  expect('warnings' in result && result.warnings[0]).toMatchObject({ line: 6 })
})

test('problems of all policy files come at once', () => {
  put('sluice.yaml', 'policies: [./policies]\n')
  put('policies/a.yaml', policy('a', 'sql.wites'))
  put('policies/b.yaml', policy('a'))
  put('policies/c.yaml', policy('a'))
  put('policies/d.yaml', Uint8Array.of(0xff, 0xfe))
  symlinkSync('nowhere', join(folder, 'policies/e.yaml'))
  expect(problems()).toBe(
    [
      '/policies/a.yaml:4:29 rules[0].when: sql.wites is not a fact (did you mean writes?)',
      '/policies/c.yaml the name a is also that of /policies/b.yaml',
      '/policies/d.yaml not UTF-8',
      '/policies/e.yaml cannot be read (ENOENT)',
    ].join('\n'),
  )
})

test('a file that cannot be read is a problem, not an exception', () => {
  expect(problems()).toBe('/sluice.yaml cannot be read (ENOENT)')
  mkdirSync(join(folder, 'sluice.yaml'))
  expect(problems()).toBe('/sluice.yaml cannot be read (EISDIR)')
})

test('the configuration is found by flag, then by variable', () => {
  expect(findConfig('/a/b.yaml', { SLUICE_CONFIG: '/c.yaml' })).toBe('/a/b.yaml')
  expect(findConfig(undefined, { SLUICE_CONFIG: '/c.yaml' })).toBe('/c.yaml')
})

test('policies of a configuration without a file are loaded alike', () => {
  put('sluice.yaml', 'policies: [./policies]\n')
  put('policies/a.yaml', policy('a'))
  const result = load()
  if (!('settings' in result)) throw new Error('not loaded')
  const { config } = result.settings
  const again = loadPolicies({ ...config, path: undefined }, { knownDetectors })
  expect('settings' in again && again.settings.policyFiles).toHaveLength(1)
})

test('a key of the spool that is none is said by file, line and line of the secret, and not repeated', () => {
  const good = Buffer.from('sixteen bytes and sixteen more .').toString('base64')
  put('sluice.yaml', 'recorder:\n  spool:\n    encrypt: { file: spool.key }\n')
  const at = '/sluice.yaml:3:22 recorder.spool.encrypt.file'
  expect(problems()).toBe(`${at}: there is no such file: /spool.key`)
  put('spool.key', `${good}\n${good.substring(4)}\n`)
  expect(problems()).toMatch(`${at}: /spool.key: line 2 of the secret: expected a key of 32 bytes`)
  expect(problems()).not.toContain(good.substring(4))
  put('spool.key', '')
  expect(problems()).toMatch(`${at}: /spool.key: the secret holds no key`)
  put('spool.key', `${good}\n`)
  expect(problems()).toBe('')
  put('sluice.yaml', 'recorder: { spool: { encrypt: { env: SLUICE_TEST_SPOOL } } }')
  try {
    process.env.SLUICE_TEST_SPOOL = 'hunter2'
    expect(problems()).toMatch(
      'SLUICE_TEST_SPOOL: line 1 of the secret: expected a key of 32 bytes',
    )
    expect(problems()).not.toContain('hunter2')
    delete process.env.SLUICE_TEST_SPOOL
    const result = load()
    expect('warnings' in result && result.warnings[0]?.message).toContain('is not set')
  } finally {
    delete process.env.SLUICE_TEST_SPOOL
  }
})
