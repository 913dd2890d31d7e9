/**
 * Segments that are read while they are written, covered and sent in any order, with memory that is used again and without:
 * digests, hints and what is sent are the same. Memory that is given back is spoiled at once, so that whoever looks at it still
 * is found out.
 */
import { hash } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { SpareMemory } from '../../src/base/spare-memory.ts'
import { Runs } from '../../src/record/canonical.ts'
import { RowBuffer, sessionSpan, shapeSpans } from '../../src/record/encode.ts'
import { EngineInserts } from '../../src/record/engine-inserts.ts'
import { EngineRows } from '../../src/record/engine-rows.ts'
import type { Recorder, Recording } from '../../src/record/event.ts'
import { OpenSegments } from '../../src/record/open-segment.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import {
  BLOCK_HEAD,
  joinRows,
  type SegmentContent,
  sealBlock,
  segmentHeader,
  soundBlocks,
} from '../../src/record/segment.ts'
import { ownContent, SegmentFile } from '../../src/record/segment-file.ts'
import { baseName, spoolFiles } from '../../src/record/spool.ts'
import { makeRunKey, SpoolKeys } from '../../src/record/spool-cipher.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

const INSTANCE = 'I'
const KEY = { id: Buffer.alloc(8, 3), key: Buffer.alloc(32, 4) }
const SALT = Buffer.alloc(16, 5)
const digest = (pieces: readonly Uint8Array[]) => hash('sha256', Buffer.concat(pieces))

class Spoiling extends SpareMemory {
  given = 0

  override give(memory: Buffer): void {
    memory.fill(0xdb)
    this.given += memory.length
    super.give(memory)
  }
}

/** What is on its way to the store, and what it was when it was sent. */
interface Sent {
  readonly body: readonly Buffer[]
  readonly was: string
}

/** What the ship thread does with segments, step by step. */
class Side {
  readonly opened: OpenSegments
  readonly inserts: EngineInserts
  readonly sent = new Map<string, Sent>()
  /** Nobody knows whether the one who was to send it looks at it still. */
  readonly lost: Sent[] = []
  readonly #spare: SpareMemory | undefined
  readonly #folder: string
  readonly #keys: SpoolKeys
  readonly #covered = new Map<string, number>()
  readonly #whole = new Set<string>()

  constructor(folder: string, keys: SpoolKeys, spare?: SpareMemory) {
    this.#folder = folder
    this.#keys = keys
    this.#spare = spare
    this.opened = new OpenSegments(keys, spare)
    this.inserts = new EngineInserts(2, spare)
  }

  /** As the chain does a few times a second, also with segments that wait for their turn. */
  look(name: string): object[] {
    const path = join(this.#folder, name)
    const content = ownContent(() =>
      name.endsWith('.open') ? this.opened.read(path) : this.opened.complete(path),
    )
    return content === undefined ? [] : this.#cover(name, content)
  }

  /** Begins to send a complete segment; what is covered and sent of it, in words. */
  send(name: string): object {
    const path = join(this.#folder, name)
    const found = this.opened.take(path) ?? new SegmentFile([], this.#keys).read(path)
    const content = found as SegmentContent
    const runs = this.#cover(name, content)
    const inserts = this.#whole.has(name) ? undefined : this.inserts
    const made = inserts?.take(baseName(name), content)
    if (made !== undefined) expect(digest(made.body)).toBe(digest(compact(content, made.as)))
    const body = made?.body ?? [whole(content)]
    const was = digest(body)
    this.sent.set(name, { body, was })
    return { runs, as: made?.as, was, rows: content.rows }
  }

  failed(name: string, sent: Sent): void {
    this.lost.push(sent)
    this.#whole.add(name)
    this.inserts.drop(baseName(name))
  }

  stored(name: string, isWhole: boolean): void {
    this.inserts.stored(baseName(name))
    if (isWhole) this.opened.stored(baseName(name))
    this.inserts.drop(baseName(name))
    this.opened.forget(baseName(name))
    this.#covered.delete(baseName(name))
  }

  #cover(name: string, { bytes, blocks, names }: SegmentContent): object[] {
    const segment = baseName(name)
    const from = this.#covered.get(segment) ?? 0
    const until = blocks.length / 2
    const runs = new Runs(() => SALT, this.inserts.rows(segment, from, until), this.#spare)
    for (let at = from; at < until; at++) {
      try {
        runs.add(bytes, [blocks[at * 2], blocks[at * 2 + 1]], names)
      } catch {
        // Left out, as the chain does.
      }
    }
    this.#covered.set(segment, until)
    return [...runs.take()]
  }
}

/** By nobody who has anything to do with memory. */
function compact({ bytes, blocks, names }: SegmentContent, as: string): readonly Buffer[] {
  const rows = new EngineRows(!as.includes('shape_number'))
  const runs = new Runs(() => SALT, rows)
  for (let at = 0; at < blocks.length; at += 2) runs.add(bytes, [blocks[at], blocks[at + 1]], names)
  return rows.insert(rows.count, 2)!.body
}

function whole(content: SegmentContent): Buffer {
  try {
    return joinRows(content)
  } catch {
    return joinRows(soundBlocks(content))
  }
}

type Kind = { readonly encrypt: boolean; readonly ratchet: boolean }

/** One spool, and both sides. */
class Spools {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-again-'))
  readonly spare = new Spoiling(2 << 20, 8 << 20)
  readonly #sides: readonly [Side, Side]
  readonly #kind: Kind
  readonly #recorders: Recorder[] = []
  readonly #sessions: Recording[][] = []
  #threads = 0
  #seqs = 0

  constructor(kind: Kind) {
    this.#kind = kind
    const keys = new SpoolKeys([KEY], kind.encrypt ? INSTANCE : undefined)
    this.#sides = [new Side(this.folder, keys, this.spare), new Side(this.folder, keys)]
    for (const at of [0, 1]) this.begin(at)
  }

  begin(at: number): void {
    const { encrypt, ratchet } = this.#kind
    this.#recorders[at]?.close()
    this.#sessions[at] = []
    this.#recorders[at] = openRecorder({
      ...{ spoolFolder: this.folder, instance: INSTANCE, thread: ++this.#threads, ratchet, clock },
      ...{ recordKey: Buffer.alloc(32), bytesMax: 16 << 20 },
      encrypt: encrypt ? makeRunKey(KEY) : undefined,
    })
  }

  record(at: number, { session, rows, size, isMany }: Extract<Op, { do: 'record' }>): void {
    const recorder = this.#recorders[at]!
    const sessions = this.#sessions[at]!
    // Of the same name and with other columns, from time to time.
    sessions[session] ??= recorder.open(
      facts(INSTANCE, { sessionId: `s${session % 3}`, job: `${session}` }),
    )
    for (let row = 0; row < rows; row++) {
      const statement = isMany ? `SELECT ${++this.#seqs}` : 'SELECT 1'
      const shape = recorder.shape({ ...SHAPE, statement })
      const action = sessions[session].action(shape, TIMES)
      const payload = Buffer.alloc(size, row)
      sessions[session].outcome(shape, action, { ...OUTCOME, payload })
    }
    recorder.flush()
  }

  /** As an earlier version wrote them, which are sent where they stand; or with a block that is no rows and whose checksum holds. */
  foreign(isGood: boolean): void {
    if (this.#kind.encrypt) return
    const path = join(this.folder, `${INSTANCE}-0099-${String(++this.#seqs).padStart(10, '0')}`)
    const { action } = shapeSpans(SHAPE, 'hash')
    const good = (seq: number) => {
      const rows = new RowBuffer(BLOCK_HEAD, 4096)
      const head = { at: 1e15, seq, action: seq, job: seq }
      rows.action([sessionSpan(facts(INSTANCE, { sessionId: 'f' })), action], head, TIMES)
      const bytes = Buffer.from(rows.bytes.subarray(0, rows.size))
      sealBlock(bytes, rows.rows)
      return bytes
    }
    const bad = Buffer.from(good(2))
    bad[bad.length - 1] = 0xc1
    sealBlock(bad, 1)
    const head = segmentHeader(99, INSTANCE, 'plain')
    writeFileSync(`${path}.open`, Buffer.concat([head, good(1), isGood ? good(2) : bad, good(3)]))
    this.look()
    renameSync(`${path}.open`, `${path}.seg`)
  }

  look(): void {
    for (const name of spoolFiles(this.folder)) this.#same((side) => side.look(name))
  }

  /** Of those that wait, this one; two at once as a rule. */
  send(at: number): void {
    const isFree = (name: string) => name.endsWith('.seg') && !this.#sides[0].sent.has(name)
    const names = spoolFiles(this.folder).filter(isFree)
    const name = names[at % Math.max(1, names.length)]
    if (name !== undefined) this.#same((side) => side.send(name))
  }

  get isSending(): boolean {
    return this.#sides[0].sent.size > 0
  }

  end(at: number, how: 'stored' | 'bad' | 'failed'): void {
    const names = [...this.#sides[0].sent.keys()]
    const name = names[at % Math.max(1, names.length)]
    if (name === undefined) return
    this.intact()
    if (how !== 'failed') rmSync(join(this.folder, name))
    for (const side of this.#sides) {
      const sent = side.sent.get(name)!
      side.sent.delete(name)
      if (how === 'failed') side.failed(name, sent)
      else side.stored(name, how === 'stored')
    }
  }

  keep(): void {
    const names = spoolFiles(this.folder)
    for (const { opened, inserts } of this.#sides) {
      opened.keep(names)
      inserts.keep(names.map(baseName))
    }
  }

  /** What is being sent is what was to be sent. */
  intact(): void {
    for (const { sent, lost } of this.#sides)
      for (const { body, was } of [...sent.values(), ...lost]) expect(digest(body)).toBe(was)
  }

  close(): void {
    for (const recorder of this.#recorders) recorder.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #same(act: (side: Side) => object): void {
    const [one, other] = this.#sides.map(act)
    expect(one).toEqual(other)
    this.intact()
  }
}

const op = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      at: fc.nat(1),
      session: fc.nat(5),
      rows: fc.oneof(fc.nat(8), fc.nat(60)),
      size: fc.oneof(
        { weight: 8, arbitrary: fc.nat(300) },
        { weight: 2, arbitrary: fc.constantFrom(5000, 17_000) },
      ),
      isMany: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'look' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const), at: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), at: fc.nat(5) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      at: fc.nat(5),
      how: fc.constantFrom('stored' as const, 'stored' as const, 'bad' as const, 'failed' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...(['large', 'keep', 'rest'] as const))
      .map((what) => ({ do: what })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('foreign' as const), isGood: fc.boolean() }),
  },
)
type Op = typeof op extends fc.Arbitrary<infer One> ? One : never

function act(spools: Spools, one: Op): void {
  if (one.do === 'record') spools.record(one.at, one)
  else if (one.do === 'large')
    spools.record(0, { do: 'record', at: 0, session: 0, rows: 1, size: 3 << 20, isMany: false })
  else if (one.do === 'begin') spools.begin(one.at)
  else if (one.do === 'send') spools.send(one.at)
  else if (one.do === 'end') spools.end(one.at, one.how)
  else if (one.do === 'rest') spools.spare.rest()
  else if (one.do === 'foreign') spools.foreign(one.isGood)
  else spools[one.do]()
}

test('memory is given back when nobody looks at it any more, whatever comes when', () => {
  const kinds = fc.record({ encrypt: fc.boolean(), ratchet: fc.boolean() })
  let given = 0
  fc.assert(
    fc.property(kinds, fc.array(op, { minLength: 10, maxLength: 60 }), (kind, ops) => {
      const spools = new Spools(kind)
      try {
        for (const one of ops) act(spools, one)
        // What is left goes on its way too.
        for (const at of [0, 1]) spools.begin(at)
        for (let i = 0; i < 100; i++) spools.send(0)
        while (spools.isSending) spools.end(0, 'stored')
        given += spools.spare.given
      } finally {
        spools.close()
      }
    }),
    { numRuns: fc.readConfigureGlobal().numRuns ?? 25 },
  )
  expect(given).toBeGreaterThan(1 << 20)
})
