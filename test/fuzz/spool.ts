/**
 * IO (files). Fuzz of the spool: what a recorder was told is what is read of its segments, in order and each row once, against a
 * reader and an encoding of rows that were written for this test alone; clear, sealed and encrypted; whole, and after a crash
 * at any byte. What somebody changes makes no row that was not recorded.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { expect } from 'vitest'
import { Runs } from '../../src/record/canonical.ts'
import { EngineRows } from '../../src/record/engine-rows.ts'
import { expanded } from '../../src/record/named-rows.ts'
import {
  type BlockOpener,
  joinRows,
  readSegment,
  type SegmentContent,
  soundBlocks,
} from '../../src/record/segment.ts'
import { openingOf } from '../../src/record/segment-cipher.ts'
import { type FuzzProperty, property } from './driver.ts'
import { cuts, edit, edited, pieces } from './mutate.ts'
import { blocksOf, damage, damaged, mended } from './spool-damage.ts'
import {
  type Column,
  type Op,
  op,
  type Row,
  rowBinary,
  World,
  type WorldKind,
  worldKinds,
} from './spool-world.ts'

// As an object a map would lose a name that is `__proto__`.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number', mapsAsObjects: false })
const SALT = new Uint8Array(16)

/** As ship reads them. A key that nobody has: it is set aside as it is, like what is foreign. */
function opener(bytes: Buffer, world: World): BlockOpener | undefined {
  const opening = openingOf(bytes, world.keys)
  return 'locked' in opening ? undefined : opening.opener
}

function readAll(bytes: Buffer, world: World): SegmentContent | 'foreign' {
  return readSegment(bytes, undefined, opener(bytes, world))
}

/** The same by somebody who sees it grow; `sizes`: by how much. */
function readGrowing(
  bytes: Buffer,
  world: World,
  sizes: readonly number[],
): SegmentContent | 'foreign' {
  let before: SegmentContent | 'foreign' = 'foreign'
  let open: BlockOpener | undefined
  let end = 0
  for (const piece of pieces(bytes, sizes)) {
    end += piece.length
    if (before === 'foreign') open = opener(bytes.subarray(0, end), world)
    const known: SegmentContent | undefined = before === 'foreign' ? undefined : before
    before = readSegment(bytes.subarray(0, end), known, open, true)
  }
  const known = before === 'foreign' ? undefined : before
  if (known === undefined) open = opener(bytes, world)
  return readSegment(bytes, known, open)
}

/** Of msgpack with all columns, by msgpackr. */
function rowsOf(packed: Buffer): Row[] {
  const rows: Row[] = []
  const values = packed.length === 0 ? [] : (unpackr.unpackMultiple(packed) as Column[])
  for (let at = 0; at < values.length; at += World.columns)
    rows.push(values.slice(at, at + World.columns).map(World.plain))
  return rows
}

/** What is read of a segment, block by block; undefined where some of it is no rows. */
function rowsIn(content: SegmentContent): Row[] | undefined {
  return expanded(content)?.flatMap(rowsOf)
}

interface Told {
  readonly runs: readonly object[]
  readonly engine: object | undefined
}

/** Digests of all rows, and what the engine would get of them. */
function covered(rows: number, add: (runs: Runs) => void): Told {
  const engine = new EngineRows()
  const runs = new Runs(() => SALT, engine)
  add(runs)
  const insert = engine.insert(rows, 1)
  const body = insert && createHash('sha256').update(Buffer.concat(insert.body)).digest('hex')
  return { runs: runs.take().map(({ run }) => run), engine: insert && { as: insert.as, body } }
}

function coveredBlocks({ bytes, blocks, names, rows }: SegmentContent): Told {
  return covered(rows, (runs) => {
    for (let at = 0; at < blocks.length; at += 2)
      runs.add(bytes, [blocks[at], blocks[at + 1]], names)
  })
}

/** The digests that an auditor makes of what the store answers. */
function digests(rows: readonly Row[]): Map<string, [string, string]> {
  const all = new Map<string, ReturnType<typeof createHash>[]>()
  for (const row of rows) {
    const session = String(row[0])
    const made = all.get(session) ?? [createHash('sha256'), createHash('sha256').update(SALT)]
    all.set(session, made)
    const { events, contents } = rowBinary(row)
    made[0]!.update(events)
    made[1]!.update(contents)
  }
  return new Map(
    [...all].map(([session, [one, two]]) => [session, [one!.digest('hex'), two!.digest('hex')]]),
  )
}

function told(content: SegmentContent | 'foreign') {
  if (content === 'foreign') return content
  const { bytes, blocks, rows, damaged: bad, end, sealed, torn, seals, names } = content
  const read = blocks.flatMap((to, at) =>
    at % 2 ? [bytes.toString('latin1', blocks[at - 1], to)] : [],
  )
  const covers = seals.map(({ block, covers: range }) => [block, range.length])
  return { rows, bad, end, sealed, torn, covers, read, names: [...names.keys()] }
}

/** Without the difference of megabytes, which takes minutes to say. */
function expectSame(found: unknown, expected: unknown, what: string): void {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value) ?? '')
  if (one === other) return
  let at = 0
  while (one![at] === other![at]) at++
  const near = [one, other].map((all) => all!.substring(Math.max(0, at - 100), at + 100))
  throw new Error(`${what}: ${near[0]} in place of ${near[1]}`)
}

/** A segment that is read piece by piece is what it is when read at once. Small pieces of more than `most` bytes take too long. */
function expectGrowing(
  bytes: Buffer,
  world: World,
  { sizes, most }: { readonly sizes: readonly number[]; readonly most: number },
): void {
  if (bytes.length < most || sizes[0]! > 1000)
    expectSame(told(readGrowing(bytes, world, sizes)), told(readAll(bytes, world)), 'growing')
}

/** What a world has recorded when all of that is done. */
function played(kind: WorldKind, ops: readonly Op[]): World {
  const world = World.of(kind)
  world.begin()
  for (const one of ops) world.do(one)
  return world
}

/** Of a segment that a recorder has begun. */
function readOwn(bytes: Buffer, world: World): SegmentContent {
  const content = readAll(bytes, world)
  if (content === 'foreign') throw new Error('foreign')
  return content
}

const text = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row))

/** Every row that is there was recorded, and none stands before one that was recorded earlier, or twice. */
function expectSome(found: readonly Row[], all: readonly Row[]): void {
  const recorded = text(all)
  let from = 0
  for (const row of text(found)) {
    const at = recorded.indexOf(row, from)
    if (at < 0) throw new Error(`not recorded, or not here: ${row.substring(0, 300)}`)
    from = at + 1
  }
}

const FLUSH = { do: 'flush' } as const
const MOMENT = { do: 'moment', session: 0, kind: 'login', text: '' } as const
const OUTCOME = {
  ...{ do: 'outcome' as const, session: 0, shape: 0, count: 1, text: '', cut: false },
  ...{ masked: { ['__proto__']: 7, 2: 1, 1: 2 }, payload: Buffer.alloc(0) },
}
const CUT = { how: 'cut', at: 0, with: 0, bytes: Buffer.alloc(0) } as const

export const SPOOL: readonly FuzzProperty[] = [
  property(
    'spool: what was recorded is what is read, in order, each row once',
    fc.tuple(worldKinds, fc.array(op, { maxLength: 60 }), cuts),
    {
      runs: 20,
      found: [['clear', [OUTCOME, FLUSH], [7]]],
      holds: ([kind, ops, sizes]) => {
        const world = played(kind, ops)
        const found: Row[] = []
        for (const bytes of world.segments()) {
          const content = readOwn(bytes, world)
          expect(content.damaged).toBe(0)
          expect(bytes.subarray(content.end).every((byte) => byte === 0)).toBe(true)
          const rows = rowsIn(content)!
          expect(rows.length).toBe(content.rows)
          found.push(...rows)
          const made = coveredBlocks(content)
          const joined = Buffer.from(joinRows(content))
          expectSame(
            covered(rows.length, (runs) => runs.add(joined)),
            made,
            'covered',
          )
          const expected = digests(rows)
          expect(made.runs.length).toBe(expected.size)
          for (const run of made.runs as { session: string; events: string; contents: string }[])
            expect([run.events, run.contents]).toEqual(expected.get(run.session))
          expectGrowing(bytes.subarray(0, content.end + 64), world, { sizes, most: 100_000 })
        }
        expectSame(text(found), text(world.rows), 'rows')
      },
    },
  ),
  property(
    'spool: a crash at any byte leaves what was whole before it',
    fc.tuple(
      worldKinds,
      fc.array(op, { minLength: 4, maxLength: 40 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
    ),
    {
      runs: 20,
      holds: ([kind, ops, places, isRoom]) => {
        const world = played(kind, ops)
        for (const bytes of world.segments()) {
          const whole = readOwn(bytes, world)
          const all = rowsIn(whole)!
          const { begin, blocks } = blocksOf(bytes)
          for (const place of places) {
            const cut = place % (whole.end + 1)
            const left = isRoom ? Buffer.alloc(bytes.length) : Buffer.alloc(cut)
            bytes.copy(left, 0, 0, cut)
            if (cut < begin) {
              readAll(left, world)
              continue
            }
            const content = readOwn(left, world)
            let [end, rows] = [begin, 0]
            for (const block of blocks)
              if (block.end <= cut) [end, rows] = [block.end, rows + block.rows]
            // Of a torn block nothing but zeros may be missing.
            if (content.end > end) {
              expect(bytes.subarray(cut, content.end).every((byte) => byte === 0)).toBe(true)
              continue
            }
            expect([content.end, content.rows, content.damaged]).toEqual([end, rows, 0])
            expectSame(text(rowsIn(content)!), text(all.filter((_, at) => at < rows)), 'rows')
          }
        }
      },
    },
  ),
  property(
    'spool: what is changed in a segment makes no row that was not recorded',
    fc.tuple(
      worldKinds,
      fc.array(op, { minLength: 4, maxLength: 40 }),
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      cuts,
    ),
    {
      runs: 25,
      holds: ([kind, ops, changes, sizes]) => {
        const world = played(kind, ops)
        for (const bytes of world.segments()) {
          const whole = readOwn(bytes, world)
          const all = rowsIn(whole)!
          const changed = changes.reduce(damaged, Buffer.from(bytes.subarray(0, whole.end)))
          const content = readAll(changed, world)
          expectGrowing(changed, world, { sizes, most: 50_000 })
          if (content === 'foreign') continue
          const found = rowsIn(content)
          // Whole clear blocks in another order are for the ratchet to find.
          const isCertain =
            world.isEncrypted || changes.every(({ how }) => how === 'bit' || how === 'zeros')
          if (isCertain) {
            if (found === undefined) throw new Error('a block is not rows')
            expectSome(found, all)
            // Seals, and the names of who wrote it, are for the ratchet too.
            const isOther = !changed.equals(bytes.subarray(0, changed.length))
            if (kind === 'encrypted' && isOther && content.rows === all.length)
              expect(content.damaged + content.torn).toBeGreaterThan(0)
          }
          const known = new Set(text(all))
          const left = found ?? rowsOf(Buffer.from(joinRows(soundBlocks(content))))
          for (const row of text(left))
            if (!known.has(row)) throw new Error(`not recorded: ${row.substring(0, 300)}`)
          if (found === undefined) continue
          expect(found.length).toBe(content.rows)
          const joined = Buffer.from(joinRows(content))
          expectSame(
            covered(content.rows, (runs) => runs.add(joined)),
            coveredBlocks(content),
            'covered',
          )
        }
      },
    },
  ),
  property(
    'spool: blocks of anything, with checksums that hold, are read alike by all that read them',
    fc.tuple(
      fc.array(op, { minLength: 4, maxLength: 24 }),
      fc.array(fc.tuple(fc.nat(), edit), { minLength: 1, maxLength: 4 }),
      cuts,
    ),
    {
      runs: 40,
      // A block that says that it holds a row, and does not.
      found: [[[MOMENT, FLUSH, MOMENT, FLUSH], [[0, CUT]], [1]]],
      holds: ([ops, changes, sizes]) => {
        const world = played('clear', ops)
        for (const bytes of world.segments()) {
          let changed: Buffer = Buffer.from(bytes.subarray(0, blocksOf(bytes).end))
          for (const [which, one] of changes)
            changed = mended(changed, which, (block) => edited(block, one))
          const content = readAll(changed, world)
          expectGrowing(changed, world, { sizes, most: 50_000 })
          if (content === 'foreign') continue
          let made: Told | undefined
          try {
            made = coveredBlocks(content)
          } catch {}
          // What the chain speaks for is what a server gets; it may get more, and says itself what is none.
          if (made === undefined || content.names.size === 0) continue
          const sound = soundBlocks(content)
          if (sound.blocks.length < content.blocks.length) throw new Error('covered, and no rows')
          const rows = joinRows(sound)
          const speaks = coveredBlocks(sound)
          expectSame(speaks.runs, made.runs, 'sound')
          expectSame(
            covered(sound.rows, (runs) => runs.add(rows)),
            speaks,
            'covered',
          )
        }
      },
    },
  ),
]
