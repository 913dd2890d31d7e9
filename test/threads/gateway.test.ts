import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { StartError } from '../../src/threads/start-error.ts'
import { Client, pause, REFUSAL, type Running, running, settingsOf, until } from './settings.ts'

let started: Running[] = []

async function begin(...given: Parameters<typeof running>): Promise<Running> {
  const one = await running(...given)
  started.push(one)
  return one
}

afterEach(async () => {
  await Promise.all(started.map(({ gateway }) => gateway.drain(0)))
  started = []
})

/** Asks until the answer is such a one: what is told to all threads arrives soon, and not at once. */
async function said(client: Client, question: string, wanted: RegExp): Promise<void> {
  await expect.poll(() => client.ask(question), { timeout: 20_000 }).toMatch(wanted)
}

/** Sockets of this process. */
function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false // The one that listed the folder.
    }
  }).length
}

describe('start', () => {
  test('the data folder, its key and its spool are closed to others', async () => {
    const { settings } = await begin(settingsOf())
    const mode = (path: string) => statSync(join(settings.config.data, path)).mode & 0o777
    expect([mode(''), mode('spool'), mode('keys')]).toEqual([0o700, 0o700, 0o700])
    expect([mode('keys/record.key'), mode('lock')]).toEqual([0o600, 0o600])
    expect(statSync(join(settings.config.data, 'keys/record.key')).size).toBe(32)
  })

  test('a second gateway on the same data folder is refused with a clear line', async () => {
    const { settings } = await begin(settingsOf())
    await expect(running(settings)).rejects.toThrow(
      new RegExp(`^The data folder .* is in use by the gateway with process id ${process.pid}\\.$`),
    )
  })

  test('after the end the folder is free again and the key is the same', async () => {
    const first = await begin(settingsOf())
    await first.gateway.drain(1000)
    const again = await begin(first.settings)
    expect(again.gateway.controlUrl).toBe('http://127.0.0.1:1')
  })

  test('workers that cannot load stop the start and leave nothing behind', async () => {
    const settings = settingsOf({ path: 'fail' })
    await expect(running(settings)).rejects.toThrow(StartError)
    await begin({ ...settings, config: { ...settings.config, path: undefined } })
  })

  test('a control thread that cannot start says why', async () => {
    await expect(running(settingsOf({ path: 'control-fails' }))).rejects.toThrow(
      'The control address is taken.',
    )
  })

  test('a taken port is an error, or moves when that is asked for', async () => {
    const { port } = await begin(settingsOf())
    const { config } = settingsOf()
    const listeners = [{ ...config.listeners[0]!, listen: { host: '127.0.0.1', port } }]
    await expect(running(settingsOf({ listeners }))).rejects.toThrow(
      `The postgres listener cannot listen on 127.0.0.1:${port} (EADDRINUSE).`,
    )
    const moved = await begin(settingsOf({ listeners }), { freePorts: true })
    expect(moved.port).not.toBe(port)
    expect(moved.log.lines.join()).toContain('port taken, moved')
    expect(await new Client(moved.port).ask('hi')).toBe('hi')
  })
})

describe('connections', () => {
  test('a worker sees the client and none of the environment', async () => {
    process.env.SLUICE_TEST_SECRET = 'secret'
    const { port } = await begin(settingsOf())
    const client = new Client(port)
    const who = JSON.parse(await client.ask('who'))
    expect(who).toMatchObject({ address: '127.0.0.1', listener: 0, port: client.socket.localPort })
    expect(Object.keys(JSON.parse(await client.ask('env'))).sort()).not.toContain(
      'SLUICE_TEST_SECRET',
    )
    delete process.env.SLUICE_TEST_SECRET
  })

  test('the least busy worker gets the next connection', async () => {
    const { port } = await begin(settingsOf())
    const threads: number[] = []
    for (let i = 0; i < 10; i++) threads.push(JSON.parse(await new Client(port).ask('who')).thread)
    const first = threads.filter((thread) => thread === threads[0])
    expect([first.length, new Set(threads).size]).toEqual([5, 2])
  })

  test('beyond the limit per address a client reads why, in words of its protocol', async () => {
    const settings = settingsOf()
    const limits = { ...settings.config.limits, connectionsPerAddress: 2 }
    const { port, gateway } = await begin(settingsOf({ limits }))
    const [a, b] = [new Client(port), new Client(port)]
    await Promise.all([a.ask('x'), b.ask('x')])
    const third = new Client(port)
    // Sends first, as libpq does: the words must arrive all the same.
    third.socket.write('startup')
    expect(await third.line()).toBe(`${REFUSAL}postgres GW_TOO_MANY_FROM_ADDRESS`)
    await third.closed
    a.socket.destroy()
    await until(() => gateway.running === 1, 'release')
    expect(await new Client(port).ask('again')).toBe('again')
  })

  test('4,000 short connections leave no descriptor behind', { timeout: 60_000 }, async () => {
    const { port, gateway } = await begin(settingsOf())
    const before = sockets()
    let errors = 0
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const client = new Client(port)
          if ((await client.ask('hi')) !== 'hi') errors++
          client.socket.destroy()
          await client.closed
        }),
      )
    }
    expect(errors).toBe(0)
    await until(() => gateway.running === 0 && sockets() <= before, 'all closed')
  })
})

describe('a worker that ends', () => {
  for (const way of ['crash', 'exit', 'heap']) {
    test(`by ${way} takes only its own sessions along and is replaced`, async () => {
      process.env.SLUICE_WORKER_HEAP_MB = '48'
      const { port, gateway } = await begin(settingsOf())
      delete process.env.SLUICE_WORKER_HEAP_MB
      const before = sockets()
      const clients = Array.from({ length: 6 }, () => new Client(port))
      const threads = await Promise.all(
        clients.map(async (client) => JSON.parse(await client.ask('who')).thread as number),
      )
      const victim = threads[0]!
      clients[0]!.socket.write(`${way}\n`)
      const lost = clients.filter((_, at) => threads[at] === victim)
      const kept = clients.filter((_, at) => threads[at] !== victim)
      await Promise.all(lost.map((client) => client.closed))
      for (const client of kept) expect(await client.ask('still here')).toBe('still here')
      await until(() => gateway.running === kept.length, 'counted')
      // The replacement is the least busy one.
      let replacement = victim
      await until(() => {
        void new Client(port).ask('who').then((text) => {
          const thread = Number(/"thread":(\d+)/.exec(text)?.[1] ?? victim)
          if (!threads.includes(thread)) replacement = thread
        })
        return replacement !== victim
      }, 'replacement')
      await gateway.drain(0)
      await until(() => sockets() <= before, 'descriptors')
    })
  }
})

test('workers that cannot be replaced are tried again until they can; sessions that live go on', async () => {
  const { port, gateway, settings } = await begin(settingsOf())
  const clients = [new Client(port), new Client(port)]
  for (const client of clients) await client.ask('hi')
  gateway.reload({ ...settings, config: { ...settings.config, path: 'fail' } })
  clients[0]!.socket.write('crash\n')
  await clients[0]!.closed
  await pause(1500)
  expect(await clients[1]!.ask('still here')).toBe('still here')
  clients[1]!.socket.write('crash\n')
  await clients[1]!.closed
  const nobody = new Client(port)
  await nobody.closed
  expect(nobody.text).toBe(`${REFUSAL}postgres GW_UNAVAILABLE\n`)
  gateway.reload(settings)
  let text = ''
  for (let tries = 0; tries < 100 && text !== 'back'; tries++) {
    await pause(100)
    text = await new Client(port).ask('back')
  }
  expect(text).toBe('back')
})

describe('control', () => {
  test('a control thread that dies comes back and every worker gets a new line to it', async () => {
    const { port, log } = await begin(settingsOf())
    const clients = Array.from({ length: 4 }, () => new Client(port))
    for (const client of clients) expect(await client.ask('control')).toContain('attached')
    clients[0]!.socket.write('crash control\n')
    await until(() => log.lines.join().includes('thread started again'), 'restart')
    for (const client of clients) await said(client, 'control', /attached/)
  })
})

describe('reload', () => {
  test('live workers and later ones have the new settings', async () => {
    const { port, gateway, settings } = await begin(settingsOf())
    const [a, b] = [new Client(port), new Client(port)]
    expect([await a.ask('version'), await b.ask('version')]).toEqual(['1', '1'])
    expect(gateway.reload({ ...settings, policyVersion: 2 })).toEqual([])
    for (const client of [a, b]) await said(client, 'version', /^2$/)
    a.socket.write('crash\n')
    await a.closed
    await pause(500)
    const later = Array.from({ length: 3 }, () => new Client(port))
    for (const client of later) expect(await client.ask('version')).toBe('2')
  })
})

describe('drain', () => {
  test('idle sessions end at once, busy ones may finish, and nobody comes in', async () => {
    const { port, gateway, told } = await begin(settingsOf())
    const [idle, busy] = [new Client(port), new Client(port)]
    await Promise.all([idle.ask('hi'), busy.ask('busy')])
    const over = gateway.drain(20_000)
    await idle.closed
    expect(idle.text).toBe('hi\nbye\n')
    const late = new Client(port)
    await late.closed
    expect(late.text).toBe('')
    expect(await busy.ask('working')).toBe('working')
    busy.socket.end()
    const since = Date.now()
    await over
    expect(Date.now() - since).toBeLessThan(10_000)
    expect(told().at(-1)).toMatchObject({ type: 'stop' })
  })

  test('the deadline ends what is still busy', async () => {
    const { port, gateway } = await begin(settingsOf())
    const busy = new Client(port)
    await busy.ask('busy')
    await gateway.drain(300)
    await busy.closed
    expect(busy.text).toBe('busy\nlate\n')
  })

  test('a second call with less time shortens the first', async () => {
    const { port, gateway } = await begin(settingsOf())
    const busy = new Client(port)
    await busy.ask('busy')
    const since = Date.now()
    void gateway.drain(60_000)
    await pause(50)
    await gateway.drain(200)
    // Of the minute that it had.
    expect(Date.now() - since).toBeLessThan(30_000)
  })
})
