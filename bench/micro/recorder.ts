/**
 * IO (files, processes, the clock). P12: events encoded and written to the spool, a second of one core; and events that
 * the embedded ClickHouse takes from there. Sixteen events a write, as eight sessions with a statement each make them; and what
 * an encrypted spool costs, where a write is encrypted as one.
 *
 * Not measured: a disk that is slow, `durability: strict`, responses beside the rows (their bytes are copied as they are).
 */
import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Recorder } from '../../src/record/event.ts'
import { makeRunKey, type RunKey } from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES } from '../../test/record/running.ts'
import { median } from '../judge.ts'
import type { Findings } from '../load/works.ts'

const ROUNDS = 9
const DROPPED = 2
const EVENTS = 160_000
const SESSIONS = 8
/** As long as the store may take before the bench gives up. */
const SHIPPED_MS_MAX = 60_000

export async function records(isQuick: boolean): Promise<Findings> {
  if (isQuick) return { results: [], absolute: {} }
  const place = new Place()
  try {
    const recorded = recordedPerSecond(place, 1)
    const key = randomBytes(32)
    const encrypt = makeRunKey({ id: spoolKeyId(key), key })
    const encrypted = recordedPerSecond(place, 2, { encrypt })
    const shipped = await shippedPerSecond(place)
    return {
      results: [
        { name: 'P12 recorded, thousand events/s', values: recorded },
        { name: 'P12 shipped, thousand events/s', values: shipped },
      ],
      absolute: {
        'P12 recorded events/s': Math.round(median(recorded) * 1000),
        'P12 recorded events/s, encrypted': Math.round(median(encrypted) * 1000),
        'P12 shipped events/s': Math.round(median(shipped) * 1000),
      },
    }
  } finally {
    await place.close()
  }
}

/** Thousands a second, one figure a round. What was written is thrown away between rounds. */
function recordedPerSecond(
  place: Place,
  thread: number,
  more: { readonly encrypt?: RunKey } = {},
): number[] {
  const recorder = place.recorder({ bytesMax: 1e10, thread, ...more })
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now()
    write(recorder, place)
    const ms = performance.now() - begin
    if (round >= DROPPED) rates.push(EVENTS / ms)
    for (const name of segments(place)) rmSync(join(place.spool, name))
  }
  recorder.close()
  for (const name of segments(place)) rmSync(join(place.spool, name))
  return rates
}

/** Thousands a second from a full spool to an empty one, the engine running. */
async function shippedPerSecond(place: Place): Promise<number[]> {
  const ship = place.ship()
  await ship.store.ready()
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const recorder = place.recorder({ bytesMax: 1e10, thread: round + 3 })
    const begin = performance.now()
    write(recorder, place)
    recorder.close()
    const deadline = begin + SHIPPED_MS_MAX
    while (segments(place).length > 0) {
      if (performance.now() > deadline) throw new Error('bench: the store does not catch up')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (round >= DROPPED) rates.push(EVENTS / (performance.now() - begin))
  }
  const [row] = await place.rows(ship, 'SELECT count() AS n FROM events')
  // What is fast because it loses something is not fast.
  if (Number(row?.n) !== EVENTS * ROUNDS) throw new Error(`bench: ${row?.n} events were stored`)
  return rates
}

function write(recorder: Recorder, place: Place): void {
  const shape = recorder.shape(SHAPE)
  const sessions = Array.from({ length: SESSIONS }, () => recorder.open(facts(place.instance)))
  for (let done = 0; done < EVENTS; done += 2 * SESSIONS) {
    for (const session of sessions) session.outcome(shape, session.action(shape, TIMES), OUTCOME)
    recorder.flush()
  }
}

function segments(place: Place): string[] {
  return readdirSync(place.spool).filter((name) => name.endsWith('.seg'))
}
