/** A segment that was written with another list of columns, by what might have been an earlier version: stored and covered. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { COLUMNS, COLUMNS_HASH } from '../../src/record/columns.ts'
import { type ColumnList, columnsHash, upgrade } from '../../src/record/earlier-columns.ts'
import { BLOCK_HEAD, readSegment, sealBlock } from '../../src/record/segment.ts'
import { Shipper } from '../../src/record/ship.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES } from './running.ts'

const at = new Place()
afterAll(() => at.close())

/** As if `owner` had been the last column then. */
const OLDER: ColumnList = [...COLUMNS.filter(([name]) => name !== 'owner'), ['owner', 'String']]

/** The same rows, moved: a list with today's columns in another place is written by reading it the other way round. */
function older(path: string): Buffer {
  const content = readSegment(readFileSync(path))
  if (content === 'foreign') throw new Error('no segment')
  const { bytes, blocks } = content
  const head = Buffer.from(bytes.subarray(0, blocks[0]! - BLOCK_HEAD))
  head.writeUInt32BE(columnsHash(OLDER), 10)
  const moved = blocks.flatMap((end, index) => {
    if (index % 2 === 0) return []
    const block = bytes.subarray(blocks[index - 1]! - BLOCK_HEAD, end)
    return [moveOwner(Buffer.from(block))]
  })
  return Buffer.concat([head, ...moved])
}

/** Texts of these rows are short: a tag of one byte says how long. */
function moveOwner(block: Buffer): Buffer {
  const rows: Buffer[] = []
  const place = COLUMNS.findIndex(([name]) => name === 'owner')
  let at = BLOCK_HEAD
  while (at < block.length) {
    const ends = [at]
    for (const _ of COLUMNS) ends.push(endOf(block, ends.at(-1)!))
    const values = COLUMNS.map((_, index) => block.subarray(ends[index], ends[index + 1]))
    const [owner] = values.splice(place, 1)
    rows.push(Buffer.concat([...values, owner!]))
    at = ends.at(-1)!
  }
  const made = Buffer.concat([block.subarray(0, BLOCK_HEAD), ...rows])
  sealBlock(made, block.readUInt32BE(8))
  return made
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

test('an old segment is stored with every value, covered, and not set aside', async () => {
  const recorder = at.recorder()
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
  const bytes = older(join(at.spool, name!))
  const folder = join(at.folder, 'old-spool')
  mkdirSync(folder)
  writeFileSync(join(folder, name!), bytes)
  const content = readSegment(Buffer.from(bytes))
  if (content === 'foreign') throw new Error('no segment')
  expect(upgrade(content, [OLDER]).header.columns).toBe(COLUMNS_HASH)
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
  const one = shipper([OLDER])
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
}, 180_000)
