import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage } from './shown.ts'

beforeAll(loadParser)

test.each([
  "UPDATE quiet SET secret = 'guess'",
  "UPDATE quiet_1 SET pad = 'x', secret = 'guess' WHERE id = 1",
  // Before PostgreSQL 15 what a partition has from its table counts as internal, and is not seen there.
  "UPDATE quiet_2 SET (pad, secret) = ('x', 'guess')",
  "UPDATE quiet_view SET secret = 'guess'",
  "INSERT INTO quiet_1 VALUES (1, 'guess', '') ON CONFLICT (id) DO UPDATE SET secret = EXCLUDED.secret",
  "MERGE INTO quiet q USING pairs p ON q.id = p.a WHEN MATCHED THEN UPDATE SET secret = 'guess'",
])('%s is refused: its count would tell what is equal already', (text) => {
  expect(lineage(text).refusal?.reason).toContain('secret is masked')
})

test.each([
  "UPDATE quiet SET pad = 'x' RETURNING secret",
  "INSERT INTO quiet VALUES (1, 'value', '')",
  "MERGE INTO quiet q USING pairs p ON q.id = p.a WHEN NOT MATCHED THEN INSERT VALUES (1, 'value', '')",
  "UPDATE customers SET email = 'value' WHERE id = 1",
])('%s passes', (text) => {
  expect(lineage(text).refusal).toBeUndefined()
})
