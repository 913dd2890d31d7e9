import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Recorder, Recording } from '../../src/record/event.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import type { Question } from '../../src/replay/read.ts'
import { Reading } from '../../src/replay/reading.ts'
import { behind, PIECE_BYTES, readCursor, START, writeCursor } from '../../src/replay/recorded.ts'
import { bytesOf } from '../../src/replay/timeline.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES, until } from '../record/running.ts'

const place = new Place()
let recorder: Recorder
let ship: ShipThread

beforeAll(() => {
  recorder = place.recorder()
  ship = place.ship()
})
afterAll(() => place.close())

const ask = ({ sql, params }: Question) =>
  ship.store.question((reader) => reader.query({ sql, params }))

/** A session of its own, recorded and in the store. */
async function recorded(write: (session: Recording) => void): Promise<string> {
  const of = facts(place.instance)
  const session = recorder.open(of)
  write(session)
  session.moment({ kind: 'close', status: 'end', text: '' })
  recorder.flush()
  const sql = `SELECT count() AS n FROM events WHERE session_id = '${of.sessionId}' AND kind = 'close'`
  await until(async () => Number((await place.rows(ship, sql))[0]?.n) > 0, 60_000)
  return of.sessionId
}

async function all(reading: Reading) {
  const rows = []
  for (let more = true; more; ) {
    more = false
    for await (const row of reading.rows()) {
      more = true
      rows.push(row)
    }
  }
  return rows
}

test('rows come in order with all of their bytes, from the start and from any place', async () => {
  const payload = Buffer.from([0xff, 0x00, 0x80, 0x0a])
  const session = await recorded((one) => {
    const shape = recorder.shape(SHAPE)
    for (let n = 0; n < 700; n++) {
      const action = one.action(shape, TIMES)
      one.response(shape, action, payload)
      one.outcome(shape, action, { ...OUTCOME, payload })
    }
  })
  const rows = await all(new Reading({ session, ask }))
  expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 2101 }, (_, i) => i + 1))
  expect(rows[2]).toMatchObject({ kind: 'outcome', action: 1, rows: 3, status: 'ok' })
  expect(rows[0]).toMatchObject({ statement: SHAPE.statement, params: ['42'], payload: '' })
  expect(rows.filter((row) => bytesOf(row).equals(payload))).toHaveLength(1400)
  const later = await all(new Reading({ session, ask, from: behind(2000) }))
  expect(later).toEqual(rows.filter(({ seq }) => seq > 2000))

  // Page by page, with nothing but a cursor between.
  const paged = []
  for (let cursor = START, more = true; more; ) {
    const reading = new Reading({ session, ask, from: cursor, payloads: false })
    more = false
    for await (const row of reading.rows()) {
      paged.push(row.seq)
      more = true
      if (row.seq % 700 === 0) break
    }
    cursor = readCursor(writeCursor(reading.position))!
  }
  expect(paged).toEqual(rows.map(({ seq }) => seq))
}, 180_000)

test('a payload longer than a piece comes in pieces, and none of it is lost', async () => {
  const long = Buffer.alloc(PIECE_BYTES * 3 + 77, 'abcdefg')
  const session = await recorded((one) => {
    const shape = recorder.shape(SHAPE)
    const action = one.action(shape, TIMES)
    one.outcome(shape, action, { ...OUTCOME, payload: long, payloadCut: true })
  })
  const rows = await all(new Reading({ session, ask }))
  expect(rows.map(({ kind }) => kind)).toEqual([
    ...['action', 'response', 'response', 'response', 'outcome', 'close'],
  ])
  expect(rows.map(({ payload_cut }) => payload_cut).filter(Boolean)).toHaveLength(1)
  for (const row of rows) expect(bytesOf(row).length).toBeLessThanOrEqual(PIECE_BYTES)
  expect(Buffer.concat(rows.map(bytesOf)).equals(long)).toBe(true)
}, 180_000)

test('rows that are missing are stepped over, or waited for', async () => {
  const session = await recorded((one) => {
    for (let n = 0; n < 30; n++) one.moment({ kind: 'notice', status: '', text: '' })
  })
  const gone = `session_id = '${session}' AND seq BETWEEN 5 AND 9`
  const store = await ship.store.ready()
  await store.command({
    sql: `ALTER TABLE sluice.events DELETE WHERE ${gone}`,
    settings: { mutations_sync: 2 },
  })
  expect((await all(new Reading({ session, ask }))).map(({ seq }) => seq).slice(3, 6)).toEqual([
    ...[4, 10, 11],
  ])
  const patient = new Reading({ session, ask })
  const found = []
  for await (const row of patient.rows({ contiguous: true })) found.push(row.seq)
  expect([found, patient.isGapped, patient.position.after]).toEqual([[1, 2, 3, 4], true, 4])
}, 180_000)

/** Of one session; `test/chaos/replay.test.ts` reads a long one. */
const MEGABYTES = 12

test('a long session is read in little memory', async () => {
  const part = Buffer.alloc(64 << 10, 'x')
  const parts = MEGABYTES * 16
  const session = await recorded((one) => {
    const shape = recorder.shape(SHAPE)
    const action = one.action(shape, TIMES)
    for (let n = 0; n < parts; n++) {
      one.response(shape, action, part)
      if (n % 32 === 31) recorder.flush()
    }
    one.outcome(shape, action, OUTCOME)
  })
  const reading = new Reading({ session, ask })
  let bytes = 0
  let most = 0
  let pages = 0
  for (let more = true; more; pages++) {
    more = false
    let page = 0
    for await (const row of reading.rows()) {
      more = true
      page += row.payload.length
      bytes += bytesOf(row).length
    }
    most = Math.max(most, page)
  }
  expect(bytes).toBe(parts * part.length)
  // A page in base64, however much there is.
  expect(most).toBeLessThan(2 << 20)
  expect(pages).toBeGreaterThan(MEGABYTES)
}, 180_000)
