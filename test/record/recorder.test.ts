import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BroadcastChannel } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { expanded } from '../../src/record/named-rows.ts'
import { readSegment, type SegmentContent } from '../../src/record/segment.ts'
import { placeMaker } from './places.ts'
import { facts, OUTCOME, type Place, SHAPE, TIMES, until } from './running.ts'

const place = placeMaker()

const files = (at: Place) => readdirSync(at.spool).sort()

/** All of them can be read: what they name was said. */
function rowsIn(at: Place): number {
  let rows = 0
  for (const name of files(at)) {
    const content = contentOf(readFileSync(join(at.spool, name)))
    expect(expanded(content)).toHaveLength(content.blocks.length / 2)
    rows += content.rows
  }
  return rows
}

/** Where the first block begins. */
function headOf(bytes: Buffer): number {
  return 20 + bytes.readUInt16BE(18)
}

function contentOf(bytes: Buffer): SegmentContent {
  const content = readSegment(bytes)
  if (content === 'foreign') throw new Error('no segment')
  return content
}

test('nothing is on disk before flush, and everything is after it', () => {
  const at = place()
  const recorder = at.recorder()
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  const action = session.action(shape, TIMES)
  session.outcome(shape, action, OUTCOME)
  expect(recorder.pending).toBe(true)
  expect(files(at)).toEqual([])
  recorder.flush()
  expect(recorder.pending).toBe(false)
  expect(rowsIn(at)).toBe(2)
  recorder.flush()
  expect(rowsIn(at)).toBe(2)
})

test('a segment is completed some 300 ms after its first event, and announced', async () => {
  const at = place()
  const recorder = at.recorder()
  const channel = new BroadcastChannel('sluice')
  let announced = 0
  channel.onmessage = () => {
    announced++
  }
  recorder.open(facts(at.instance)).moment({ kind: 'login', status: 'ok', text: '' })
  recorder.flush()
  expect(files(at)).toEqual([`${at.instance}-0001-0000000001.open`])
  await until(() => files(at)[0]?.endsWith('.seg') ?? false)
  await until(() => announced > 0)
  channel.close()
})

test('a segment of which much is filled by then is filled for longer', async () => {
  const at = place()
  const recorder = at.recorder()
  const began = performance.now()
  const session = recorder.open(facts(at.instance))
  session.outcome(recorder.shape(SHAPE), 1, { ...OUTCOME, payload: Buffer.alloc(2 << 20) })
  recorder.flush()
  await until(() => files(at)[0]?.endsWith('.seg') ?? false)
  expect(performance.now() - began).toBeGreaterThan(1100)
})

test('a segment is completed when it has grown to its size', () => {
  const at = place()
  const recorder = at.recorder()
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  const payload = Buffer.alloc(1 << 20)
  for (let i = 0; i < 32; i++) {
    session.outcome(shape, 1, { ...OUTCOME, payload })
    recorder.flush()
  }
  // Fifteen blocks of little more than a MiB fit into a segment of sixteen.
  const names = files(at)
  expect(names).toHaveLength(3)
  expect(names.filter((name) => name.endsWith('.seg'))).toHaveLength(2)
  expect(names.at(-1)).toMatch(/0000000003\.open$/)
  expect(rowsIn(at)).toBe(32)
})

test('a block that no segment has room for gets one of its own', () => {
  const at = place()
  const recorder = at.recorder()
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  session.outcome(shape, 1, OUTCOME)
  recorder.flush()
  session.outcome(shape, 1, { ...OUTCOME, payload: Buffer.alloc(17 << 20) })
  recorder.flush()
  session.outcome(shape, 1, OUTCOME)
  recorder.flush()
  expect(files(at).map((name) => name.split('.')[1])).toEqual(['seg', 'seg', 'open'])
  expect(rowsIn(at)).toBe(3)
})

test('columns that rows share are written once a stretch, and any one block may be damaged', () => {
  const at = place()
  const recorder = at.recorder({ ratchet: true })
  const sessions = ['a', 'b', 'c'].map((subject) => recorder.open(facts(at.instance, { subject })))
  const shapes = ['SELECT 1', 'SELECT 2'].map((statement) =>
    recorder.shape({ ...SHAPE, statement }),
  )
  // Half a dozen stretches of 256 KiB.
  const payload = Buffer.alloc(30_000)
  for (let i = 0; i < 48; i++) {
    const session = sessions[i % 3]!
    const action = session.action(shapes[i % 2]!, TIMES)
    if (i % 5 > 0) recorder.flush()
    session.response(shapes[i % 2]!, action, payload)
    session.outcome(shapes[i % 2]!, action, OUTCOME)
    recorder.flush()
  }
  recorder.close()
  const bytes = readFileSync(join(at.spool, files(at)[0]!))
  const whole = contentOf(bytes)
  const rows = expanded(whole)!
  expect(whole.seals.length).toBeGreaterThan(4)
  expect(Buffer.concat(rows).length - bytes.length).toBeGreaterThan(48 * 300)
  for (const [block, expected] of rows.map(
    (_, at) => [at, rows.filter((_, n) => n !== at)] as const,
  )) {
    const damaged = Buffer.from(bytes)
    damaged[whole.blocks[block * 2]!]! ^= 1
    const content = contentOf(damaged)
    expect(content).toMatchObject({ damaged: 1, torn: 0 })
    const found = expanded(content)!
    expect(found).toHaveLength(expected.length)
    expect(Buffer.concat(found).equals(Buffer.concat(expected))).toBe(true)
  }
})

test('a segment stands for no more than four times its room', () => {
  const at = place()
  // Sixteen segments of 64 KiB.
  const recorder = at.recorder({ bytesMax: 1 << 20 })
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape({ ...SHAPE, statement: `SELECT '${'x'.repeat(20_000)}'` })
  for (let i = 0; i < 100; i++) {
    session.action(shape, TIMES)
    if (i % 3 === 0) recorder.flush()
  }
  recorder.close()
  expect(rowsIn(at)).toBe(100)
  const sizes = files(at).map((name) =>
    expanded(contentOf(readFileSync(join(at.spool, name))))!.reduce(
      (sum, one) => sum + one.length,
      0,
    ),
  )
  expect(Math.max(...sizes)).toBeLessThan(5 * (64 << 10))
  expect(sizes.length).toBeGreaterThan(6)
})

test('what is said in a stretch that somebody changed does not count in the next', () => {
  const at = place()
  const recorder = at.recorder({ ratchet: true })
  const session = recorder.open(facts(at.instance, { subject: 'alice' }))
  const shape = recorder.shape(SHAPE)
  const payload = Buffer.alloc(100_000)
  for (let i = 0; i < 12; i++) {
    session.outcome(shape, session.action(shape, TIMES), { ...OUTCOME, payload })
    recorder.flush()
  }
  recorder.close()
  const bytes = readFileSync(join(at.spool, files(at)[0]!))
  const { seals, blocks } = contentOf(bytes)
  expect(seals.length).toBeGreaterThan(2)
  // All that the first stretch says, with good checksums.
  let changed = 0
  const end = blocks[seals[0]!.block * 2 - 1]!
  for (
    let found = bytes.indexOf('alice');
    found > 0 && found < end;
    found = bytes.indexOf('alice', found)
  ) {
    bytes.write('mallo', found)
    changed++
  }
  for (let block = 0; block < seals[0]!.block; block++) {
    const start = block === 0 ? headOf(bytes) : blocks[block * 2 - 1]!
    const next = blocks[block * 2 + 1]!
    bytes.writeUInt32BE(crc32(bytes.subarray(start + 8, next)) >>> 0, start + 4)
  }
  expect(changed).toBe(2)
  const content = contentOf(bytes)
  expect(content.damaged).toBeGreaterThan(0)
  const rows = expanded(content)!
  const first = rows.slice(0, content.seals[0]!.block)
  const later = rows.slice(content.seals[0]!.block)
  expect(first.every((one) => one.includes('mallo'))).toBe(true)
  expect(later.some((one) => one.includes('mallo'))).toBe(false)
})

test('a shape is the same in whatever spool of the thread it is recorded', () => {
  const [one, two] = [place(), place()]
  const [first, second] = [one.recorder(), two.recorder()]
  const shape = first.shape(SHAPE)
  for (const recorder of [first, second, first, second]) {
    const session = recorder.open(facts('I'))
    recorder.shape({ ...SHAPE, statement: 'SELECT 2' })
    session.outcome(shape, session.action(shape, TIMES), OUTCOME)
    recorder.flush()
  }
  expect([rowsIn(one), rowsIn(two)]).toEqual([4, 4])
  for (const at of [one, two])
    for (const block of expanded(contentOf(readFileSync(join(at.spool, files(at)[0]!))))!)
      expect(block.includes(SHAPE.statement)).toBe(true)
})

test('numbers of events rise within a session, and within a job even when the clock stands still', () => {
  const at = place()
  const recorder = at.recorder({ clock: { ...clock, microseconds: () => 1000 } })
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  expect(session.action(shape, TIMES)).toBe(1)
  session.outcome(shape, 1, OUTCOME)
  expect(session.action(shape, TIMES)).toBe(3)
})

test('the hash is keyed, and the exact text is nowhere on disk', () => {
  const at = place()
  const recorder = at.recorder()
  const other = at.recorder({ recordKey: Buffer.alloc(32, 2), thread: 2 })
  expect(recorder.hash('x')).toMatch(/^[0-9a-f]{32}$/)
  expect(recorder.hash('x')).not.toBe(other.hash('x'))
  const session = recorder.open(facts(at.instance))
  session.action(recorder.shape({ ...SHAPE, exact: 'planted-secret' }), TIMES)
  recorder.flush()
  for (const name of files(at)) {
    expect(readFileSync(join(at.spool, name)).includes('planted-secret')).toBe(false)
  }
})

test('over its quota the spool refuses, keeps what is buffered, and goes on when there is room', async () => {
  const at = place()
  const options = { bytesMax: 1 << 20 }
  const recorder = at.recorder(options)
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  const payload = Buffer.alloc(700_000)
  session.outcome(shape, 1, { ...OUTCOME, payload })
  recorder.flush()
  session.outcome(shape, 2, { ...OUTCOME, payload })
  expect(() => recorder.flush()).toThrow(expect.objectContaining({ code: 'GW_RECORDING_LOST' }))
  expect(() => recorder.flush()).toThrow(expect.objectContaining({ code: 'GW_RECORDING_LOST' }))
  expect(recorder.pending).toBe(true)
  expect(rowsIn(at)).toBe(1)
  await until(() => files(at)[0]?.endsWith('.seg') ?? false)
  const { rmSync } = await import('node:fs')
  rmSync(join(at.spool, files(at)[0]!))
  await until(() => {
    recorder.flush()
    return true
  }, 2000)
  expect(recorder.pending).toBe(false)
  expect(rowsIn(at)).toBe(1)
})

test('while nothing can be written, memory is bounded: events are refused, not dropped', () => {
  const at = place()
  const recorder = at.recorder({ bytesMax: 10 })
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  const payload = Buffer.alloc(1 << 20)
  expect(() => {
    for (let i = 0; i < 100; i++) session.outcome(shape, 1, { ...OUTCOME, payload })
  }).toThrow(expect.objectContaining({ code: 'GW_RECORDING_LOST' }))
})

const dist = fileURLToPath(new URL('../../dist/src', import.meta.url))

/** Writes blocks of the given sizes until one fails, asks for more room, and writes the rest. */
const FULL = `
import { readdirSync } from 'node:fs'
const { openRecorder } = await import('${dist}/record/recorder.js')
const { clock } = await import('${dist}/base/clock.js')
const [, spool, sizes, facts, shaped, told] = process.argv
const recorder = openRecorder({ spoolFolder: spool, instance: 'I', thread: 1,
  recordKey: Buffer.alloc(32), bytesMax: 2_000_000, clock })
const session = recorder.open(JSON.parse(facts))
const shape = recorder.shape(JSON.parse(shaped))
let written = 0
try {
  for (const size of JSON.parse(sizes)) {
    const payload = Buffer.alloc(size, 7)
    session.outcome(shape, written + 1, { ...JSON.parse(told), masked: undefined, payload })
    recorder.flush()
    written++
  }
} catch (error) {
  const files = readdirSync(spool).length
  process.send({ code: error.code, cause: error.cause?.code, pending: recorder.pending, written, files })
}
const waiting = setInterval(() => {}, 1000)
process.once('message', () => {
  clearInterval(waiting)
  recorder.flush()
  recorder.close()
  process.disconnect()
})
`

/** A quota of 2 MB makes segments of 64 KiB: 50 kB fit, 300 kB get a file of their own. */
test.each([
  { what: 'a large block is cut short', fsize: 220_000, sizes: [50_000, 50_000, 300_000], kept: 2 },
  { what: 'no room can be reserved', fsize: 60_000, sizes: [50_000], kept: 0 },
])('when $what nothing of it is left, and it is written whole later', async (given) => {
  const at = place()
  const limited = spawn(
    'prlimit',
    [
      `--fsize=${given.fsize}:unlimited`,
      process.execPath,
      '--input-type=module',
      '-e',
      FULL,
      at.spool,
      JSON.stringify(given.sizes),
      ...[facts('I'), SHAPE, OUTCOME].map((value) => JSON.stringify(value)),
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  const report = await new Promise<Record<string, unknown>>((resolve, reject) => {
    limited.once('message', (message) => resolve(message as Record<string, unknown>))
    limited.once('exit', (code) => reject(new Error(`ended with ${code}`)))
  })
  const { kept } = given
  const expected = { code: 'GW_RECORDING_LOST', cause: 'EFBIG', pending: true }
  expect(report).toMatchObject({ ...expected, written: kept, files: kept })
  expect(rowsIn(at)).toBe(kept)
  const raised = spawnSync('prlimit', [`--pid=${limited.pid}`, '--fsize=unlimited'])
  expect(raised.status).toBe(0)
  limited.send('go on')
  await new Promise((resolve) => limited.once('exit', resolve))
  expect(rowsIn(at)).toBe(kept + 1)
  for (const name of files(at)) {
    const content = readSegment(readFileSync(join(at.spool, name)))
    expect(content).toMatchObject({ rows: 1, torn: 0, damaged: 0 })
    expect(statSync(join(at.spool, name)).mode & 0o777).toBe(0o600)
  }
})
