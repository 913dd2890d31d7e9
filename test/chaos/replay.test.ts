/** Neither the gateway nor the command holds a session that it shows, however long that is. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start } from '../lib/child.ts'
import { built } from '../lib/gateway.ts'
import { type Stage, startStage } from '../lib/stage.ts'

/** Megabytes of results, nearly; the soak reads thousands. */
const STATEMENTS =
  process.env.SLUICE_CHAOS_ROUNDS === undefined ? 24 : Number(process.env.SLUICE_CHAOS_ROUNDS) * 100
const MEGABYTE = 1 << 20

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

/** Most memory that the process has had, in bytes. */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

test(
  `a session of ${STATEMENTS} megabytes is exported in little memory`,
  async () => {
    const client = new pg.Client(stage.url('read'))
    await client.connect()
    const text = "SELECT n, repeat('0123456789abcdef', 60) FROM generate_series(1, 950) n"
    for (let n = 0; n < STATEMENTS; n++) await client.query(text)
    await client.end()
    const sql = `SELECT session_id FROM events WHERE kind = 'close' AND subject = 'read'`
    const [found] = await stage.gateway.eventually(sql, (rows) => rows.length > 0, 60_000)
    const before = peakOf(stage.gateway.pid)
    const out = join(stage.gateway.folder, 'session.pcapng')
    const program = [built('src/cli/main.js'), 'sessions', 'export', String(found?.session_id)]
    const flags = ['--format', 'pcapng', '-o', out, '--config', stage.gateway.configPath]
    const command = start(process.execPath, [...program, ...flags])
    let most = 0
    const looking = setInterval(() => {
      try {
        most = Math.max(most, peakOf(command.pid))
      } catch {
        // It has just ended.
      }
    }, 20)
    const code = await command.ended
    clearInterval(looking)
    const grown = peakOf(stage.gateway.pid) - before
    expect([code, command.output()]).toEqual([0, ''])
    expect(statSync(out).size).toBeGreaterThan(STATEMENTS * 900_000)
    expect(most).toBeGreaterThan(30 * MEGABYTE)
    expect(most).toBeLessThan(400 * MEGABYTE)
    expect(grown).toBeLessThan(300 * MEGABYTE)
  },
  180_000 + STATEMENTS * 1000,
)
