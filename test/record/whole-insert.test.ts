/** When a segment is counted, sent, sent again under another token, and given up; over the real engine see ship.test.ts. */
import { expect, test } from 'vitest'
import { type ClickHouse, StoreError } from '../../src/record/clickhouse.ts'
import { WholeInserts } from '../../src/record/whole-insert.ts'

/** A table whose counts are given, and what it was asked to do. */
class Table {
  readonly done: string[] = []
  /** Of the next questions how many rows there are. */
  counts: number[] = []
  failure: Error | undefined

  readonly client = {
    query: ({ sql }: { sql: string }) => {
      if (!sql.startsWith('SELECT count() AS rows FROM `db`')) return Promise.resolve([{ rows: 0 }])
      this.done.push('count')
      return Promise.resolve([{ rows: String(this.counts.shift() ?? 0) }])
    },
    command: ({ sql }: { sql: string }) => {
      this.done.push(/ (DELETE) WHERE/.exec(sql)?.[1] ?? sql)
      return Promise.resolve()
    },
    insert: ({ sql, settings }: { sql: string; settings: Record<string, unknown> }) => {
      if (this.failure !== undefined) return Promise.reject(this.failure)
      this.done.push(`${sql} ${settings.insert_deduplication_token}`)
      return Promise.resolve()
    },
  } as unknown as ClickHouse

  readonly inserts = new WholeInserts({
    ...{ database: 'db', cluster: undefined },
    store: () => Promise.resolve(this.client),
  })

  insert(table = 'events'): Promise<void> {
    const rows = { table, as: '(a) FORMAT X', count: 3, body: () => [Buffer.alloc(3)] }
    return this.inserts.insert('one.seg', rows)
  }

  take(): string[] {
    return this.done.splice(0)
  }
}

const sent = (token: string, table = 'events') =>
  `INSERT INTO \`db\`.${table} (a) FORMAT X ${token}`

test('what was never sent is sent, and not counted', async () => {
  const table = new Table()
  await table.insert()
  expect(table.take()).toEqual([sent('one')])
  // Another table of the same segment likewise.
  await table.insert('sealed')
  expect(table.take()).toEqual([sent('one', 'sealed')])
})

test('what may have been sent is counted first, and sent only where it is not there', async () => {
  const table = new Table()
  table.inserts.doubt('one.seg')
  table.counts = [3]
  await table.insert()
  expect(table.take()).toEqual(['count'])
  table.counts = [0, 3]
  await table.insert()
  expect(table.take()).toEqual(['count', sent('one'), 'count'])
})

test('an acknowledged duplicate without its rows goes again under another token', async () => {
  const table = new Table()
  table.inserts.doubt('one.seg')
  table.counts = [0, 0]
  await expect(table.insert()).rejects.toThrow('0 of 3 rows')
  expect(table.take()).toEqual(['count', sent('one'), 'count'])
  table.counts = [0, 3]
  await table.insert()
  expect(table.take()).toEqual(['count', sent('one~1'), 'count'])
})

test('a part of it is deleted before it goes again', async () => {
  const table = new Table()
  table.inserts.doubt('one.seg')
  table.counts = [1, 1]
  await expect(table.insert()).rejects.toThrow('1 of 3 rows')
  expect(table.take()).toEqual(['count', sent('one'), 'count', 'DELETE'])
  table.counts = [0, 3]
  await table.insert()
  expect(table.take()).toEqual(['count', sent('one~1'), 'count'])
})

test('a store that fails makes it doubtful, and is not held against the segment', async () => {
  const table = new Table()
  for (const exception of [undefined, 241, 252, 473]) {
    table.failure = new StoreError('x', exception, undefined)
    await expect(table.insert()).rejects.toThrow('x')
    expect(table.inserts.refused('one.seg', table.failure)).toBeUndefined()
  }
  expect(table.inserts.refused('one.seg', new Error('no store'))).toBeUndefined()
  table.failure = undefined
  table.take()
  table.counts = [3]
  await table.insert()
  expect(table.take()).toEqual(['count'])
})

test('content that is refused three times is given up, of either kind of segment', () => {
  const { inserts } = new Table()
  for (const exception of [117, 53, 33, 349]) {
    const error = new StoreError('x', exception, undefined)
    const said = [1, 2, 3].map(() => inserts.refused('one.seg', error)?.isOver)
    expect(said).toEqual([false, false, true])
    inserts.forget('one.seg')
  }
})
