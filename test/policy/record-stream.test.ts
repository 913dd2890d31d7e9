import { expect, test } from 'vitest'
import { recordedGroups, Unreadable } from '../../src/policy/record-stream.ts'
import type { RecordedGroup } from '../../src/policy/recorded.ts'

const SPAN = { fromMs: 0, untilMs: 4000 }
const WANTED = { span: SPAN, connection: 'shop', reads: [] }

/** A record of so many different actions in each millisecond of the first ones. */
function recordOf(counts: readonly number[]) {
  const asked: string[] = []
  const query = async (sql: string) => {
    asked.push(sql)
    const [from = 0, until = 0] = [...sql.matchAll(/Milli\((\d+), 'UTC'\)/g)].map(([, at]) =>
      Number(at),
    )
    const inside = counts.map((n, at) => ({ n, at })).filter(({ at }) => at >= from && at < until)
    if (sql.includes('AS bucket'))
      return { rows: inside.map(({ n, at }) => ({ bucket: Math.floor(at / 2), n })), cut: false }
    const most = Number(/LIMIT (\d+)$/.exec(sql)?.[1])
    const all = inside.flatMap(({ n, at }) =>
      Array.from({ length: n }, (_, i) => ({ n: 1, sample_id: `${at}-${i}` })),
    )
    return { rows: all.filter((_, at) => at < most), cut: false }
  }
  return { query, asked }
}

async function all(groups: AsyncIterable<readonly RecordedGroup[]>): Promise<string[]> {
  const found: string[] = []
  for await (const some of groups) found.push(...some.map(({ actionId }) => actionId))
  return found
}

test('every action comes once, halves of a slice that is too large included', async () => {
  const { query, asked } = recordOf([6000, 5000, 3, 7000])
  const seen: number[] = []
  const found = await all(recordedGroups(query, WANTED, ({ actions }) => seen.push(actions)))
  expect(new Set(found).size).toBe(18_003)
  expect(found).toHaveLength(18_003)
  expect(seen.at(-1)).toBe(18_003)
  expect(asked.length).toBeGreaterThan(3)
})

test('what cannot be read whole is not counted as if it were', async () => {
  const { query } = recordOf([20_000])
  await expect(all(recordedGroups(query, WANTED, () => {}))).rejects.toThrow(/one millisecond/)
  const cut = async (sql: string) => ({ ...(await query(sql)), cut: true })
  await expect(all(recordedGroups(cut, WANTED, () => {}))).rejects.toThrow(Unreadable)
  const hostile = { ...WANTED, connection: "x' OR 1" }
  await expect(all(recordedGroups(query, hostile, () => {}))).rejects.toThrow(Unreadable)
})
