/** Twenty statements of the corpus, explained; `explained.txt` beside this file is what a reviewer reads. */
import { beforeAll, expect, test } from 'vitest'
import { printable } from '../../src/cli/table.ts'
import { explain } from '../../src/policy/explain.ts'
import { explanationText } from '../../src/policy/explain-text.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { loadCorpus } from '../corpus/sql/corpus.ts'
import { asked, type Setting, setting, tried } from './fixtures.ts'

const STATEMENTS = [
  'masked-outputs/ok-star',
  'masked-outputs/max',
  'masked-outputs/whole-row',
  'masked-outputs/substr',
  'masked-outputs/ok-join',
  'masked-predicates/where-equal',
  'masked-predicates/order-by',
  'masked-copies/insert-select',
  'bounded/no-where',
  'bounded/using-join',
  'bounded/ok-key',
  'writing/cte-delete',
  'writing/do-block',
  'writing/function-in-where',
  'writing/partition-write',
  'escalation/set-role',
  'several/middle',
  'prepared/masked-prepare-predicate',
  'spelling/drop-comment-inside',
  'spelling/drop-zero-width',
]

let shop: Setting
beforeAll(async () => {
  await loadParser()
  shop = setting()
})

function explained(statement: string, more: Parameters<typeof asked>[1] = {}) {
  const about = { policies: shop.policies, names: 'tables as schema.sql says' }
  return explain(asked(statement, more), tried(shop, statement, more), about)
}

test('twenty statements of the corpus read as they are kept', async () => {
  const corpus = new Map(loadCorpus().map((one) => [one.id, one]))
  const texts = STATEMENTS.map((id) => {
    const one = corpus.get(id)
    if (one === undefined) throw new Error(`there is no ${id} in the corpus`)
    return `━━━ ${id}\n\n${explanationText(explained(one.steps.join('; ')), printable)}`
  })
  await expect(texts.join('\n')).toMatchFileSnapshot('./explained.txt')
})

test('the verdict says what settled it, in the order of the gateway', () => {
  const because = (statement: string, more: Parameters<typeof asked>[1] = {}) =>
    explained(statement, more).verdict.because
  expect(because('SELECT 1')).toBe(
    'Each of its classes (read) is allowed by the roles agents, no rule denies it, and no mask refuses it.',
  )
  expect(because('DROP TABLE orders')).toBe(
    'The rule shop-guard/no-drop is true, and it denies. Without it: The class schema is allowed by none of the roles agents.',
  )
  expect(because('CREATE TABLE x (a int)')).toBe(
    'The class schema is allowed by none of the roles agents.',
  )
  expect(because('UPDATE orders SET status = $1 WHERE id = $2')).toMatch(
    /The rule shop-guard\/keyed names it\.$/,
  )
  expect(because("SELECT 1 FROM orders WHERE status = 'x'")).toMatch(
    /The rule soon\/parameters, in mode monitor, would have denied it\.$/,
  )
  expect(because('SELECT id FROM customers WHERE ssn = $1')).toBe(
    'The mask shop-guard/mask-2 hides what the statement would tell otherwise.',
  )
  expect(because('SELECT 1', { roles: ['dba'], connection: 'lab', database: 'other' })).toBe(
    'No role of this identity grants the connection and database.',
  )
  expect(because('SELECT 1; DELETE FROM orders')).toBe(
    'Statement 2 is refused, and one refused refuses the whole message. The rule shop-guard/unbounded-write is true, and it denies.',
  )
  expect(because('SELECT 1; SELECT 2')).toBe('All 2 statements are allowed.')
  expect(because('')).toBe('The text holds no statement.')
})

test('every rule is there with its value and what it read, and the one that decides is marked', () => {
  const { rules } = explained('DELETE FROM orders').statements[0]!
  expect(rules.map(({ rule, value, decides }) => [rule, value, decides])).toEqual([
    ['shop-guard/no-drop', false, false],
    ['shop-guard/unbounded-write', true, true],
    ['shop-guard/keyed', false, false],
    ['soon/parameters', false, false],
  ])
  expect(rules[1]?.reads).toEqual({ 'sql.writes': true, 'sql.bounded': false })
})

test('a terminal obeys nothing that stands in a statement', () => {
  const text = explanationText(explained('SELECT 1 AS "\u001b]0;owned\u0007\u202e"'), printable)
  expect(text).toContain('\\x1b]0;owned\\x07\\u202e')
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
})

test('the document is plain data', () => {
  const document = explained("UPDATE orders SET status = 'x' WHERE id = 1")
  expect(JSON.parse(JSON.stringify(document))).toEqual(document)
})
