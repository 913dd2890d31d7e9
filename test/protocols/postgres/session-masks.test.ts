import { beforeAll, describe, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, MASKED, outcomes, recorded, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

const ALLOWED = MASKED.replace('redact }', 'redact, in_predicates: allow }')

function statement(text: string, ...head: string[]): string | undefined {
  return recorded(talk(...head, `C> Query "${text}"`)).find((line) => line.startsWith('action'))
}

describe('texts in the record', () => {
  test('literals that meet a masked column are hidden, others are not', () => {
    const text = "SELECT name FROM customers WHERE email = 'ada@x.org'"
    expect(statement(text, ALLOWED)).toContain("email = '****'")
    expect(statement("SELECT id FROM orders WHERE status = 'new'", ALLOWED)).toContain("'new'")
  })

  test.each([
    "SELECT c.id FROM customers c JOIN orders o ON c.email = 'ada'",
    "SELECT count(*) FROM customers HAVING max(email) = 'ada'",
    "SELECT count(*) FILTER (WHERE email = 'ada') FROM customers",
    "SELECT id FROM customers ORDER BY email = 'ada'",
    "SELECT CASE email WHEN 'ada' THEN 1 END FROM customers",
    "WITH w(e) AS (VALUES ('ada')) SELECT id FROM customers JOIN w ON w.e = email",
    "SELECT email = 'ada' FROM customers",
    "SELECT coalesce(email, 'ada') FROM customers",
  ])('wherever they meet it: %s', (text) => {
    expect(statement(text, ALLOWED)).not.toContain('ada')
  })

  test('nor does an error that quotes one stand there, which the client reads', () => {
    const play = talk(
      MASKED,
      `C> Query "INSERT INTO customers (id, email) VALUES ('ada', 'x')"`,
      `U> Error 22P02 "invalid input syntax for type integer: ada" P "44" | Ready I`,
    )
    expect(down(play).join()).toContain('ada')
    const kept = Buffer.from(outcomes(play)[0]?.payload ?? []).toString('latin1')
    expect(kept).toContain('22P02')
    expect(kept).not.toContain('ada')
  })

  test('beside a masked column that only comes out they stay', () => {
    expect(statement('SELECT email FROM customers LIMIT 17', ALLOWED)).toContain('LIMIT 17')
  })

  test('so are those of refused and of not understood texts', () => {
    expect(statement("SELECT name FROM customers WHERE email = 'ada'", MASKED)).not.toContain('ada')
    expect(statement("SELEC 'ada'", MASKED)).not.toContain('ada')
  })

  test('what a write puts into a masked column is hidden', () => {
    const text = "INSERT INTO customers VALUES (1, 'n', 'ada', 's', 'x')"
    expect(statement(text, MASKED)).not.toContain('ada')
  })

  test('what a detector hits is hidden anywhere', () => {
    const detects = 'policy:\n  masks:\n    - { detect: [credit_card], with: redact }'
    const shown = statement("SELECT '4111111111111111', 'new'", detects)
    expect(shown).not.toContain('4111')
    expect(shown).toContain("'new'")
  })

  test('masks that only monitor hide in the record as others do', () => {
    const monitor = ALLOWED.replace('policy:', 'policy:\n  mode: monitor')
    const text = "SELECT name FROM customers WHERE email = 'ada@x.org'"
    expect(statement(text, monitor)).toContain("email = '****'")
  })
})

test('a long text that no thread can parse is refused, and the session goes on', async () => {
  const play = talk(`C> Query "SELECT '${'x'.repeat(20_000)}'" | Query "SELECT 1"`)
  expect(up(play)).toEqual([])
  for (let i = 0; i < 500 && up(play).length === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(down(play)[0]).toMatch(/^E .*C42601/)
  expect(up(play)).toEqual(['Q "SELECT 1·"'])
  expect(play.client.isPaused).toBe(false)
})

test('an alias does not hide what a column is called from detectors', () => {
  const policy = `policy:
  detectors: [{ name: desk-number, pattern: '[0-9]{4}', words: [notes] }]
  masks:
    - { detect: [desk-number], with: redact }`
  const shown = (column: string) =>
    down(
      talk(
        policy,
        'C> Query "SELECT notes AS x FROM customers"',
        `U> RowDescription ${column} | DataRow "1234" | CommandComplete "SELECT 1" | Ready I`,
      ),
    ).join()
  expect(shown('x=customers.notes:text')).toContain('****')
  expect(shown('notes=customers.name:text')).toContain('****')
  expect(shown('x=customers.name:text')).toContain('1234')
})

describe('pseudonyms', () => {
  const PSEUDONYM = MASKED.replace('redact', 'pseudonym')
  const rows = (...head: string[]) =>
    down(
      talk(
        ...head,
        'C> Query "SELECT email FROM customers"',
        'U> RowDescription email=customers.email:text | DataRow "ada@x.org" | CommandComplete "SELECT 1" | Ready I',
      ),
    ).join()

  test('are redacted to a role that could give guesses a name that a mask says', () => {
    expect(rows(PSEUDONYM, 'allow: read write')).toContain('pn_')
    expect(rows(PSEUDONYM, 'allow: read write schema')).not.toContain('pn_')
    expect(rows(PSEUDONYM, 'allow: read write schema')).toContain('****')
  })

  test('and it compares nothing with them', () => {
    const text = `C> Query "SELECT id FROM customers WHERE email = 'pn_x'"`
    expect(down(talk(PSEUDONYM, 'allow: read schema', text)).join()).toMatch(/cannot decide/)
  })
})
