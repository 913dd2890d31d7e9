/** On the real engine: one that hangs is replaced, and one that is only slow is not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { ENGINE } from './running.ts'

interface Running {
  readonly engine: EngineChild
  readonly store: ClickHouse
  readonly said: string[]
  readonly pid: number
}

const folders: string[] = []
const running: Running[] = []
afterEach(async () => {
  for (const { engine, store } of running.splice(0)) {
    await store.close()
    await engine.stop()
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function start(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  folders.push(folder)
  const said: string[] = []
  const say = (_: string, text: string) => void said.push(text)
  const engine = new EngineChild({ folder, memoryBytesMax: 1e9, say, entry: ENGINE })
  await engine.ready()
  const store = openClickHouse({ socket: engine.socket })
  const one = { engine, store, said, pid: engine.pid! }
  running.push(one)
  return one
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function seven({ engine, store }: Running): Promise<unknown> {
  await engine.ready()
  return store.query({ sql: 'SELECT 7 AS n' })
}

/** Questions fail at once when it is ended, and not when their own time is over. */
async function hangs(): Promise<void> {
  const one = await start()
  const since = performance.now()
  process.kill(one.pid, 'SIGSTOP')
  const asked = [seven(one), seven(one)]
  for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected')
  // Its sockets are closed a moment before it has ended.
  await expect.poll(() => seven(one).catch(String)).toEqual([{ n: 7 }])
  expect(one.engine.pid).not.toBe(one.pid)
  expect(one.engine.restarts).toBe(1)
  expect(one.said).toContain('record store does not answer; it is ended')
  expect(performance.now() - since).toBeLessThan(40_000)
}

/** Works on what takes all cores, and is stopped for shorter than anybody may doubt it for good. */
async function isSlow(): Promise<void> {
  const one = await start()
  const work = one.store.query({
    sql: 'SELECT max(cityHash64(number)) AS n FROM numbers_mt(1000000000000)',
    settings: { max_execution_time: 12, timeout_overflow_mode: 'break' },
  })
  await pause(4000)
  process.kill(one.pid, 'SIGSTOP')
  await pause(5000)
  process.kill(one.pid, 'SIGCONT')
  await work
  expect(await seven(one)).toEqual([{ n: 7 }])
  expect([one.engine.pid, one.engine.restarts]).toEqual([one.pid, 0])
}

test('one that hangs is ended and another one answers; one that is slow goes on', async () => {
  await Promise.all([hangs(), isSlow()])
})
