/** Encrypted segments on their way into the store, with the real engine: keys that change, are gone and come back, and damage. */
import { hash, randomBytes } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { keyRecord, sealedRecord } from '../../src/record/sealed-segment.ts'
import { SealedSpool, sealedFolder } from '../../src/record/sealed-spool.ts'
import type { SealKey } from '../../src/record/sealer.ts'
import { BLOCK_HEAD } from '../../src/record/segment.ts'
import { CIPHER_HEAD_BYTES, makeRunKey, type RunKey } from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'
import { placeMaker } from './places.ts'
import { facts, OUTCOME, type Place, SHAPE, TIMES, until } from './running.ts'

const place = placeMaker()

function aKey() {
  const key = randomBytes(32)
  return { id: spoolKeyId(key), key }
}

const [KEY, FORMER] = [aKey(), aKey()]

const named = (at: Place, ending: string) =>
  readdirSync(at.spool).filter((name) => name.endsWith(ending))

async function count(at: Place, ship: ReturnType<Place['ship']>, table = 'events') {
  const [row] = await at.rows(ship, `SELECT count() AS n FROM ${table}`)
  return Number(row?.n)
}

/** An earlier run, killed: its segment is left open, with the ratchet's key beside it. Returns the number of rows. */
function killed(at: Place, encrypt: RunKey | undefined, flushes = 3): number {
  const folder = join(at.folder, ulid())
  const instance = ulid(Date.now() - 60_000 + readdirSync(at.folder).length)
  const recorder = at.recorder({ spoolFolder: folder, instance, encrypt, ratchet: true })
  const session = recorder.open(facts(instance))
  const shape = recorder.shape(SHAPE)
  for (let i = 0; i < flushes; i++) {
    session.outcome(shape, session.action(shape, TIMES), OUTCOME)
    recorder.flush()
  }
  mkdirSync(at.spool, { recursive: true })
  for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(at.spool, name))
  return flushes * 2
}

const errors = (at: Place) => at.said.filter((line) => line.startsWith('error'))

test('what killed runs left, clear, encrypted and by a former key, is stored once each', async () => {
  const at = place()
  const rows = [undefined, makeRunKey(FORMER), makeRunKey(KEY)].map((key) => killed(at, key))
  // Killed, or without power, while the header was written: nothing was recorded there yet.
  const whole = readFileSync(join(at.spool, named(at, '.open').sort().at(-1)!))
  for (const [n, size] of [0, 5, 25, 60, 130, 146].entries())
    writeFileSync(
      join(at.spool, `${ulid(2)}-000${n}-0000000001.open`),
      Buffer.concat([whole.subarray(0, size), Buffer.alloc(4096)]),
    )
  const ship = at.ship([KEY, FORMER])
  await until(async () => (await count(at, ship)) === rows.reduce((a, b) => a + b), 60_000)
  await until(() => named(at, '.seg').length === 0, 60_000)
  expect(await count(at, ship)).toBe(18)
  expect(errors(at)).toEqual([])
  expect(readdirSync(at.spool).filter((name) => !name.endsWith('.ratchet'))).toEqual([])
}, 180_000)

test('what this run writes encrypted is covered by its ratchet while it is open, and stored', async () => {
  const at = place()
  const ship = at.ship([KEY])
  const recorder = at.recorder({ encrypt: makeRunKey(KEY), ratchet: true })
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  for (let i = 0; i < 10; i++) session.outcome(shape, session.action(shape, TIMES), OUTCOME)
  recorder.flush()
  await until(() => ship.chain.size > 0)
  await until(async () => (await count(at, ship)) === 20)
  const proofs = [...ship.chain.leaves(0, ship.chain.size).values()].map(
    ({ text }) => JSON.parse(text)[11],
  )
  expect(new Set(proofs)).toEqual(new Set(['live']))
  expect(errors(at)).toEqual([])
}, 180_000)

test('a segment whose key is gone is set aside loudly, loses nothing, and comes back with the key', async () => {
  const at = place()
  killed(at, makeRunKey(FORMER))
  const left = join(at.spool, named(at, '.open')[0]!)
  const [whole, since] = [readFileSync(left), new Date(Date.now() - 60_000)]
  utimesSync(left, since, since)
  const others = killed(at, makeRunKey(KEY))
  // To compare 16 MiB byte by byte takes more memory than there is.
  const bytes = () =>
    named(at, '.bad').map((name) => hash('sha256', readFileSync(join(at.spool, name))))
  const first = at.ship([KEY])
  await until(async () => (await count(at, first)) === others, 60_000)
  expect(named(at, '.locked.bad')).toHaveLength(1)
  expect(errors(at)).toHaveLength(1)
  expect(errors(at)[0]).toContain(`encrypted with key ${FORMER.id.toString('hex')}`)
  // Its unused room is given back; all that was written is there, and when that was.
  const locked = join(at.spool, named(at, '.locked.bad')[0]!)
  const after = readFileSync(locked)
  expect(whole.length).toBeGreaterThan(1 << 20)
  expect(after.length).toBeLessThan(64 << 10)
  expect(Buffer.concat([after, Buffer.alloc(whole.length - after.length)]).equals(whole)).toBe(true)
  expect(Math.abs(statSync(locked).mtimeMs - since.getTime())).toBeLessThan(10)
  const kept = bytes()
  await first.stop(0)
  // A start without it says so again, and leaves it alone.
  at.instance = ulid()
  at.said.length = 0
  const second = at.ship([KEY])
  await second.stop(0)
  expect(bytes()).toEqual(kept)
  expect(errors(at)).toHaveLength(1)
  expect(errors(at)[0]).toContain(FORMER.id.toString('hex'))
  at.instance = ulid()
  at.said.length = 0
  const third = at.ship([KEY, FORMER])
  await until(async () => (await count(at, third)) === others + 6, 60_000)
  await until(() => named(at, '.seg').length === 0, 60_000)
  expect(await count(at, third)).toBe(others + 6)
  expect(named(at, '.bad')).toEqual([])
  expect(errors(at)).toEqual([])
}, 180_000)

/** Changes one byte of the frame of that number, and makes its checksum good. */
function tamper(bytes: Buffer, frame: number): void {
  let at = bytes.readUInt16BE(18) + 20 + CIPHER_HEAD_BYTES
  for (let n = 0; n < frame; n++) at += BLOCK_HEAD + bytes.readUInt32BE(at)
  const next = at + BLOCK_HEAD + bytes.readUInt32BE(at)
  bytes[at + BLOCK_HEAD + 40]! ^= 1
  bytes.writeUInt32BE(crc32(bytes.subarray(at + 8, next)) >>> 0, at + 4)
}

test('a frame that was changed is set aside with its segment, loudly, wherever it stands; the rest is stored', async () => {
  const at = place()
  killed(at, makeRunKey(KEY), 5)
  killed(at, makeRunKey(KEY), 5)
  killed(at, makeRunKey(KEY), 1)
  // In the middle, at the end, and all that there is.
  for (const [index, name] of named(at, '.open').sort().entries()) {
    const path = join(at.spool, name)
    const bytes = readFileSync(path)
    tamper(bytes, [2, 4, 0][index]!)
    writeFileSync(path, bytes)
  }
  const ship = at.ship([KEY])
  await until(() => named(at, '.bad').length === 3, 60_000)
  expect(await count(at, ship)).toBe(16)
  expect(at.said.filter((line) => line.includes('a part of it does not check'))).toHaveLength(3)
}, 180_000)

test('a clear segment in the place of an encrypted one is neither covered nor stored; one of an earlier run is', async () => {
  const at = place()
  const earlier = killed(at, undefined)
  const ship = at.ship([KEY], { writes: { ratchet: false, encrypted: true } })
  for (const [thread, encrypt] of [[1, makeRunKey(KEY)], [2]] as const) {
    const recorder = at.recorder({ thread, encrypt })
    const session = recorder.open(facts(at.instance))
    session.action(recorder.shape(SHAPE), TIMES)
    recorder.flush()
  }
  await until(() => named(at, '.bad').length > 0)
  await until(async () => (await count(at, ship)) === earlier + 1, 60_000)
  await until(() => named(at, '.seg').length === 0, 60_000)
  expect(named(at, '.bad')).toEqual([`${at.instance}-0002-0000000001.bad`])
  expect(errors(at)).toEqual([expect.stringContaining('it is not encrypted as this run encrypts')])
  expect(await count(at, ship)).toBe(earlier + 1)
  expect(ship.chain.size).toBe(2)
}, 180_000)

const seal: SealKey = {
  session: ulid(),
  dataKey: Buffer.alloc(32),
  wrapped: Buffer.from('wrapped'),
  keyId: 'k1',
  recipients: ['age1somebody'],
}

test('sealed originals that are clear are set aside in the name of a run that encrypts, whole or torn, and stored of an earlier one', async () => {
  const at = place()
  const record = keyRecord(seal, 1_700_000_000_000_000)
  const write = (instance: string, thread: number, encrypt?: RunKey) => {
    const shape = { spoolFolder: at.spool, instance, thread, bytesMax: 1e9, strict: false }
    const spool = new SealedSpool({ ...shape, encrypt })
    spool.write(record)
    spool.close()
  }
  const files = () => readdirSync(sealedFolder(at.spool))
  write(ulid(1), 1)
  write(at.instance, 1, makeRunKey(KEY))
  write(at.instance, 2)
  write(at.instance, 3)
  const open = (name: string) => join(sealedFolder(at.spool), name)
  const torn = `${at.instance}-0003-0000000001`
  renameSync(open(`${torn}.seg`), open(`${torn}.open`))
  const ship = at.ship([KEY], { writes: { ratchet: false, encrypted: true } })
  const bad = [2, 3].map((thread) => `${at.instance}-000${thread}-0000000001.bad`)
  await until(() => JSON.stringify(files().sort()) === JSON.stringify(bad), 60_000)
  expect(await count(at, ship, 'sealed_keys')).toBe(2)
  expect(errors(at)).toHaveLength(2)
  expect(errors(at).join()).toContain('it is not encrypted as this run encrypts')
}, 180_000)

test('sealed originals go the same way: locked, back, and stored once', async () => {
  const at = place()
  const row = { batch: 1, action: 1, values: 1, nonce: Buffer.alloc(12), digest: 'd' }
  const spool = new SealedSpool({
    ...{ spoolFolder: at.spool, instance: ulid(1), thread: 1, bytesMax: 1e9, strict: false },
    encrypt: makeRunKey(FORMER),
  })
  spool.write(keyRecord(seal, 1_700_000_000_000_000))
  const ciphertext = Buffer.from('encrypted')
  const cut = { values: 0, bytes: 0 }
  spool.write(sealedRecord(seal, { ...row, ciphertext, cut }, 1_700_000_000_000_000))
  spool.close()
  const files = () => readdirSync(sealedFolder(at.spool))
  const first = at.ship([KEY])
  await until(() => files().some((name) => name.endsWith('.locked.bad')))
  await first.stop(0)
  expect(errors(at)[0]).toContain(FORMER.id.toString('hex'))
  at.instance = ulid()
  const second = at.ship([KEY, FORMER])
  await until(() => files().length === 0)
  expect(await count(at, second, 'sealed')).toBe(1)
  expect(await count(at, second, 'sealed_keys')).toBe(1)
}, 180_000)
