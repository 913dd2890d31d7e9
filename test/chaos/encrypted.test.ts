/**
 * The spool encrypted: the gateway killed under load, again and again, its key changed in between. Everything is recorded once,
 * and at no moment a byte of it lies readable in the spool.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectProven, metric } from './evidence.ts'
import { expectRecordedOnce, firstInsert, pause, startLoad } from './load.ts'
import { ask, engineOf, killAll, type Place, startPlace } from './place.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-encrypted-'))
const keyFile = join(folder, 'spool.key')
/** Of each statement, of who sends it, and of where to. */
const MARKERS = ['INSERT INTO chaos', 'encrypted-load', '"commands"', 'postgres', 'agents']

let place: Place
beforeAll(async () => {
  writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n`)
  const recorder = { durability: 'standard', spool: { encrypt: { file: keyFile } } }
  place = await startPlace({ config: { recorder } })
})
afterAll(async () => {
  await place?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Looks at every byte of every file there is now; returns how many of them were of segments. */
function look(data: string): number {
  const spool = join(data, 'spool')
  let seen = 0
  for (const name of readdirSync(spool, { recursive: true }).map(String)) {
    let bytes: Buffer
    try {
      bytes = readFileSync(join(spool, name))
    } catch {
      // A folder, or shipped in this moment.
      continue
    }
    for (const marker of MARKERS)
      expect({ name, found: bytes.includes(marker) ? marker : '' }).toEqual({ name, found: '' })
    if (/\.(open|seg)$/.test(name)) seen += bytes.length
  }
  return seen
}

test('killed and started with another key, it has lost nothing, doubled nothing and shown nothing', async () => {
  const { server, gateway } = place
  for (let round = 0; round < 2; round++) {
    const load = startLoad(place, 'encrypted-load')
    await firstInsert(place)
    // So that something is left in the spool.
    const engine = engineOf(gateway)
    if (engine !== undefined) process.kill(engine, 'SIGSTOP')
    for (let i = 0; i < 10; i++) {
      expect(look(gateway.data)).toBeGreaterThan(0)
      await pause(50)
    }
    await killAll(gateway)
    await load.ended
    expect(look(gateway.data)).toBeGreaterThan(0)
    const former = readFileSync(keyFile, 'utf8')
    writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n${former}`)
    await gateway.restart()
    expect(await expectRecordedOnce(place)).toBeGreaterThan(0)
    await expectProven(gateway)
    expect(await metric(gateway, 'sluice_segments_bad_total')).toBe(0)
    await ask(server, 'TRUNCATE chaos')
  }
}, 180_000)

test('without its key it does not start, and says why in one sentence', async () => {
  const { gateway } = place
  const good = readFileSync(keyFile, 'utf8')
  writeFileSync(keyFile, good.substring(10))
  const checked = await gateway.cli(['check'])
  expect(checked.code).toBe(2)
  expect(checked.stderr + checked.stdout).toMatch(
    /sluice\.yaml:\d+:\d+ recorder\.spool\.encrypt\.file: .*spool\.key: line 1 of the secret: expected a key of 32 bytes/,
  )
  writeFileSync(keyFile, good)
})
