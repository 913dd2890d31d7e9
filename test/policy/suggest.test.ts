import { beforeAll, expect, test } from 'vitest'
import { Suggestion } from '../../src/policy/suggest.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { recorded } from './actions.ts'
import { policies, type Setting, setting, tried } from './fixtures.ts'

let shop: Setting
beforeAll(async () => {
  await loadParser()
  shop = setting()
})

const DONE = [
  'SELECT id, total FROM orders WHERE id = $1',
  "UPDATE orders SET status = 'paid' WHERE id = 7",
  'SELECT count(*) FROM customers',
]

function suggestion(statements: readonly string[]): Suggestion {
  const made = new Suggestion("nightly: it's")
  for (const statement of statements) made.add(recorded(shop, statement, {}, 3))
  return made
}

test('what was done passes, and what was never done would be denied', () => {
  const text = suggestion(DONE).text()
  expect(text).toContain('#     allow: [read, write]')
  const enforced = text
    .replace('mode: monitor', 'mode: enforce')
    .replace('roles: [job-nightly--it-s]', 'roles: [agents]')
  const of = { names: shop.names, policies: policies(enforced) }
  const verdict = (statement: string) => tried(of, statement).verdict
  for (const statement of DONE) expect(verdict(statement).verdict).toBe('allow')
  const rule = (statement: string) => verdict(statement).rule.split('/')[1]
  expect(rule('SELECT * FROM contacts')).toBe('other-tables')
  expect(rule("UPDATE customers SET notes = 'x' WHERE id = 1")).toBe('other-writes')
  expect(rule('DELETE FROM orders WHERE id = 1')).toBe('other-commands')
  expect(rule("UPDATE orders SET status = 'x' WHERE customer_id = 1")).toBe('wider-writes')
  expect(rule('COPY orders TO STDOUT')).toBe('other-commands')
})

test('it monitors first, and says what it left out', () => {
  const made = suggestion([...DONE, 'DROP TABLE orders', 'SELEC'])
  expect([made.actions, made.leftOut]).toEqual([9, 6])
  expect(made.text()).toContain('mode: monitor')
  expect(made.text()).toContain('and 6 that were refused or not understood')
})

test('a job of many tables is told by its schemas', () => {
  const made = new Suggestion('wide')
  const one = recorded(shop, 'SELECT id FROM orders')
  for (let n = 0; n < 300; n++)
    made.add({ ...one, facts: one.facts.replaceAll('public.orders', `app.t${n}`) })
  expect(made.text()).toContain('t.startsWith("app.")')
  expect(() => policies(made.text())).not.toThrow()
})

test('a table with a comma in its name stays one', () => {
  const made = new Suggestion('odd')
  const one = recorded(shop, 'SELECT id FROM orders')
  made.add({ ...one, facts: one.facts.replaceAll('public.orders', 'public.a,b') })
  expect(made.text()).toContain('["public.a,b"]')
})
