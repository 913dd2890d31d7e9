/**
 * IO. A session's events over the API: page by page without what the target answered, and as a stream with it, also of a
 * session that still goes on. Memory is bounded: a page at a time is read, and none before the last one was taken.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Reading } from '../../replay/reading.ts'
import {
  behind,
  PAGE_BYTES,
  type RecordedRow,
  readCursor,
  writeCursor,
} from '../../replay/recorded.ts'
import { type Answer, json, lines, problem } from '../answer.ts'
import type { RecordParts } from './records.ts'
import type { Call, Route } from './route.ts'

const PAGE_MAX = 500
/** Streams at once: each may hold a page, and the store's attention. */
const STREAMS_MAX = 16
const FOLLOW_MS = 500
/** An empty line now and then shows a reader, and a proxy between, that somebody is there. */
const BEAT_MS = 5_000
/** How long a row may be later in the store than one behind it. */
const ORDER_MS_MAX = 60_000
const OFFSET_US_MAX = 1e15

export function replayRoutes(parts: RecordParts): readonly Route[] {
  const streams = { open: 0 }
  return [
    {
      method: 'GET',
      path: '/api/v1/sessions/{id}/events',
      needs: 'audit',
      summary: 'Lists the events of a session, without what the target answered.',
      query: { cursor: 'the `next` of the page before', limit: `at most ${PAGE_MAX}; default 100` },
      handle: (call) => events(call, parts),
    },
    {
      method: 'GET',
      path: '/api/v1/sessions/{id}/replay',
      needs: 'audit',
      summary: 'Streams the recording of a session, one event a line; `payload` is base64.',
      query: {
        from: 'number of the first event',
        offset: 'or microseconds of the session to leave out',
        cursor: 'or the `next` that ended another stream',
        bytes: 'ends after about so many, with a line {"next": cursor}',
        follow: '1: goes on until the session ends',
      },
      handle: (call) => replay(call, parts, streams),
    },
  ]
}

async function events(call: Call, parts: RecordParts): Promise<Answer> {
  const limit = numberIn(call, 'limit', 100)
  const cursor = readCursor(call.query.get('cursor') ?? '0')
  if (limit === undefined || cursor === undefined)
    return problem(400, 'limit: expected a number; cursor: expected the next of a page.')
  const store = parts.store()
  if ((await store.session(call.id)) === undefined) return problem(404, 'There is no such session.')
  const reading = store.reading(call.id, { from: cursor, payloads: false })
  const found: object[] = []
  let bytes = 0
  for await (const row of everyRow(reading)) {
    const { payload: _, ...event } = row
    if (row.kind === 'response') continue
    found.push(event)
    bytes += row.statement.length
    if (found.length >= Math.min(PAGE_MAX, limit) || bytes > PAGE_BYTES) {
      return json(200, { events: found, next: writeCursor(reading.position) })
    }
  }
  return json(200, { events: found, next: null })
}

async function* everyRow(reading: Reading): AsyncGenerator<RecordedRow> {
  for (;;) {
    let isSome = false
    for await (const row of reading.rows()) {
      isSome = true
      yield row
    }
    if (!isSome) return
  }
}

async function replay(call: Call, parts: RecordParts, streams: { open: number }): Promise<Answer> {
  const from = numberIn(call, 'from', 1)
  const offset = numberIn(call, 'offset', 0)
  const bytes = numberIn(call, 'bytes', Number.MAX_SAFE_INTEGER)
  const cursor = readCursor(call.query.get('cursor') ?? '0')
  if (from === undefined || offset === undefined || bytes === undefined || offset > OFFSET_US_MAX)
    return problem(400, 'from, offset and bytes: expected numbers.')
  if (cursor === undefined) return problem(400, 'cursor: expected the next of a stream.')
  if (streams.open >= STREAMS_MAX)
    return problem(503, `${STREAMS_MAX} recordings are being read already.`)
  const store = parts.store()
  const session = await store.session(call.id)
  if (session === undefined) return problem(404, 'There is no such session.')
  const after = offset > 0 ? await store.seqAt(call.id, offset) : Math.max(0, from - 1)
  const begin = after > 0 ? behind(after) : cursor
  const reading = store.reading(call.id, { from: begin, payloads: true })
  const follow = call.query.get('follow') === '1'
  const statusNow = async () => (await store.session(call.id))?.status ?? 'lost'
  return lines(counted(streams, stream(reading, { statusNow, follow, bytes })))
}

/** A stream that nobody begins to read is none: it counts from its first piece on. */
async function* counted(
  streams: { open: number },
  body: AsyncIterable<string>,
): AsyncGenerator<string> {
  streams.open += 1
  try {
    yield* body
  } catch (error) {
    // The status has been sent long ago.
    yield `${JSON.stringify({ failed: GatewayError.from(error).say })}\n`
  } finally {
    streams.open -= 1
  }
}

/** A line for each row, and a last one that says how it ended; exported for its test. */
export async function* stream(
  reading: Reading,
  {
    statusNow,
    follow,
    bytes,
  }: { statusNow: () => Promise<string>; follow: boolean; bytes: number },
): AsyncGenerator<string> {
  let sent = 0
  let isClosed = false
  let isOver = false
  let saidMs = monotonicMs()
  let readMs = saidMs
  for (;;) {
    // Segments of a live session may be shipped out of order: what is missing is waited for, a while.
    const isPatient = follow && monotonicMs() - readMs < ORDER_MS_MAX
    let isSome = false
    for await (const row of reading.rows({ contiguous: isPatient })) {
      isSome = true
      isClosed ||= row.kind === 'close'
      const line = `${JSON.stringify(row)}\n`
      sent += line.length
      yield line
      saidMs = monotonicMs()
    }
    if (isSome && sent >= bytes) {
      yield `${JSON.stringify({ next: writeCursor(reading.position) })}\n`
      return
    }
    if (isSome || !reading.isGapped) readMs = monotonicMs()
    if (isSome || (reading.isGapped && !isPatient)) continue
    const status = await statusNow()
    if (isClosed || !follow || (status !== 'open' && !reading.isGapped)) {
      if (isClosed || status === 'open' || isOver) {
        yield `${JSON.stringify({ end: status })}\n`
        return
      }
      // Its last rows may have come after they were looked for, and before it was said to be over.
      isOver = true
      continue
    }
    if (monotonicMs() - saidMs > BEAT_MS) {
      saidMs = monotonicMs()
      yield '\n'
    }
    await wait(FOLLOW_MS)
  }
}

function numberIn({ query }: Call, name: string, otherwise: number): number | undefined {
  const given = query.get(name)
  if (given === null) return otherwise
  return /^\d{1,15}$/.test(given) ? Number(given) : undefined
}
