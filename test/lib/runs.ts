/** IO. Waits until a statement that ends in `end` runs at the target: only then a cancel can hit it. */
import { expect } from 'vitest'
import type { Postgres } from './postgres.ts'

export async function runs({ sql }: Pick<Postgres, 'sql'>, end: string): Promise<void> {
  // Ends otherwise itself.
  const asked = `SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%${end}'`
  await expect.poll(() => sql(asked)).toBe('t')
}
