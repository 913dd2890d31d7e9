import { expect, test } from 'vitest'
import { ACTIONS_MAX, newIndex, takeRows, timeOf } from '../../src/replay/bundle-index.ts'

const ROW = { protocol: 'postgres', session_id: '01S', subject: 'ci', instance: 'I', seq: 1, ts: 0 }

test('claims, actions with their outcomes, moments, policies and digests are told apart', () => {
  const index = newIndex()
  const action = { ...ROW, kind: 'action', seq: 2, action_seq: 2, statement: 'SELECT 1' }
  const said = JSON.stringify({ version: 3, file: 'a.yaml', text: 'rules: []' })
  takeRows(index, [
    { ...ROW, kind: 'login', status: 'ok', text: '{}' },
    { ...action, verdict: 'allow', policy_version: 3, request_id: 'req_1', facts: '{"sql":{}}' },
    {
      ...ROW,
      kind: 'outcome',
      seq: 3,
      action_seq: 2,
      status: 'ok',
      error: '',
      rows: 1,
      masked: {},
    },
    { ...ROW, kind: 'sealed', seq: 4, text: '{"batch":1}' },
    { ...ROW, kind: 'close', seq: 5, status: 'client closed', text: '' },
    { ...ROW, kind: 'policy', protocol: 'control', status: '3', text: said },
    { ...ROW, kind: 'policy', protocol: 'control', status: '3', text: 'no JSON' },
  ])
  expect(index.claims.find(([name]) => name === 'subject')).toEqual(['subject', 'ci'])
  expect(index.actions.get(2)?.outcome).toMatch(/^ok : 1 rows/)
  expect(index.moments).toHaveLength(2)
  expect([...index.policies]).toEqual([['I version 3: a.yaml', 'rules: []']])
  expect([...index.requests]).toEqual(['req_1'])
  expect(index.sealed).toEqual(['4: {"batch":1}'])
})

test('of a long session a part is listed, and how many more there are', () => {
  const index = newIndex()
  const rows = Array.from({ length: ACTIONS_MAX + 3 }, (_, i) => ({
    ...ROW,
    kind: 'action',
    seq: i,
  }))
  takeRows(index, rows)
  expect([index.actions.size, index.actionsLeft]).toEqual([ACTIONS_MAX, 3])
})

test('no time is no error', () => {
  expect(timeOf(Number.NaN)).toBe('?')
  expect(timeOf(0)).toBe('1970-01-01T00:00:00.000Z')
})
