/** Not the store: what the chain does with spool, log, keys and clock alone. */
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { ulid } from '../../src/base/id.ts'
import { Chain, type ChainOptions } from '../../src/record/chain.ts'
import { ChainLog } from '../../src/record/chain-log.ts'
import { Tree } from '../../src/record/merkle.ts'
import { isSigned, readHead, type SignedHead } from '../../src/record/proof.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import { readSegment } from '../../src/record/segment.ts'
import { facts, until } from './running.ts'

let folder: string
let heads: SignedHead[]
let said: string[]
let instance: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-chain-'))
  heads = []
  said = []
  instance = ulid()
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const spool = () => join(folder, 'spool')

function open(more: Partial<ChainOptions> = {}, known?: ReadonlyMap<string, number>): Chain {
  const options: ChainOptions = {
    folder: join(folder, 'chain'),
    spoolFolder: spool(),
    gateway: 'GW',
    instance,
    retention: { days: 400, connections: {} },
    clock,
    say: (level, text) => said.push(`${level} ${text}`),
    onHead: (head) => heads.push(head),
    ...more,
  }
  return Chain.open(options, known)
}

function write(events: number, more: { thread?: number; ratchet?: boolean; close?: boolean } = {}) {
  const { thread = 1, ratchet = true, close = true } = more
  const options = { spoolFolder: spool(), instance, thread, recordKey: Buffer.alloc(32) }
  const recorder = openRecorder({ ...options, bytesMax: 1e9, clock, ratchet })
  const session = recorder.open(facts(instance))
  for (let i = 0; i < events; i++) session.moment({ kind: 'notice', status: '', text: '' })
  recorder.flush()
  if (close) recorder.close()
  return recorder
}

test('a segment of this run beside which no key of the ratchet lies was written by somebody else', () => {
  const proofs = (chain: Chain) =>
    [...chain.leaves(0, chain.size).values()].map(({ text }) => JSON.parse(text)[11])
  write(2)
  // A thread that there is not, and one whose key was taken away.
  write(1, { thread: 99, ratchet: false })
  write(1, { thread: 2 })
  rmSync(join(spool(), `${instance}-0002.ratchet`))
  const chain = open({ ratchet: true })
  chain.tick()
  expect(proofs(chain).sort()).toEqual(['broken', 'broken', 'live'])
  expect(said.filter((line) => line.includes('was changed after it was written'))).toHaveLength(2)
  chain.close()
  // Nothing is sealed where it is turned off.
  rmSync(join(folder, 'chain'), { recursive: true })
  const other = open({ ratchet: false })
  other.tick()
  // The first writer's key has gone on with what was signed.
  expect(proofs(other).sort()).toEqual(['live', 'live', 'recovered'])
  other.close()
})

test('what is written is signed within a second, also while its segment is open', async () => {
  const chain = open()
  const recorder = write(3, { close: false })
  const took = await until(() => {
    chain.tick()
    return heads.some(({ text }) => readHead(text)?.size === 1)
  })
  expect(took).toBeLessThan(1500)
  recorder.close()
  chain.close()
  expect(readHead(heads.at(-1)!.text)).toMatchObject({ kind: 'close', size: 1 })
})

test('every head is the root of the leaves before it, signed, and holds the hash of the one before', () => {
  const chain = open()
  for (let i = 0; i < 5; i++) {
    write(2, { thread: i, ratchet: i % 2 === 0 })
    chain.tick()
    chain.sign('run')
  }
  const tree = new Tree(chain.size, heads.at(-1)!.peaks)
  expect(readHead(heads.at(-1)!.text)).toMatchObject({ size: 5, root: tree.root, kind: 'run' })
  const key = JSON.parse(chain.keys[0]!.text)[3]
  for (const { text, signature } of heads) expect(isSigned(text, signature, key)).toBe(true)
  const numbers = heads.map(({ text }) => readHead(text)!.number)
  expect(numbers).toEqual(numbers.map((_, at) => at))
  chain.close()
})

test('the next run goes on, covers nothing twice, and cuts a torn end off', () => {
  const first = open()
  write(2)
  first.tick()
  first.sign('run')
  const [id, size] = [first.id, first.size]
  first.abandon()
  const file = join(
    folder,
    'chain',
    id,
    readdirSync(join(folder, 'chain', id)).find(
      (name) => name.endsWith('.ndjson') && name.startsWith('0'),
    )!,
  )
  // Leaves without the mark of their end, and half a line: a crash while they were written.
  appendFileSync(file, '{"leaf":"[]","salt":"","hints":""}\n{"leaf":"')
  const second = open()
  expect([second.id, second.size]).toEqual([id, size])
  second.tick()
  expect(second.size).toBe(size)
  expect(readHead(heads.at(-1)!.text)).toMatchObject({ kind: 'start', size })
  expect(said).toEqual([])
  second.close()
})

test('a log that was rolled back, changed, or has lost its key is not continued', () => {
  const first = open()
  first.close()
  const back = open({}, new Map([[first.id, 99]]))
  expect(back.id).not.toBe(first.id)
  back.close()
  const place = join(folder, 'chain', back.id)
  const pem = readdirSync(place).find((name) => name.endsWith('.pem'))!
  rmSync(join(place, pem))
  const keyless = open()
  expect([first.id, back.id]).not.toContain(keyless.id)
  keyless.close()
  const log = join(
    folder,
    'chain',
    keyless.id,
    readdirSync(join(folder, 'chain', keyless.id)).find((name) => /^\d/.test(name))!,
  )
  writeFileSync(log, readFileSync(log, 'utf8').replace(/\\"root\\"|"peaks":\[/g, '"peaks":["00",'))
  expect(open().id).not.toBe(keyless.id)
  expect(said.filter((line) => line.startsWith('error'))).toHaveLength(3)
})

test('a next file of the log that cannot be opened leaves the former one in use', () => {
  const place = join(folder, 'chain', 'full')
  const log = new ChainLog(place)
  log.recover()
  const head = (number: number) => ({ text: `["head",${number}]`, signature: '', peaks: [] })
  log.head(head(0), { size: 0, number: 0, at: 0 })
  const leaf = { text: '["leaf"]', salt: '', hints: 'f'.repeat(33 << 20) }
  log.leaves([leaf], ['segment', 1])
  // What stands there already is like a folder that takes no more files.
  const taken = join(place, `${'1'.padStart(16, '0')}-${'1'.padStart(16, '0')}.ndjson`)
  writeFileSync(taken, '')
  log.head(head(1), { size: 1, number: 1, at: 1 })
  // Whoever is given the next descriptor must not find our lines in it.
  const other = openSync(join(folder, 'other'), 'w+')
  log.leaves([{ ...leaf, hints: '' }], ['segment', 2])
  log.sync()
  closeSync(other)
  expect(statSync(join(folder, 'other')).size).toBe(0)
  rmSync(taken)
  log.head(head(2), { size: 2, number: 2, at: 2 })
  log.close()
  const again = new ChainLog(place)
  expect(again.recover().head?.text).toBe(head(2).text)
  expect(again.covered(0).blocks.get('segment')).toBe(2)
  again.close()
})

test('a kill between a new file of the log and its first head loses nothing', () => {
  const first = open()
  write(2)
  first.close()
  const place = join(folder, 'chain', first.id)
  writeFileSync(join(place, '0000000000000001-0000000000000003.ndjson'), '{"head":"[')
  instance = ulid()
  const second = open()
  expect([second.id, second.size, said]).toEqual([first.id, 1, []])
  second.close()
  const third = open()
  expect([third.id, third.size, said]).toEqual([first.id, 1, []])
  third.close()
})

test('a line of the list of keys that was torn is the end of no chain', () => {
  const first = open()
  first.close()
  appendFileSync(join(folder, 'chain', first.id, 'keys.ndjson'), '{"text":"[\\"sluice')
  const second = open({ keyAgeMsMax: -1 })
  expect([second.id, said]).toEqual([first.id, []])
  second.tick()
  second.close()
  const third = open()
  expect([third.id, third.keys.length, said]).toEqual([first.id, 2, []])
  third.close()
})

test('keys are changed when they are old, and the former one is gone', async () => {
  const chain = open({ keyAgeMsMax: 5 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  chain.tick()
  expect(chain.keys).toHaveLength(2)
  const [first, second] = chain.keys.map(({ text }) => JSON.parse(text))
  expect(second[5]).toBe(first[2])
  expect(isSigned(chain.keys[1]!.text, chain.keys[1]!.signature, first[3])).toBe(true)
  const pems = readdirSync(join(folder, 'chain', chain.id)).filter((name) => name.endsWith('.pem'))
  expect(pems).toEqual([`${second[2]}.pem`])
  chain.close()
})

test('a clock that is set back makes no older heads', () => {
  let now = 5_000_000
  const chain = open({ clock: { microseconds: () => now, elapsed: () => now } })
  now = 1
  chain.sign('run')
  const [first, second] = heads.map(({ text }) => readHead(text)!.at)
  expect(second!).toBeGreaterThan(first!)
  chain.close()
})

test('segments that were shipped before a head was signed make none after them look changed', async () => {
  for (const isKilled of [true, false]) {
    // The gateway is killed, or its ship thread alone.
    const chain = open()
    const recorder = write(2, { close: false })
    const segments = () => readdirSync(spool()).filter((name) => name.endsWith('.seg'))
    await until(() => segments().length > 0)
    for (const name of segments()) {
      const content = readSegment(readFileSync(join(spool(), name)))
      if (content === 'foreign') throw new Error(name)
      chain.cover(name, content)
      chain.settle()
      rmSync(join(spool(), name))
      chain.forget(name)
    }
    const session = recorder.open(facts(instance))
    session.moment({ kind: 'notice', status: '', text: '' })
    recorder.close()
    chain.abandon()
    if (isKilled) instance = ulid()
    const next = open()
    next.tick()
    expect(next.size).toBe(chain.size + 1)
    expect(said).toEqual([])
    const last = next.leaves(chain.size, next.size).get(chain.size)!
    expect(JSON.parse(last.text)[11]).toBe(isKilled ? 'sealed' : 'live')
    next.close()
    for (const name of segments()) rmSync(join(spool(), name))
  }
})

test('leaves count as stored when their segment is gone, and not before', () => {
  const chain = open()
  write(1, { thread: 1 })
  write(1, { thread: 2 })
  chain.tick()
  expect([chain.size, chain.stored]).toEqual([2, 0])
  const [one, two] = readdirSync(spool())
    .filter((name) => name.endsWith('.seg'))
    .sort()
  chain.forget(one!)
  expect(chain.stored).toBe(1)
  chain.forget(two!)
  expect(chain.stored).toBe(2)
  chain.close()
})
