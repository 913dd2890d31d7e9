/**
 * A ClickHouse server by URL, with everything that can go wrong between us and it. No modern server binary is to be had here: the
 * real engine stands behind a TCP port that asks for a password and fails as it is told. After each failure every event is there
 * exactly once.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import http, {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { type ShipThread, startShipping } from '../../src/record/ship-thread.ts'
import { ENGINE, facts, OUTCOME, Place, SHAPE, TIMES, until } from './running.ts'

/** What happens to an INSERT into events; `pass`: nothing. */
type Fault =
  | 'pass'
  | 'error before' // 500, and nothing was done
  | 'error after' // 500, and it was done
  | 'silent' // no answer, and nothing was done
  | 'done, no answer'
  | 'lost answer' // done, and the connection ends instead of an answer
  | 'cut body' // the connection ends in the middle of the data
  | 'half' // one of two partitions arrives, then an error
  | 'slow'
  | 'too busy' // 202 TOO_MANY_SIMULTANEOUS_QUERIES
  | 'read only' // as a server that has lost its keeper

const folder = mkdtempSync(join(tmpdir(), 'sluice-server-'))
const PASSWORD = 'p:ä ss'
let engine: EngineChild
let direct: ClickHouse
let server: Server
let port: number
let accepted = PASSWORD
let faults: Fault[] = []
let met: Fault[] = []
const places: Place[] = []
const ships: ShipThread[] = []

beforeAll(async () => {
  engine = new EngineChild({ folder, memoryBytesMax: 1e9, say: () => {}, entry: ENGINE })
  await engine.ready()
  direct = openClickHouse({ socket: engine.socket })
  server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  for (const ship of ships.splice(0)) await ship.stop(0)
  for (const place of places.splice(0)) await place.close()
  faults = []
  met = []
  accepted = PASSWORD
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await direct.close()
  await engine.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [user, ...password] = Buffer.from(
    (request.headers.authorization ?? '').replace(/^Basic /, ''),
    'base64',
  )
    .toString()
    .split(':')
  if (user !== 'sluice' || password.join(':') !== accepted) {
    request.resume()
    return fail(response, 516, 'sluice: Authentication failed')
  }
  const query = new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? ''
  const fault = /^INSERT INTO \S+\.events /.test(query) ? (faults.shift() ?? 'pass') : 'pass'
  if (fault !== 'pass') met.push(fault)
  switch (fault) {
    case 'error before':
      request.resume()
      return fail(response, 999, 'Keeper exception')
    case 'too busy':
      request.resume()
      return fail(response, 202, 'Too many simultaneous queries')
    case 'read only':
      request.resume()
      return fail(response, 242, 'Table is in readonly mode')
    case 'silent':
      request.resume()
      return
    case 'cut body':
      request.once('data', () => request.destroy())
      return
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, 1500))
      return forward(request, response)
    case 'error after':
      await forward(request)
      return fail(response, 319, 'Unknown status of insert')
    case 'done, no answer':
      return forward(request)
    case 'lost answer':
      await forward(request)
      response.destroy()
      return
    case 'half':
      await forward(request)
      await direct.command({ sql: "ALTER TABLE sluice.events DROP PARTITION '202611'" })
      return fail(response, 241, 'Memory limit exceeded')
    default:
      return forward(request, response)
  }
}

/** To the engine; its answer goes back, or nowhere. */
function forward(request: IncomingMessage, response?: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const { method, url, headers } = request
    const { authorization: _, ...others } = headers
    const onward = http.request({ socketPath: engine.socket, method, path: url, headers: others })
    onward.once('error', reject)
    onward.once('response', (got) => {
      if (response === undefined) got.resume()
      else {
        response.writeHead(got.statusCode ?? 500, got.headers)
        got.pipe(response)
      }
      got.once('end', resolve)
    })
    request.pipe(onward)
  })
}

function fail(response: ServerResponse, code: number, text: string): void {
  response.writeHead(500, { 'X-ClickHouse-Exception-Code': code, connection: 'close' })
  response.end(`Code: ${code}. DB::Exception: ${text}. (WHATEVER)`)
}

function startPlace(): { place: Place; said: readonly string[]; ship(): ShipThread } {
  const place = new Place()
  places.push(place)
  return {
    place,
    said: place.said,
    ship() {
      const ship = startShipping(
        {
          instance: place.instance,
          gateway: 'test',
          spoolFolder: place.spool,
          retention: { days: 4000, connections: {} },
          chainFolder: join(place.folder, 'chain'),
          store: {
            ...{ embedded: false, url: `http://127.0.0.1:${port}`, database: 'sluice' },
            ...{ user: 'sluice', password: PASSWORD, requestMsMax: 2500 },
          },
        },
        (level, text) => place.said.push(`${level} ${text}`),
      )
      ships.push(ship)
      return ship
    },
  }
}

/** As many events as it returns, in one segment, from the last moment of October on. */
function fill(place: Place): number {
  const start = Date.UTC(2026, 9, 31, 23, 59, 59) * 1000
  let ticks = 0
  const recorder = place.recorder({
    clock: { elapsed: () => clock.elapsed(), microseconds: () => start + ticks++ * 10_000 },
  })
  const session = recorder.open(facts(place.instance))
  const shape = recorder.shape(SHAPE)
  const count = 300
  for (let n = 0; n < count; n++)
    session.outcome(shape, session.action(shape, TIMES), {
      ...OUTCOME,
      // More than a chunk of HTTP.
      payload: Buffer.alloc(2000, 65 + (n % 26)),
    })
  recorder.close()
  return count * 2
}

const left = (place: Place) => readdirSync(place.spool).filter((name) => /\.(seg|bad)$/.test(name))

async function stored(place: Place): Promise<unknown> {
  const [row] = await direct.query({
    sql: 'SELECT count() AS rows, uniqExact(event_id) AS events, uniqExact(toYYYYMM(ts)) AS months FROM sluice.events WHERE instance = {instance:String}',
    params: { instance: place.instance },
  })
  return row
}

describe('exactly once after', () => {
  test.each<readonly [Fault[]]>([
    [['error before', 'error before', 'error after']],
    [['error after']],
    [['silent']],
    [['lost answer']],
    [['error before', 'cut body', 'lost answer']],
    [['done, no answer']],
    [['cut body']],
    [['half']],
    [['slow']],
    [['too busy', 'read only']],
  ])(
    '%j',
    async (wanted) => {
      const { place, said, ship } = startPlace()
      const events = fill(place)
      faults = [...wanted]
      ship()
      await until(() => left(place).length === 0, 60_000)
      expect(met).toEqual(wanted)
      expect(await stored(place)).toEqual({ rows: events, events, months: 2 })
      expect(said.filter((line) => line.startsWith('error'))).toEqual([])
    },
    180_000,
  )

  test('a wrong password, which somebody then sets right', async () => {
    const { place, said, ship } = startPlace()
    const events = fill(place)
    accepted = 'another'
    const thread = ship()
    await until(() => said.some((line) => /record store fails.*Authentication failed/.test(line)))
    await expect(thread.store.reader()).rejects.toThrow('Authentication failed')
    expect(left(place)).toHaveLength(1)
    // Said once, and not with every try.
    expect(said.filter((line) => /record store fails/.test(line))).toHaveLength(1)
    expect(said.join()).not.toContain(PASSWORD)
    accepted = PASSWORD
    await until(() => left(place).length === 0, 60_000)
    expect(await stored(place)).toEqual({ rows: events, events, months: 2 })
  }, 180_000)

  test('an end in the middle of it: the next run finds what arrived', async () => {
    const { place, ship } = startPlace()
    const events = fill(place)
    faults = ['done, no answer', ...Array<Fault>(50).fill('error before')]
    const first = ship()
    await until(
      async () => met.length > 0 && JSON.stringify(await stored(place)).includes(`${events}`),
    )
    await first.stop(0)
    ships.length = 0
    faults = []
    ship()
    await until(() => left(place).length === 0, 60_000)
    expect(await stored(place)).toEqual({ rows: events, events, months: 2 })
  }, 180_000)
})

test('a server that is not there is waited for, and asked less and less often', async () => {
  const { place, ship } = startPlace()
  const events = fill(place)
  await new Promise<void>((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })
  ship()
  await until(() => place.said.some((line) => /record store fails/.test(line)))
  expect(left(place)).toHaveLength(1)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await until(() => left(place).length === 0, 60_000)
  expect(await stored(place)).toEqual({ rows: events, events, months: 2 })
}, 180_000)
