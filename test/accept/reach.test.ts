/** Real sockets on the loopback, with names that answer what a test says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { placeOf, type ReachOptions, reach } from '../../src/accept/reach.ts'
import { SocketWire } from '../../src/accept/wire.ts'
import type { TargetAddress } from '../../src/config/shape.ts'
import { freePort } from '../lib/free-port.ts'

const opened: Server[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reach-'))
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => new Promise((done) => one.close(done))))
  rmSync(folder, { recursive: true, force: true })
})

async function serve(at: { host: string; port: number } | { path: string }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.resume()
  })
  opened.push(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, resolve)
  })
  return server
}

/** Where a dial ended, or what it failed with. */
async function place(addresses: TargetAddress[], options: ReachOptions = {}): Promise<string> {
  try {
    const { wire, at } = await reach({ name: 'c', addresses }, options)
    wire.destroy()
    return placeOf(at)
  } catch (error) {
    const { code, message, say } = error as { code: string; message: string; say: string }
    return `${code} ${message} | ${say}`
  }
}

const UNREACHABLE = 'GW_UPSTREAM_UNREACHABLE dial c:'

describe('several addresses', () => {
  test('are tried in their order, and one that is gone goes last for a while', async () => {
    const port = await freePort()
    const [one, two] = [
      { host: '127.0.0.1', port },
      { host: '127.0.0.2', port },
    ] as const
    const server = await serve(one)
    await serve(two)
    expect(await place([one, two])).toBe(`127.0.0.1:${port}`)
    expect(await place([two, one])).toBe(`127.0.0.2:${port}`)
    opened.splice(opened.indexOf(server), 1)
    await new Promise((done) => server.close(done))
    expect(await place([one, two])).toBe(`127.0.0.2:${port}`)
    // Back again, and not first yet; alone it is tried all the same.
    await serve(one)
    expect(await place([one, two])).toBe(`127.0.0.2:${port}`)
    expect(await place([one])).toBe(`127.0.0.1:${port}`)
    expect(await place([one, two])).toBe(`127.0.0.1:${port}`)
    expect(await place([one, two], { without: new Set([`127.0.0.1:${port}`]) })).toBe(
      `127.0.0.2:${port}`,
    )
  })

  test('of which none answers: the error says why and where nobody is', async () => {
    const port = await freePort()
    const nobody = [{ host: '127.0.0.1', port }, { path: join(folder, 'none') }] as const
    expect(await place([...nobody])).toBe(
      `${UNREACHABLE} ECONNREFUSED, ENOENT | The target of "c" cannot be reached.`,
    )
  })

  test('of which the first is silent leave time for the second', async () => {
    const port = await freePort()
    const two = { host: '127.0.0.1', port }
    await serve(two)
    const waits: number[] = []
    const dial: ReachOptions['dial'] = (at, waitMsMax) => {
      if ('host' in at && at.host === '127.0.0.1') return SocketWire.dial(at, waitMsMax)
      waits.push(Math.round(waitMsMax / 100))
      return new Promise((_, reject) => setTimeout(reject, waitMsMax, new Error('timed out')))
    }
    const silent = (last: number) => ({ host: `192.0.2.${last}`, port })
    const options = { dial, waitMsMax: 900 }
    expect(await place([silent(1), silent(2), two], options)).toBe(`127.0.0.1:${port}`)
    expect(waits).toEqual([3, 3])
    expect(await place([silent(3)], options)).toBe(
      `${UNREACHABLE} timed out | The target of "c" does not answer.`,
    )
  })
})

test('a gateway without descriptors blames itself, and no address', async () => {
  const at = { host: '127.0.0.1', port: 1 }
  const dial = () => Promise.reject(Object.assign(new Error('connect'), { code: 'EMFILE' }))
  expect(await place([at, at], { dial })).toBe(
    'GW_TOO_MANY dial c: EMFILE | The gateway has no descriptor left: raise its open-files limit, or lower limits.connections.',
  )
})

describe('names', () => {
  test('are looked up at every dial: what changed counts at once', async () => {
    const port = await freePort()
    await serve({ host: '127.0.0.1', port })
    await serve({ host: '127.0.0.2', port })
    let answer = ['127.0.0.1']
    const options = { resolve: async () => answer }
    const address = { host: 'db.example', port }
    expect(await place([address], options)).toBe(`127.0.0.1:${port}`)
    answer = ['127.0.0.2']
    expect(await place([address], options)).toBe(`127.0.0.2:${port}`)
    answer = ['127.0.0.3', '127.0.0.1']
    expect(await place([address], options)).toBe(`127.0.0.1:${port}`)
  })

  test('that stand for what no target can be are not dialled', async () => {
    const port = await freePort()
    await serve({ host: '127.0.0.1', port })
    const address = { host: 'db.example', port }
    const at = (...answer: string[]) => place([address], { resolve: async () => answer })
    expect(await at('169.254.169.254', '0.0.0.0')).toBe(
      `${UNREACHABLE} a name for an address that is never dialled | The target of "c" cannot be reached.`,
    )
    expect(await at('169.254.169.254', '127.0.0.1')).toBe(`127.0.0.1:${port}`)
  })

  test('that nobody knows, or nobody answers for, fail in time', async () => {
    const address = { host: 'db.example', port: 1 }
    const unknown = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })
    expect(await place([address], { resolve: () => Promise.reject(unknown) })).toContain(
      `${UNREACHABLE} ENOTFOUND`,
    )
    const silent = { resolve: () => new Promise<never>(() => {}), waitMsMax: 100 }
    expect(await place([address], silent)).toContain('no answer from the name server')
  })

  test('whose server is silent leave time for the addresses behind them, and cost those before them none', async () => {
    const port = await freePort()
    const known = { host: '127.0.0.1', port }
    await serve(known)
    const unknown = { host: 'db.example', port }
    const options = { resolve: () => new Promise<never>(() => {}), waitMsMax: 1000 }
    expect(await place([unknown, known], options)).toBe(`127.0.0.1:${port}`)
    const since = performance.now()
    expect(await place([known, unknown], options)).toBe(`127.0.0.1:${port}`)
    expect(performance.now() - since).toBeLessThan(400)
  })

  test('are asked for once by all who ask meanwhile', async () => {
    const port = await freePort()
    await serve({ host: '127.0.0.1', port })
    let asked = 0
    const note = (entries: readonly PerformanceEntry[]) => {
      asked += entries.filter(({ name }) => name === 'lookup').length
    }
    const observer = new PerformanceObserver((list) => note(list.getEntries()))
    observer.observe({ entryTypes: ['dns'] })
    const ways = () => Array.from({ length: 20 }, () => place([{ host: 'localhost', port }]))
    const count = () => {
      note(observer.takeRecords())
      return asked
    }
    expect(new Set(await Promise.all(ways())).size).toBe(1)
    await expect.poll(count).toBeGreaterThan(0)
    expect(count()).toBe(1)
    // Nothing is kept.
    await Promise.all(ways())
    await expect.poll(count).toBe(2)
    observer.disconnect()
  })

  test('of the system are asked too', async () => {
    const port = await freePort()
    await serve({ host: '127.0.0.1', port })
    const found = await reach({ name: 'c', addresses: [{ host: 'localhost', port }] })
    found.wire.destroy()
    expect(found.host).toBe('localhost')
    expect(found.at).toEqual({ host: '127.0.0.1', port })
  })
})

test('Unix sockets and IPv6 are ways like any other', async () => {
  const path = join(folder, '.s.PGSQL.5432')
  await serve({ path })
  expect(await place([{ path }])).toBe(path)
  const port = await freePort()
  await serve({ host: '::1', port })
  expect(await place([{ host: '::1', port }])).toBe(`[::1]:${port}`)
})

test('a dial that nobody waits for any more ends at once, and says nothing of its target', async () => {
  const port = await freePort()
  const at = { host: '127.0.0.1', port } as const
  const gone = new AbortController()
  const dial: ReachOptions['dial'] = (_, __, left) =>
    new Promise((_resolve, reject) => {
      left!.addEventListener('abort', () => reject(left!.reason))
      gone.abort(new Error('nobody waits'))
    })
  const reached = reach({ name: 'c', addresses: [at] }, { dial, left: gone.signal })
  await expect(reached).rejects.toThrow('nobody waits')
  // What failed goes last; it did not.
  await serve(at)
  const other = { host: '127.0.0.2', port } as const
  await serve(other)
  expect(await place([at, other])).toBe(`127.0.0.1:${port}`)
})
