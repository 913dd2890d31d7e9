import { expect, test } from 'vitest'
import type { Explained } from '../../src/policy/explain.ts'
import { explanationText } from '../../src/policy/explain-text.ts'

const verdict = {
  verdict: 'deny',
  kind: 'denied',
  rule: 'p/r',
  say: 'No.',
  hint: 'Yes.',
  position: 7,
  because: 'So.',
} as const

const EXPLAINED: Explained = {
  statement: '\nSELECT 1,\n  2\n',
  as: { subject: 'ci', kind: 'human', groups: ['a'], roles: [], job: 'j' },
  connection: 'c',
  database: 'd',
  names: 'no catalogue',
  verdict,
  policies: [
    { name: 'p', mode: 'monitor', applies: true },
    { name: 'q', mode: 'enforce', applies: false },
  ],
  allowed: ['read'],
  statements: [],
  detectors: {},
}

test('all that is known stands there, with nothing made up', () => {
  expect(explanationText(EXPLAINED, (text) => text)).toBe(`  SELECT 1,
    2

  who             human ci, as no role, groups a, job j
  where           c/d; no catalogue
  policies        p (monitor); 1 more that does not apply here

  verdict         DENY (denied), p/r
  because         So.
  client reads    No.
  hint            Yes.
  at              character 7
`)
})

test('long lists are cut, and long lines broken', () => {
  const tables = Array.from({ length: 40 }, (_, n) => `public.table_number_${n}`)
  const one = {
    text: 'SELECT 1',
    verdict: { ...verdict, verdict: 'allow', kind: '', say: '', hint: '', position: 0 } as const,
    classes: [{ class: 'read', allowed: true } as const],
    reasons: [],
    facts: { 'sql.tables': tables },
    rules: [
      {
        rule: 'p/r',
        then: 'deny',
        mode: 'enforce',
        value: true,
        when: 'a\n  && b',
        reads: { 'sql.tables': tables },
        decides: true,
      } as const,
    ],
    outputs: undefined,
    deciding: [],
  }
  const text = explanationText({ ...EXPLAINED, statements: [one] }, (part) => part)
  expect(text).toContain('… 28 more')
  expect(text).toContain('a && b')
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(104)
})
