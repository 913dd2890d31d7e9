/** A segment that was written with another list of columns, by what might have been an earlier version: stored and covered. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { COLUMNS, COLUMNS_HASH, SESSION_COLUMNS } from '../../src/record/columns.ts'
import { type ColumnList, columnsHash, upgrade } from '../../src/record/earlier-columns.ts'
import { expanded, Name } from '../../src/record/named-rows.ts'
import {
  BLOCK_HEAD,
  readSegment,
  type SegmentContent,
  sealBlock,
  segmentHeader,
} from '../../src/record/segment.ts'
import { Shipper } from '../../src/record/ship.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES } from './running.ts'

const at = new Place()
afterAll(() => at.close())

/** As if `owner` had been the last column then, when every row held all of its columns. */
const OLDER: ColumnList = [...COLUMNS.filter(([name]) => name !== 'owner'), ['owner', 'String']]
/** As if `owner` had been the first one, when rows named their sessions already. */
const LATER: ColumnList = [['owner', 'String'], ...COLUMNS.filter(([name]) => name !== 'owner')]
const OWNER = COLUMNS.findIndex(([name]) => name === 'owner')

/** The rows of a segment with all of their columns, moved, block by block: each values in its place. */
function older(path: string): Buffer {
  const content = read(path)
  const { blocks, names, bytes } = content
  const head = segmentHeader(1, content.header.instance, 'sealed')
  head.writeUInt32BE(columnsHash(OLDER), 10)
  const made = expanded({ bytes, blocks, names })!.map((rows) => {
    const moved: Buffer[] = []
    for (let at = 0; at < rows.length; ) {
      const values = valuesAt(rows, at, COLUMNS.length)
      at += Buffer.concat(values).length
      const [owner] = values.splice(OWNER, 1)
      moved.push(...values, owner!)
    }
    return blockOf(moved, moved.length / COLUMNS.length)
  })
  return Buffer.concat([head, ...made])
}

/** The same segment, but for what it says of sessions: `owner` comes first there. */
function later(path: string): Buffer {
  const content = read(path)
  const { blocks, names, bytes } = content
  const head = segmentHeader(1, content.header.instance, 'named')
  head.writeUInt32BE(columnsHash(LATER), 10)
  const said = [...names].map(([number, columns]) => {
    const values = valuesAt(columns, 0)
    if (values.length === SESSION_COLUMNS.length) values.unshift(...values.splice(OWNER, 1))
    const name = new Name(Buffer.concat(values), number)
    const into = Buffer.alloc(name.size)
    name.say(into, 0)
    return into
  })
  const rows = blocks.flatMap((start, at) =>
    at % 2 === 0 ? [bytes.subarray(start, blocks[at + 1])] : [],
  )
  return Buffer.concat([head, blockOf([...said, ...rows], content.rows)])
}

function read(path: string): SegmentContent {
  const content = readSegment(readFileSync(path))
  if (content === 'foreign') throw new Error('no segment')
  return content
}

function blockOf(parts: readonly Buffer[], rows: number): Buffer {
  const block = Buffer.concat([Buffer.alloc(BLOCK_HEAD), ...parts])
  sealBlock(block, rows)
  return block
}

function valuesAt(bytes: Buffer, start: number, count = Number.POSITIVE_INFINITY): Buffer[] {
  const values: Buffer[] = []
  for (let at = start; at < bytes.length && values.length < count; ) {
    const end = endOf(bytes, at)
    values.push(bytes.subarray(at, end))
    at = end
  }
  return values
}

function endOf(bytes: Buffer, at: number): number {
  const tag = bytes[at]!
  if (tag >= 0xa0 && tag < 0xc0) return at + 1 + (tag & 31)
  if (tag === 0xd9 || tag === 0xc4) return at + 2 + bytes[at + 1]!
  if (tag === 0xc6 || tag === 0xdb) return at + 5 + bytes.readUInt32BE(at + 1)
  if (tag >= 0xcc && tag <= 0xcf) return at + 1 + (1 << (tag - 0xcc))
  if ((tag & 0xf0) === 0x90) {
    let end = at + 1
    for (let left = tag & 15; left > 0; left--) end = endOf(bytes, end)
    return end
  }
  if (tag > 0x80 && tag < 0x90) throw new Error('no counts are expected here')
  return at + 1
}

test.each([
  ['with all columns in every row', 1, OLDER, older],
  ['whose rows name their sessions', 2, LATER, later],
] as const)(
  'an old segment %s is stored with every value, covered, and not set aside',
  async (_, thread, list, made) => {
    const recorder = at.recorder({ thread })
    const session = recorder.open(facts(at.instance, { owner: 'grace' }))
    const shape = recorder.shape(SHAPE)
    for (let i = 0; i < 3; i++)
      session.outcome(shape, session.action(shape, TIMES), {
        ...OUTCOME,
        payload: Buffer.from([i, 255]),
      })
    recorder.flush()
    recorder.close()
    const [name] = readdirSync(at.spool).filter((one) => one.endsWith('.seg'))
    const bytes = made(join(at.spool, name!))
    rmSync(join(at.spool, name!))
    const folder = mkdtempSync(join(at.folder, 'old-spool-'))
    writeFileSync(join(folder, name!), bytes)
    const content = readSegment(Buffer.from(bytes))
    if (content === 'foreign') throw new Error('no segment')
    expect(upgrade(content, [list]).header.columns).toBe(COLUMNS_HASH)
    const ship = at.ship()
    await ship.store.ready()
    const covered: number[] = []
    const said: string[] = []
    const shipper = (earlier: readonly ColumnList[]) =>
      new Shipper({
        spoolFolder: folder,
        instance: at.instance,
        database: 'sluice',
        store: ship.store.ready,
        cover: (_, { rows, blocks }) => covered.push(rows, blocks.length),
        forget: () => {},
        say: (level, text) => said.push(`${level} ${text}`),
        earlier,
      })
    const one = shipper([list])
    await one.round()
    expect(said).toEqual([])
    expect(readdirSync(folder)).toEqual([])
    expect(one.eventsShipped).toBe(6)
    expect(covered).toEqual([6, content.blocks.length])
    const rows = await at.rows(
      ship,
      `SELECT seq, owner, subject, statement, hex(payload) AS payload FROM events WHERE session_id = '${session.sessionId}' AND segment LIKE '${name!.replace('.seg', '')}%' ORDER BY seq`,
    )
    expect(rows.slice(-6)).toMatchObject([
      { seq: 1, owner: 'grace', subject: 'ci', statement: SHAPE.statement, payload: '' },
      { seq: 2, owner: 'grace', payload: '00FF' },
      { seq: 3 },
      { seq: 4, payload: '01FF' },
      { seq: 5 },
      { seq: 6, payload: '02FF' },
    ])
    // A list that nobody knows is kept for whoever does, loudly.
    writeFileSync(join(folder, name!), bytes)
    await shipper([]).round()
    expect(readdirSync(folder)).toEqual([name!.replace('.seg', '.bad')])
    expect(said.join()).toContain('not written by this version')
    expect(crc32(readFileSync(join(folder, name!.replace('.seg', '.bad'))))).toBe(crc32(bytes))
    await ship.stop(0)
  },
  180_000,
)
