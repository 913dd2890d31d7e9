/** Masked results in bounded memory: many rows, and rows larger than any buffer. Gigabytes stand in test/suites. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { counted } from '../lib/counted.ts'
import { CARD, forms, LOOK_FOR, maskedResults, SECRET } from '../lib/masked-results.ts'
import type { Stage } from '../lib/stage.ts'
import { query, WireClient } from '../lib/wire-client.ts'

const MIB = 16

let stage: Stage

beforeAll(async () => {
  stage = await maskedResults()
}, 180_000)
afterAll(() => stage?.stop())

function ask(frames: readonly Buffer[], lookFor: readonly string[]) {
  return WireClient.login(stage.url('read', 'hidden')).then((client) =>
    counted(client, stage.gateway.pid, { send: () => client.send(...frames), lookFor }).finally(
      () => client.end(),
    ),
  )
}

test.each(forms(MIB))(
  'many rows stream through: %s',
  async (_, frames) => {
    const result = await ask(frames, LOOK_FOR)
    expect(result).toMatchObject({ closed: undefined, seen: ['****'] })
    expect(result.bytes).toBeGreaterThan(0.8 * MIB * 2 ** 20)
    expect(result.moreMiB).toBeLessThan(150)
  },
  180_000,
)

describe('one row', () => {
  const fill = (mib: number) =>
    stage.server.sql(
      `TRUNCATE huge; INSERT INTO huge SELECT 1, '${SECRET}' || repeat('s', ${mib << 20}), NULL`,
      'shop',
    )

  test('of 40 MiB, larger than any buffer, is masked and held about three times', async () => {
    fill(40)
    for (const text of ['SELECT id, secret FROM huge', 'COPY huge TO STDOUT (FORMAT binary)']) {
      const result = await ask([query(text)], [SECRET])
      expect(result).toMatchObject({ closed: undefined, seen: [] })
      expect(result.bytes).toBeGreaterThan(40 << 20)
      expect(result.moreMiB).toBeLessThan(300)
    }
  }, 180_000)

  test('beyond the limit ends the session, and is not held', async () => {
    fill(150)
    for (const text of ['SELECT * FROM huge', 'COPY huge TO STDOUT (FORMAT binary)']) {
      const result = await ask([query(text)], [SECRET])
      expect(result.closed).toContain('C08P01')
      expect(result.seen).toEqual([])
      expect(result.moreMiB).toBeLessThan(300)
    }
  }, 180_000)

  test('with a large document shows none of it, and the record says so', async () => {
    stage.server.sql(
      `TRUNCATE huge; INSERT INTO huge SELECT 1, NULL,
         jsonb_build_object('card', '${CARD}', 'rest', array_agg(repeat('x', 1000)))
         FROM generate_series(1, 10000)`,
      'shop',
    )
    const { bytes, seen } = await ask([query('SELECT id, doc FROM huge')], [CARD, '"****"'])
    expect(seen).toEqual(['"****"'])
    expect(bytes).toBeLessThan(1000)
    const sql = `SELECT count() AS n FROM events WHERE position(toString(masked), 'doc (too large)') > 0`
    await stage.gateway.eventually(sql, ([row]) => Number(row?.n) === 1)
  }, 180_000)
})
