import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { connect } from '../../src/demo/client.ts'
import { type EmbeddedDefault, embeddedDefault } from '../../src/demo/embedded.ts'
import { serverUser } from '../../src/demo/system-user.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { run } from '../lib/child.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-embedded-'))
const NAMES = [...KNOWN_DETECTORS.keys()]
const options = { data: folder, knownDetectors: new Set(NAMES) }

afterAll(() => {
  // Run as root the server has a folder of its own.
  const server = serverUser(join(folder, 'demo/postgres')).folder
  for (const path of [folder, server]) rmSync(path, { recursive: true, force: true })
})

async function ask(
  demo: EmbeddedDefault,
  text: string,
): Promise<Readonly<Record<string, unknown>>[]> {
  const { addresses, credential } = demo.settings.config.connections.get('demo')!
  const address = addresses.find((one) => 'host' in one)!
  const reference = credential.password!
  const password = 'file' in reference ? readFileSync(reference.file, 'utf8') : ''
  const client = await connect({ ...address, user: credential.user, password, database: 'demo' })
  try {
    return [...(await client.query(text)).rows]
  } finally {
    await client.end()
  }
}

test('the first start makes the sample data, the role that owns it, and closed files', async () => {
  const demo = await embeddedDefault(options)
  try {
    const [counts] = await ask(
      demo,
      `select (select count(*) from customers)::int as customers, (select count(*) from orders)::int as orders,
              (select count(distinct card) from customers)::int as cards,
              (select count(*) from orders where note like '%card%')::int as noted,
              (select tableowner from pg_tables where tablename = 'orders') as owner,
              (select rolsuper from pg_roles where rolname = current_user) as super`,
    )
    expect(counts).toEqual({
      customers: 10_000,
      orders: 300_000,
      cards: 10_000,
      noted: 600,
      owner: 'app',
      super: false,
    })
    const [one] = await ask(demo, 'select * from customers where id = 42')
    expect(one).toMatchObject({ name: 'Chiara Eriksen', email: 'chiara.eriksen.42@example.com' })
    const cards = await ask(demo, 'select card from customers where id % 50 = 0')
    expect(cards.filter(({ card }) => !isLuhn(String(card)))).toEqual([])
    expect(statSync(join(folder, 'demo/app.password')).mode & 0o777).toBe(0o600)
    expect(demo.settings.policyFiles.length).toBeGreaterThan(0)
  } finally {
    await demo.stop()
  }
})

test('a second gateway on the same folder is refused, and the first goes on', async () => {
  const demo = await embeddedDefault(options)
  try {
    await expect(embeddedDefault(options)).rejects.toThrow('Another gateway runs the demo')
    expect(await ask(demo, 'select 1 as one')).toEqual([{ one: 1 }])
  } finally {
    await demo.stop()
  }
})

/** Starts the default in a process of its own, which then gets the signal. Returns whether its server still runs. */
async function leftBehindAfter(signal: NodeJS.Signals): Promise<boolean> {
  const given = `{ data: ${JSON.stringify(folder)}, knownDetectors: new Set(${JSON.stringify(NAMES)}) }`
  const script = `
    import { embeddedDefault } from './dist/src/demo/embedded.js'
    await embeddedDefault(${given})
    process.kill(process.pid, '${signal}')
    setInterval(() => {}, 1000)`
  const ended = await run(process.execPath, ['--input-type=module', '-e', script])
  expect(ended.code).not.toBe(0)
  const data = join(serverUser(join(folder, 'demo/postgres')).folder, 'data')
  // A fast shutdown takes a moment, and what is killed stops nothing.
  const waitMs = signal === 'SIGKILL' ? 3000 : 30_000
  for (let waited = 0; waited < waitMs; waited += 100) {
    if ((await run('pgrep', ['-f', '--', `-D ${data}`])).stdout === '') return false
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return true
}

test('Ctrl-C while the gateway is still starting stops the server too', async () => {
  expect(await leftBehindAfter('SIGINT')).toBe(false)
})

test('a server left behind by a killed gateway is stopped, and the data is kept', async () => {
  expect(await leftBehindAfter('SIGKILL')).toBe(true)
  const started = performance.now()
  const demo = await embeddedDefault(options)
  try {
    expect(performance.now() - started).toBeLessThan(30_000)
    expect(await ask(demo, 'select count(*)::int as n from orders')).toEqual([{ n: 300_000 }])
  } finally {
    await demo.stop()
  }
})

test('who removes the data folder and starts again gets new sample data, and a refusal says its reason', async () => {
  const first = await embeddedDefault(options)
  await ask(first, 'create table kept ()')
  await first.stop()
  rmSync(join(folder, 'demo'), { recursive: true })
  const second = await embeddedDefault(options)
  const tables = await ask(
    second,
    "select count(*)::int as n from customers where to_regclass('kept') is null",
  )
  await second.stop()
  expect(tables).toEqual([{ n: 10_000 }])
  const { folder: server } = serverUser(join(folder, 'demo/postgres'))
  rmSync(join(server, 'password.sha256'))
  writeFileSync(join(folder, 'demo/superuser.password'), 'another')
  const refused = /cannot be made: password authentication failed .* \(28P01\)\.$/
  await expect(embeddedDefault(options)).rejects.toThrow(refused)
})

function isLuhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (1 + (place % 2))
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return digits.length === 16 && sum % 10 === 0
}
