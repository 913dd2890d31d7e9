/** On the real engine: what is acknowledged is there, whatever the folder is called and in whatever form it was sent. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'
import { expect, test } from 'vitest'
import { type ClickHouse, openClickHouse, type Settings } from '../../src/record/clickhouse.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { EngineInserts } from '../../src/record/engine-inserts.ts'
import { migrate } from '../../src/record/migrate.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import { Shipper } from '../../src/record/ship.ts'
import { ENGINE, facts, OUTCOME, SHAPE, TIMES } from './running.ts'

const ACTIONS = 600

interface Shipped {
  /** Rows in the store. */
  readonly rows: unknown
  /** Of each round. */
  readonly lost: number
  readonly left: readonly string[]
  readonly said: readonly string[]
}

/** One segment into an engine in a folder of this name, with `rounds` attempts. */
async function shipped(name: string, settings: Settings = {}, rounds = 1): Promise<Shipped> {
  const base = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const folder = join(base, name)
  const spoolFolder = join(base, 'spool')
  const engine = new EngineChild({ folder, memoryBytesMax: 1e9, say: () => {}, entry: ENGINE })
  const store = openClickHouse(engine.address)
  const writer = openClickHouse(engine.address, 'default', settings)
  const said: string[] = []
  try {
    const clock = { microseconds: () => 1_790_000_000_000_000, elapsed: () => 0 }
    const recordKey = Buffer.alloc(32, 1)
    const spool = { spoolFolder, instance: 'I', thread: 1, recordKey, bytesMax: 1e9, clock }
    const recorder = openRecorder(spool)
    const session = recorder.open(facts('I'))
    const shape = recorder.shape({ ...SHAPE, statement: 'SELECT forbidden' })
    for (let i = 0; i < ACTIONS; i++) session.outcome(shape, session.action(shape, TIMES), OUTCOME)
    recorder.close()
    await engine.ready()
    await migrate(store, { database: 'sluice', retentionDays: 400 })
    const shipper = new Shipper({
      ...{ spoolFolder, instance: 'J', database: 'sluice' },
      store: () => Promise.resolve(writer),
      cover: () => {},
      forget: () => {},
      say: (level, text) => said.push(`${level} ${text}`),
      inserts: new EngineInserts(),
    })
    shipper.recover()
    for (let round = 0; round < rounds; round++) await shipper.round()
    const [found] = await store.query({ sql: 'SELECT count() AS n FROM sluice.events' })
    const left = readdirSync(spoolFolder).filter((one) => /seg|bad|open/.test(one))
    return { rows: found?.n, lost: shipper.eventsLost, left, said }
  } finally {
    await store.close()
    await writer.close()
    await engine.stop()
    rmSync(base, { recursive: true, force: true })
  }
}

/** With an engine in a folder of its own, which is ended and removed afterwards. `ready` is left to the test. */
async function withEngine(
  task: (at: { folder: string; engine: EngineChild; store: ClickHouse }) => Promise<void>,
  say: (level: string, text: string) => void = () => {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const engine = new EngineChild({ folder, memoryBytesMax: 1e9, say, entry: ENGINE })
  const store = openClickHouse(engine.address)
  try {
    await task({ folder, engine, store })
  } finally {
    await store.close()
    await engine.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

test('a folder whose name the engine could take for a pattern keeps what is sent there', async () => {
  const sent = { rows: ACTIONS * 2, lost: 0, left: [], said: [] }
  expect(await shipped('a{b,c}*?d')).toEqual(sent)
  expect(await shipped('a.tar :: b')).toEqual(sent)
})

test('one that ran into a fault is ended at the next question, and another one answers', () =>
  withEngine(async ({ engine, store }) => {
    const ask = async () => {
      await engine.ready()
      return store.query({ sql: 'SELECT 7 AS n' })
    }
    expect(await ask()).toEqual([{ n: 7 }])
    const pid = engine.pid!
    const own = readdirSync(`/proc/${pid}/task`).find(
      (task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'latin1') === 'ThreadPool\n',
    )
    const tgkill = koffi.load(null).func('int tgkill(int pid, int tid, int signal)')
    expect(tgkill(pid, Number(own), constants.signals.SIGSEGV)).toBe(0)
    await expect
      .poll(
        () =>
          ask()
            .then(() => engine.restarts)
            .catch(() => undefined),
        { timeout: 30_000, interval: 200 },
      )
      .toBe(1)
    expect(engine.pid).not.toBe(pid)
  }))

test('where no body can be put into the inbox, or the folders of bodies are gone, it arrives all the same', () =>
  withEngine(async ({ folder, engine, store }) => {
    const inbox = join(folder, 'inbox')
    const insert = (...body: Buffer[]) =>
      store.insert({ sql: 'INSERT INTO letters (n) FORMAT RowBinary', body })
    await engine.ready()
    await store.command({ sql: 'CREATE TABLE letters (n UInt8) ENGINE = MergeTree ORDER BY n' })
    rmSync(inbox, { recursive: true })
    await insert(Buffer.of(1), Buffer.of(2))
    rmSync(join(folder, 'bodies'), { recursive: true })
    await insert(Buffer.of(3))
    writeFileSync(inbox, '')
    await insert(Buffer.of(4), Buffer.of(5))
    rmSync(inbox)
    mkdirSync(inbox)
    rmSync(join(folder, 'bodies'), { recursive: true })
    await insert(Buffer.of(6))
    const rows = await store.query({ sql: 'SELECT n FROM letters ORDER BY n' })
    expect(rows.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6])
    expect([...readdirSync(inbox), ...readdirSync(join(folder, 'bodies'))]).toEqual([])
  }))

test('a body is taken from the inbox, and from nowhere else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const options = { folder, memoryBytesMax: 1e9, say: () => {}, entry: ENGINE }
  const inbox = join(folder, 'inbox')
  const left = () => [...readdirSync(inbox), ...readdirSync(join(folder, 'bodies'))]
  const insert = 'INSERT INTO letters (n) FORMAT RowBinary'
  /** Its status and text, for a body that is said to have this name. */
  const ask = (socketPath: string, name: string) =>
    new Promise<[number | undefined, string]>((resolve, reject) => {
      const path = `/?query=${encodeURIComponent(insert)}`
      const headers = { 'x-sluice-body': name }
      const asked = request({ socketPath, path, method: 'POST', headers }, async (answer) => {
        let text = ''
        for await (const chunk of answer) text += String(chunk)
        resolve([answer.statusCode, text])
      })
      asked.on('error', reject).end()
    })
  const engine = new EngineChild(options)
  const store = openClickHouse(engine.address)
  const rows = async () =>
    (await store.query({ sql: 'SELECT n FROM letters ORDER BY n' })).map(({ n }) => n)
  try {
    await engine.ready()
    await store.command({ sql: 'CREATE TABLE letters (n UInt8) ENGINE = MergeTree ORDER BY n' })
    await store.insert({ sql: insert, body: [Buffer.of(1), Buffer.of(2, 3), Buffer.alloc(0)] })
    expect(await rows()).toEqual([1, 2, 3])
    expect(left()).toEqual([])
    const wrong = store.insert({
      sql: 'INSERT INTO nothing (n) FORMAT RowBinary',
      body: [Buffer.of(4)],
    })
    await expect(wrong).rejects.toMatchObject({ exception: 60 })
    expect(left()).toEqual([])
    // The engine itself would say of some names that all is stored, and read any file of the machine.
    writeFileSync(join(folder, 'other'), Buffer.of(5))
    for (const name of [
      '00000000-0000-0000-0000-000000000000',
      '*',
      '../other',
      join(folder, 'other'),
      '',
    ])
      expect(await ask(engine.socket, name)).toEqual([500, expect.stringContaining('Code: 0')])
    expect(await rows()).toEqual([1, 2, 3])
    // As it is left where the request behind it never came.
    writeFileSync(join(inbox, '00000000-0000-0000-0000-000000000001'), Buffer.of(6))
  } finally {
    await engine.stop()
  }
  const second = new EngineChild(options)
  try {
    await second.ready()
    expect(left()).toEqual([])
    expect(await rows()).toEqual([1, 2, 3])
  } finally {
    await store.close()
    await second.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a segment whose compact form is refused is stored as it stands, and none of it is logged', async () => {
  // As short as no query with the columns of sessions in it is.
  const { said, ...rest } = await shipped('plain', { max_query_size: 1500 }, 2)
  expect(rest).toEqual({ rows: ACTIONS * 2, lost: 0, left: [] })
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('the record store fails')
  expect(said[0]).not.toMatch(/forbidden|[0-9a-f]{12}/)
})

test('what nobody waits for any more keeps nobody waiting', () =>
  withEngine(async ({ engine }) => {
    /** Milliseconds until its answer; `leave` drops it before. */
    const ask = (sql: string) => {
      const since = performance.now()
      const asked = request({ socketPath: engine.socket, path: '/?readonly=1', method: 'POST' })
      const took = new Promise<number>((resolve) => {
        asked.on('error', () => {})
        asked.on('response', (answer) => {
          answer.resume().on('end', () => resolve(performance.now() - since))
        })
      })
      const sent = new Promise<void>((resolve) => asked.end(sql, resolve))
      return { took, sent, leave: () => asked.destroy() }
    }
    const slow = 'SELECT sleepEachRow(0.5) FROM numbers(4)'
    await engine.ready()
    const running = [ask(slow), ask(slow), ask(slow)]
    await Promise.all(running.map(({ sent }) => sent))
    const left = Array.from({ length: 30 }, () => ask(slow))
    await Promise.all(left.map(({ sent }) => sent))
    const waiting = ask('SELECT 1')
    await waiting.sent
    for (const { leave } of left) leave()
    const [first, quick] = await Promise.all([running[0]!.took, waiting.took])
    // Thirty of two seconds, three at once, would have come before it.
    expect(quick).toBeLessThan(first * 3)
  }))

test('a store whose tables were made on a full disk, and are empty files, has them made anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const OPTIONS = { database: 'sluice', retentionDays: 400 }
  const once = async (): Promise<string> => {
    const engine = new EngineChild({ folder, memoryBytesMax: 1e9, say: () => {}, entry: ENGINE })
    const store = openClickHouse({ socket: engine.socket })
    try {
      await engine.ready()
      await migrate(store, OPTIONS)
      const [found] = await store.query({ sql: 'SELECT count() AS n FROM sluice.events' })
      return String(found?.n)
    } finally {
      await store.close()
      await engine.stop()
    }
  }
  try {
    expect(await once()).toBe('0')
    const files = readdirSync(folder, { recursive: true }).map((one) => join(folder, String(one)))
    const [events] = files.filter((one) => one.endsWith('/events.sql'))
    writeFileSync(events!, '')
    expect(await once()).toBe('0')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a question that its limit of time does not end is ended with the engine, and another one answers', async () => {
  const said: string[] = []
  const say = (_: string, text: string) => void said.push(text)
  await withEngine(async ({ engine, store }) => {
    const settings = { readonly: 1 as const, max_execution_time: 1 }
    // Minutes, all of them within one block: the engine looks at its clock behind it.
    const endless = `SELECT sum(editDistance(concat(repeat('a', 60000), toString(n)), repeat('b', 60000)))
    FROM (SELECT arrayJoin(range(1000)) AS n)`
    await engine.ready()
    const pid = engine.pid
    await expect(store.query({ sql: endless, settings })).rejects.toThrow()
    expect(said).toContain('record store has a question that does not end; it is ended')
    await expect.poll(() => engine.pid, { timeout: 20_000 }).not.toBe(pid)
    await engine.ready()
    expect(await store.query({ sql: 'SELECT 7 AS n', settings })).toEqual([{ n: 7 }])
  }, say)
}, 60_000)
