import { describe, expect, test } from 'vitest'
import { stream } from '../../../src/control/api/replay.ts'
import { type Ask, Reading } from '../../../src/replay/reading.ts'

/** A store whose rows and status change while it is asked; `at` counts the questions for the status. */
function session({ rows, status }: { rows: (at: number) => number; status: string }) {
  let at = 0
  const ask: Ask = ({ sql, params }) => {
    const { after = 0, to = Number.POSITIVE_INFINITY } = params as { after?: number; to?: number }
    const seqs = Array.from({ length: rows(at) }, (_, i) => i + 1)
    const found = seqs.filter((seq) => seq > after && seq <= to)
    const isSizes = sql.startsWith('SELECT seq, length(')
    const of = (seq: number) =>
      isSizes ? { seq, payload: 0, others: 1 } : { seq, kind: 'action', payload: '' }
    return Promise.resolve(sql.startsWith('SELECT seq') ? found.map(of) : [])
  }
  return {
    reading: new Reading({ session: 'S', ask, payloads: false }),
    statusNow: () => {
      at++
      return Promise.resolve(status)
    },
  }
}

async function told(follow: boolean, of: Parameters<typeof session>[0]): Promise<unknown[]> {
  const { reading, statusNow } = session(of)
  const seen: unknown[] = []
  for await (const line of stream(reading, { statusNow, follow, bytes: 1e9 })) {
    const said = JSON.parse(line)
    seen.push(said.end ?? said.seq)
  }
  return seen
}

describe.each([true, false])('a stream, following: %s', (follow) => {
  test('has the rows that came just before its session was said to be closed', async () => {
    const rows = (at: number) => (at === 0 ? 2 : 3)
    expect(await told(follow, { rows, status: 'closed' })).toEqual([1, 2, 3, 'closed'])
  })

  test('ends where there is nothing more', async () => {
    expect(await told(follow, { rows: () => 2, status: 'lost' })).toEqual([1, 2, 'lost'])
  })
})
