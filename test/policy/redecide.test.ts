import { beforeAll, describe, expect, test } from 'vitest'
import type { RecordedGroup } from '../../src/policy/recorded.ts'
import {
  isMaskRefusal,
  Memory,
  masksUnder,
  type Remembered,
  redecide,
} from '../../src/policy/redecide.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { loadCorpus } from '../corpus/sql/corpus.ts'
import { recorded, recordedOf } from './actions.ts'
import { config, MONITOR, POLICY, policies, type Setting, setting, tried } from './fixtures.ts'

let shop: Setting
beforeAll(async () => {
  await loadParser()
  shop = setting()
})

function remember(group: RecordedGroup): Remembered {
  const remembered = new Memory(config()).recall(group)
  if (typeof remembered === 'string') throw new Error(remembered)
  return remembered
}

const RULE = (when: string, then = 'deny') =>
  `apiVersion: sluice/v1\nkind: Policy\nname: c\nrules:\n  - { id: r, when: '${when}', then: ${then} }\n`

function again(statement: string, when: string, then?: string) {
  return redecide(remember(recorded(shop, statement)), policies(RULE(when, then)))
}

test('under the same policies every statement of the corpus gets the verdict that was recorded', () => {
  let count = 0
  const wrong: string[] = []
  for (const { id, steps, as } of loadCorpus()) {
    if (steps.length > 1) continue
    const before = tried(shop, steps[0]!, { roles: as === 'all' ? ['dba'] : ['agents'] })
    if (before.statements.length !== 1) continue
    const group = recordedOf(before, steps[0]!)
    const found = redecide(remember(group), shop.policies)
    // That a mask refused it, the record says; the rules alone do not.
    if (isMaskRefusal(group)) continue
    count++
    // `parameters` reads literals, which are not recorded; it only monitors.
    const was = group.verdict === 'allow' ? 'allow' : 'deny'
    if (found.verdict !== was && found.because === '') wrong.push(`${id}: ${was} ${found.verdict}`)
    if (was === 'deny' && found.rule !== group.rule && group.verdict === 'denied')
      wrong.push(`${id}: ${group.rule} ${found.rule}`)
  }
  expect(wrong).toEqual([])
  expect(count).toBeGreaterThan(250)
})

describe('nothing is guessed', () => {
  test.each([
    ['size(sql.literals) > 0', 'c/r reads sql.literals'],
    ['"x" in sql.params', 'c/r reads sql.params'],
    ['findings.exists(f, f.count > 0)', 'c/r reads findings'],
    ['action.text.contains("x")', 'c/r reads action.text'],
    ['session.rows > 5', 'c/r reads session.rows'],
    ['identity.issuer == "gateway"', 'c/r reads identity.issuer'],
    ['sql.has_where && size(sql.literals) > 0', 'c/r reads sql.literals'],
  ])('%s', (when, because) => {
    expect(again('SELECT id FROM orders WHERE id = 1', when)).toMatchObject({
      verdict: 'unknown',
      because,
    })
  })

  test('findings are those that were recorded, where a rule of then read them', () => {
    const KEY = 'findings.exists(f, f.detector == "email" && f.where == "text")'
    const then = setting(RULE('findings.exists(f, f.count > 5)'))
    const group = (statement: string, facts = (text: string) => text) => {
      const one = recorded(then, statement)
      return remember({ ...one, facts: facts(one.facts) })
    }
    const now = policies(RULE(KEY))
    expect(redecide(group("SELECT 'ada@example.com'"), now)).toMatchObject({ verdict: 'deny' })
    expect(redecide(group('SELECT 1'), now)).toMatchObject({ verdict: 'allow' })
    const unknown = { verdict: 'unknown', because: 'c/r reads findings' }
    const broken = (text: string) => text.replace('"count":1', '"count":"1"')
    expect(redecide(group("SELECT 'ada@example.com'", broken), now)).toMatchObject(unknown)
    // What a detector of the candidate's own would have seen, nobody has looked for.
    const own = RULE(KEY).replace(
      'rules:',
      "detectors: [{ name: badge-number, pattern: 'EMP-[0-9]{6}' }]\nrules:",
    )
    expect(redecide(group("SELECT 'ada@example.com'"), policies(own))).toMatchObject(unknown)
    // And one of another policy's own is none of the candidate's.
    const foreign = (text: string) => text.replace('"email"', '"e-mail"')
    const any = policies(RULE('findings.size() > 0'))
    expect(redecide(group("SELECT 'ada@example.com'", foreign), any)).toMatchObject({
      verdict: 'allow',
    })
  })

  test.each([
    ['sql.writes && size(sql.literals) > 0', 'allow'],
    ['sql.has_where || size(sql.literals) > 0', 'deny'],
    ['session.client_ip == "10.0.0.1"', 'deny'],
    ['identity.subject == "ci" && connection.labels.env == "prod"', 'deny'],
    ['now > timestamp("2020-01-01T00:00:00Z")', 'allow'],
    ['"nightly" == job.id', 'allow'],
    ['connection.labels["none"] == "x"', 'deny'],
  ])('%s hangs on what is known', (when, verdict) => {
    expect(again('SELECT id FROM orders WHERE id = 1', when).verdict).toBe(verdict)
  })
})

test('another rule that is true settles it, whatever is not known of the first', () => {
  const both = policies(RULE('"x" in sql.params'), RULE('sql.writes').replace('name: c', 'name: d'))
  const found = redecide(remember(recorded(shop, 'DELETE FROM orders WHERE id = 1')), both)
  expect(found).toMatchObject({ verdict: 'deny', rule: 'd/r' })
})

test('a permission that cannot be told denies nothing; one that fails does', () => {
  expect(again('SELECT 1', '"x" in sql.params', 'allow')).toMatchObject({
    verdict: 'allow',
    rule: '',
  })
  expect(again('SELECT 1', 'connection.labels["none"] == "x"', 'allow').verdict).toBe('deny')
})

test('a policy in mode monitor says what it would do', () => {
  const found = redecide(
    remember(recorded(shop, 'SELECT id FROM orders WHERE id = 1')),
    policies(MONITOR.replace('size(sql.literals) > 0', 'true')),
  )
  expect(found).toMatchObject({ verdict: 'allow', wouldDeny: 'soon/parameters' })
})

test('what the configuration does not know any more cannot be decided, and says why', () => {
  const group = recorded(shop, 'SELECT 1')
  const recall = (change: Partial<RecordedGroup>) =>
    new Memory(config()).recall({ ...group, ...change })
  expect(recall({ connection: 'gone' })).toBe('the configuration has no such connection any more')
  expect(recall({ roles: ['gone'] })).toBe('the configuration has no role gone any more')
  expect(recall({ connection: 'lab', database: 'lab' })).toBe(
    'its roles do not grant the connection any more',
  )
  expect(recall({ facts: '' })).toBe('no facts were recorded')
  expect(recall({ facts: '{"classes":["read"]}' })).toBe('no facts of SQL were recorded')
  expect(recall({ facts: '{"classes":["read"],"sql":{"commands":[]}}' })).toBe(
    'some facts were not recorded by the version of then',
  )
  expect(recall({ facts: '{"classes":["none"],"sql":{}}' })).toBe('no facts were recorded')
})

test('masks are told by the columns that the statement names', () => {
  const remembered = remember(recorded(shop, 'SELECT email, id FROM customers'))
  expect(masksUnder(remembered, shop.policies)).toContain('public.customers.email ')
  expect(
    masksUnder(
      remembered,
      policies(POLICY.replace('public.customers.email', 'public.customers.name')),
    ),
  ).toBe('')
  expect(
    masksUnder(remembered, policies(POLICY.replace('public.customers.email', '"*.*.email"'))),
  ).toBe(masksUnder(remembered, shop.policies))
})

test('refusals that no rule explains are not called allowed', () => {
  const group = {
    ...recorded(shop, 'SET ROLE postgres', { roles: ['dba'] }),
    verdict: 'not_allowed',
    rule: '',
  }
  expect(redecide(remember(group), shop.policies)).toMatchObject({ verdict: 'unknown' })
})
