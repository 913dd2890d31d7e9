/** What a former run has left in the spool: of an older version, damaged, or under a lock that nobody holds any more. */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { expanded } from '../../src/record/named-rows.ts'
import { readSegment, type SegmentContent } from '../../src/record/segment.ts'
import { expectProven, metric } from './evidence.ts'
import { firstInsert, pause, recorded, startLoad, until } from './load.ts'
import { engineOf, holdEngine, killAll, type Place, startPlace } from './place.ts'

/** Written by the recorder of 63df303: a complete segment, and one whose gateway was killed. 103 rows of two sessions. */
const OLD = fileURLToPath(new URL('fixtures/segments-of-version-1', import.meta.url))

let place: Place
beforeEach(async () => {
  place = await startPlace()
})
afterEach(() => place?.stop())

const spool = () => join(place.gateway.data, 'spool')
const segments = () => readdirSync(spool()).filter((name) => /\.(seg|open)$/.test(name))

test('segments of an older version arrive whole and once, and are proven', async () => {
  const { gateway } = place
  await gateway.kill('SIGTERM')
  for (const name of readdirSync(OLD)) cpSync(join(OLD, name), join(spool(), name))
  await gateway.restart()
  const counts = `SELECT session_id, count() AS n, uniqExact(seq) AS distinct, max(seq) AS last, countIf(kind = 'action') AS actions,
    countIf(payload = 'one row') AS payloads, sum(masked['email']) AS masked
    FROM events WHERE subject = 'before' GROUP BY session_id ORDER BY session_id`
  const rows = await gateway.eventually(counts, (found) => found.length === 2, 30_000)
  expect(rows.map(({ session_id, ...more }) => more)).toEqual([
    { n: 52, distinct: 52, last: 52, actions: 25, payloads: 5, masked: 15 },
    { n: 51, distinct: 51, last: 51, actions: 25, payloads: 5, masked: 15 },
  ])
  expect(new Set(await recorded(gateway)).size).toBe(50)
  const [row] = await gateway.audit(
    "SELECT owner, job, job_verified, objects, statement, params, policy_version FROM events WHERE subject = 'before' AND seq = 2 ORDER BY session_id LIMIT 1",
  )
  expect(row).toEqual({
    owner: 'ann',
    job: 'nightly',
    job_verified: true,
    objects: ['public.customers'],
    statement: 'SELECT 100000000000000000',
    params: ['42'],
    policy_version: 7,
  })
  await until(() => segments().length === 0, 'the spool to be shipped')
  await expectProven(gateway)
}, 180_000)

test('a damaged segment is set aside, loudly; what of it is good and all others are stored', async () => {
  const { gateway } = place
  await until(() => engineOf(gateway) !== undefined, 'the engine to run')
  const letGo = holdEngine(gateway)
  const load = startLoad(place, 'damage', 200)
  await firstInsert(place)
  const complete = () => segments().filter((name) => name.endsWith('.seg'))
  await until(() => complete().length >= 4, 'segments')
  await killAll(gateway)
  letGo()
  await load.ended

  const victim = complete().find((name) => read(name).length >= 3)!
  const damaged = read(victim)[1]!
  const path = join(spool(), victim)
  const bytes = readFileSync(path)
  // One bit in the middle of the second block's rows.
  const { blocks } = content(victim)!
  bytes[(blocks[2]! + blocks[3]!) >> 1]! ^= 1
  writeFileSync(path, bytes)
  const foreign = `${ulid()}-0009-0000000001.seg`
  writeFileSync(join(spool(), foreign), Buffer.alloc(4096, 'no segment'))
  const good = segments().filter((name) => name !== foreign)
  const wanted = new Set(good.flatMap((name) => markersOf(read(name))))

  await gateway.restart()
  await until(() => segments().length === 0, 'the spool to be shipped', 60_000)
  const bad = readdirSync(spool()).filter((name) => name.endsWith('.bad'))
  expect(bad.sort()).toEqual([foreign, victim].map((name) => name.replace('.seg', '.bad')).sort())
  for (const name of [foreign, victim])
    expect(gateway.output()).toMatch(new RegExp(`"level":50.*${name} is set aside`))
  expect(await metric(gateway, 'sluice_segments_bad_total')).toBe(2)
  const found = await recorded(gateway)
  expect(found.length).toBe(new Set(found).size)
  expect(found.filter((marker) => !wanted.has(marker))).toEqual([])
  // An answer says the number too, and may stand in another block than its statement.
  const gone = new Set(markersOf([damaged]))
  const known = new Set(found)
  expect([...wanted].filter((marker) => !known.has(marker) && !gone.has(marker))).toEqual([])
  const client = await place.client()
  expect((await client.query('SELECT 1')).rows).toEqual(['1'])
  await client.close()
}, 180_000)

test('a lock file that a dead gateway left locks nothing, and another way to the folder is the same folder', async () => {
  const { gateway } = place
  const link = join(gateway.folder, 'elsewhere')
  symlinkSync(gateway.data, link)
  const settings = readFileSync(gateway.configPath, 'utf8')
  writeFileSync(gateway.configPath, JSON.stringify({ ...JSON.parse(settings), data: link }))
  const { code, stderr } = await gateway.cli(['serve'])
  writeFileSync(gateway.configPath, settings)
  expect(code).toBe(2)
  expect(stderr).toContain(`is in use by the gateway with process id ${gateway.pid}`)
  await gateway.kill('SIGKILL')
  // As if a process of that number lived: it is the kernel that knows who holds it.
  writeFileSync(join(gateway.data, 'lock'), `${process.pid}\n`)
  await gateway.restart()
  await pause(100)
  const client = await place.client()
  expect((await client.query('SELECT 1')).rows).toEqual(['1'])
  await client.close()
}, 180_000)

function content(name: string): SegmentContent | undefined {
  const read = readSegment(readFileSync(join(spool(), name)))
  return read === 'foreign' ? undefined : read
}

/** Rows of blocks that check, with all of their columns; none in a file that was torn while it was made. */
function read(name: string): readonly Buffer[] {
  const read = content(name)
  return read === undefined ? [] : expanded(read)!
}

function markersOf(blocks: readonly Buffer[]): string[] {
  return blocks.flatMap((block) => block.toString('latin1').match(/\b[0-9]{18}\b/g) ?? [])
}
