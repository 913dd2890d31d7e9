/** Copies of the chain in a store that somebody else has written into: what is not signed is not believed. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { newSigningKey, signKey } from '../../src/record/proof.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES, until } from './running.ts'

const places: Place[] = []
const kept = mkdtempSync(join(tmpdir(), 'sluice-kept-'))

afterEach(async () => {
  for (const place of places.splice(0)) await place.close()
  rmSync(kept, { recursive: true, force: true })
})

function startPlace(): Place {
  const place = new Place()
  places.push(place)
  return place
}

let threads = 0
async function record(at: Place, ship: ShipThread): Promise<void> {
  const before = ship.chain.size
  const recorder = at.recorder({ thread: ++threads })
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  session.outcome(shape, session.action(shape, TIMES), OUTCOME)
  recorder.close()
  await until(() => ship.chain.size > before)
  await ship.copyChain()
}

/** Another run of the same gateway on the same folder. */
async function again(at: Place, ship: ShipThread): Promise<ShipThread> {
  await ship.stop(0)
  at.instance = ulid()
  return at.ship()
}

async function count(at: Place, ship: ShipThread, table: string, where: string): Promise<number> {
  const [row] = await at.rows(
    ship,
    `SELECT uniqExact(${table === 'chains' ? 'number' : 'n'}) AS n FROM ${table} WHERE ${where}`,
  )
  return Number(row?.n)
}

test('rows that nobody has signed neither end a chain nor leave a hole in it', async () => {
  const at = startPlace()
  const first = at.ship()
  await record(at, first)
  const { id } = first.chain
  const store = await first.store.ready()
  const stranger = newSigningKey()
  const key = signKey(stranger, stranger, { chain: id, at: 1 })
  const head = (signed: string) =>
    `'["sluice-head-1","${id}",999999,999999,"00",1,"i","run","",400,"${stranger.id}"]', '${signed}'`
  await store.command({
    sql: `INSERT INTO sluice.chains (ts, chain, size, root, signature, key_id, number, kind, text, peaks)
      SELECT now64(6), '${id}', 999999, '00', signature, '${stranger.id}', 999999 - number % 5, 'run', text, []
      FROM (SELECT number, ${head('AAAA').replace(", '", " AS text, '")} AS signature FROM numbers(2500))`,
  })
  await store.command({
    sql: `INSERT INTO sluice.chain_keys (ts, chain, key_id, text, signature) VALUES (now64(6), '${id}', '${stranger.id}', '${key.text}', '${key.signature}'), (now64(6), '${id}', 'x', 'not a key', '')`,
  })
  await store.command({
    sql: `INSERT INTO sluice.chain_leaves (ts, chain, n, session_id, text) VALUES (now64(6), '${id}', 999998, 's', 'forged'), (now64(6), '${id}', ${first.chain.size}, 's', 'forged')`,
  })
  const second = await again(at, first)
  await record(at, second)
  expect(second.chain.id).toBe(id)
  expect(at.said.join()).not.toContain('another one begins')
  expect(at.said.filter((line) => /^error .* are not heads of chain/.test(line))).toHaveLength(1)
  // Everything that is ours is there, also where a forged leaf had taken the place.
  const { size, head: newest } = second.chain
  const leaves = await at.rows(
    second,
    `SELECT DISTINCT n, text FROM chain_leaves WHERE text != 'forged' ORDER BY n`,
  )
  expect(leaves.map((row) => row.n)).toEqual(Array.from({ length: size }, (_, n) => n))
  expect(await count(at, second, 'chains', "signature != 'AAAA'")).toBe(Number(newest?.number) + 1)
}, 180_000)

test('a log that was rolled back is found out by what the store has signed', async () => {
  const at = startPlace()
  const first = at.ship()
  await record(at, first)
  await first.stop(0)
  cpSync(join(at.folder, 'chain'), kept, { recursive: true })
  at.instance = ulid()
  const second = at.ship()
  await record(at, second)
  const { id } = second.chain
  await second.stop(0)
  rmSync(join(at.folder, 'chain'), { recursive: true })
  cpSync(kept, join(at.folder, 'chain'), { recursive: true })
  at.instance = ulid()
  const third = at.ship()
  const recorder = at.recorder({ thread: ++threads })
  recorder.open(facts(at.instance)).moment({ kind: 'login', status: 'ok', text: '' })
  recorder.close()
  await until(async () => {
    await third.copyChain()
    return third.chain.id !== id
  })
  expect(at.said.join()).toContain('another one begins')
}, 180_000)
