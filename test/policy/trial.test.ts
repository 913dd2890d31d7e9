import { beforeAll, describe, expect, test } from 'vitest'
import { grantOf, tryOut } from '../../src/policy/trial.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { asked, config, POLICY, type Setting, setting, tried } from './fixtures.ts'

let shop: Setting
beforeAll(async () => {
  await loadParser()
  shop = setting()
})

function verdict(statement: string, more: Parameters<typeof asked>[1] = {}): string {
  const { verdict: found } = tried(shop, statement, more)
  return found.verdict === 'allow' ? `allow ${found.rule}` : `${found.kind} ${found.rule}`
}

describe('a message is judged as the gateway judges it', () => {
  test.each([
    ['SELECT 1', 'allow '],
    ['DROP TABLE orders', 'denied shop-guard/no-drop'],
    ['CREATE TABLE x (a int)', 'not_allowed '],
    ['SELEC 1', 'not_understood '],
    ['DELETE FROM orders WHERE id = 1', 'allow shop-guard/keyed'],
    ['SELECT 1; DELETE FROM orders', 'denied shop-guard/unbounded-write'],
    ['PREPARE p AS DELETE FROM orders; EXECUTE p', 'denied shop-guard/unbounded-write'],
    ['EXECUTE unseen', 'not_understood '],
    ['COPY customers TO STDOUT (FORMAT binary)', 'allow '],
    ["COPY customers TO STDOUT (ENCODING 'latin1')", 'denied shop-guard/mask-1'],
    ['SELECT id FROM customers WHERE ssn = $1', 'denied shop-guard/mask-2'],
    [`SELECT '${'x'.repeat(1 << 20)}'`, 'not_understood '],
    ['', 'allow '],
  ])('%.60s', (statement, wanted) => {
    expect(verdict(statement)).toBe(wanted)
  })
})

test('roles that are named are held; without them membership decides', () => {
  expect(grantOf(asked('', { roles: ['dba'] }), config())?.roles).toEqual(['dba'])
  expect(grantOf(asked('', { roles: undefined }), config())?.roles).toEqual(['agents'])
  expect(grantOf(asked('', { roles: undefined, kind: 'human' }), config())).toBeUndefined()
  expect(grantOf(asked('', { roles: undefined, groups: ['dba'] }), config())?.roles).toEqual([
    'agents',
    'dba',
  ])
  expect(grantOf(asked('', { connection: 'lab' }), config())).toBeUndefined()
  expect(grantOf(asked('', { database: 'other' }), config())).toBeUndefined()
  expect(verdict('SELECT 1', { connection: 'lab' })).toBe('not_allowed ')
})

test('rules read parameters, findings, the transaction and the job', () => {
  const rule = (when: string) =>
    setting(
      `${POLICY}`.replace(/rules:[\s\S]*/, `rules: [{ id: r, when: '${when}', then: deny }]\n`),
    )
  const denied = (when: string, statement: string, more: Parameters<typeof asked>[1] = {}) =>
    tryOut(asked(statement, more), { ...rule(when), config: config(), now: 0 }).verdict.verdict
  expect(denied('"7" in sql.params', 'SELECT $1', { params: ['7'] })).toBe('deny')
  expect(denied('"7" in sql.params', 'SELECT $1', { params: ['8'] })).toBe('allow')
  const key = 'findings.exists(f, f.detector == "private_key")'
  expect(denied(key, "SELECT '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----'")).toBe(
    'deny',
  )
  expect(denied(key, 'SELECT 1')).toBe('allow')
  const own = 'findings.exists(f, f.detector == "badge-number" && f.where == "params")'
  const badge = { params: ['EMP-123456'] }
  expect(denied(own, 'SELECT $1', badge)).toBe('allow')
  const declared = `${own}', then: deny }]\ndetectors: [{ name: badge-number, pattern: 'EMP-[0-9]{6}' }]\nmasks: [] #`
  expect(denied(declared, 'SELECT $1', badge)).toBe('deny')
  expect(denied('sql.in_transaction', 'SELECT 1', { inTransaction: true })).toBe('deny')
  expect(denied('sql.in_transaction', 'BEGIN; SELECT 1')).toBe('deny')
  expect(denied('job.id == "nightly" && job.verified', 'SELECT 1', { job: 'nightly' })).toBe('deny')
  expect(denied('now > timestamp("1970-01-02T00:00:00Z")', 'SELECT 1')).toBe('allow')
})

test('every rule that speaks of the grant is there with its value', () => {
  const { statements } = tried(shop, 'DELETE FROM orders')
  expect(statements[0]?.rules.map(({ rule, value }) => [rule.id, value])).toEqual([
    ['no-drop', false],
    ['unbounded-write', true],
    ['keyed', false],
    ['parameters', false],
  ])
  const opaque = tried(shop, 'SELEC').statements[0]
  expect(opaque?.rules.every(({ value }) => value === 'error')).toBe(true)
})
