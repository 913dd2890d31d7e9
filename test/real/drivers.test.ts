import { once } from 'node:events'
import { join } from 'node:path'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../lib/child.ts'
import { runs } from '../lib/runs.ts'
import { type Stage, type StageRole, startStage } from '../lib/stage.ts'
import {
  bind,
  close,
  describe as describeFrame,
  execute,
  FLUSH,
  fieldsOf,
  parse,
  query,
  SYNC,
  WireClient,
} from '../lib/wire-client.ts'

let stage: Stage

beforeAll(async () => {
  stage = await startStage({ databases: ['bench'] })
  stage.server.sql('CREATE TABLE inbox (id serial, body text)', 'shop')
  stage.server.sql('ALTER TABLE inbox OWNER TO app; ALTER SCHEMA public OWNER TO app', 'shop')
  stage.server.sql('ALTER SCHEMA public OWNER TO app', 'bench')
})
afterAll(() => stage?.stop())

async function withPg<T>(
  act: (client: pg.Client) => Promise<T>,
  role: StageRole = 'write',
): Promise<T> {
  const client = new pg.Client(stage.url(role))
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}

/** The error that a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<pg.DatabaseError> {
  const answer = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(answer).toBeInstanceOf(Error)
  return answer as pg.DatabaseError
}

describe('pg', () => {
  test('reads text and binary alike, all types that it knows', async () => {
    const text = `SELECT id, name, born::text, score, tags, 1.5::float8 AS f, true AS b, id::int8 AS big,
      '\\x00ff'::bytea AS raw, NULL AS nothing, now() IS NOT NULL AS t FROM customers WHERE id = $1`
    const direct = new pg.Client(stage.direct)
    await direct.connect()
    await withPg(async (client) => {
      for (const binary of [false, true]) {
        const question = { text, values: [7], binary } as pg.QueryConfig
        const [ours, theirs] = [await client.query(question), await direct.query(question)]
        expect(ours.rows).toEqual(theirs.rows)
        expect(ours.fields).toEqual(theirs.fields)
        expect(ours.rows[0]).toMatchObject({ id: 7, name: 'Name 7', b: true, nothing: null })
      }
    })
    await direct.end()
  })

  test('prepares once and runs many times, in any order and pipelined', async () => {
    await withPg(async (client) => {
      const asked = Array.from({ length: 200 }, (_, i) =>
        client.query({
          name: `by-id-${i % 3}`,
          text: 'SELECT name FROM customers WHERE id = $1',
          values: [i + 1],
        }),
      )
      const names = (await Promise.all(asked)).map((one) => one.rows[0].name)
      expect(names).toEqual(names.map((_, i) => `Name ${i + 1}`))
    })
  })

  test('keeps the fields of errors, and goes on after them', async () => {
    await withPg(async (client) => {
      const typo = await failure(client.query('SELECT naem FROM customers'))
      expect(typo).toMatchObject({ code: '42703', position: '8' })
      expect(typo.hint).toContain('customers.name')
      const refused = await failure(client.query('TRUNCATE orders, customers RESTART IDENTITY'))
      expect(refused.code).toBe('42501')
      const machine = JSON.parse(refused.detail ?? '{}')
      expect(machine.sluice.verdict).toBe('not_allowed')
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    }, 'read')
    await withPg(async (client) => {
      const twice = await failure(
        client.query('INSERT INTO customers (id, name, email) VALUES ($1, $2, $3)', [
          1,
          'x',
          'new@example.com',
        ]),
      )
      expect(twice).toMatchObject({
        code: '23505',
        severity: 'ERROR',
        schema: 'public',
        table: 'customers',
        constraint: 'customers_pkey',
        detail: 'Key (id)=(1) already exists.',
      })
    })
  })

  test('a refusal in a transaction rolls back what the target would have rolled back', async () => {
    await withPg(async (client) => {
      await client.query('BEGIN')
      await client.query("INSERT INTO inbox (body) VALUES ('lost')")
      expect((await failure(client.query('DROP TABLE orders'))).code).toBe('42501')
      expect((await failure(client.query('SELECT 1'))).code).toBe('25P02')
      expect((await client.query('COMMIT')).command).toBe('ROLLBACK')
      await client.query('BEGIN')
      await client.query("INSERT INTO inbox (body) VALUES ('kept')")
      await client.query('SAVEPOINT s')
      expect((await failure(client.query('DROP TABLE orders'))).code).toBe('42501')
      await client.query('ROLLBACK TO s')
      await client.query('COMMIT')
      expect((await client.query('SELECT body FROM inbox')).rows).toEqual([{ body: 'kept' }])
    })
  })

  test('hears notifications and notices', async () => {
    await withPg(async (client) => {
      const heard = once(client, 'notification')
      await client.query('LISTEN news')
      await withPg((other) => other.query("SELECT pg_notify('news', 'hello')"))
      expect((await heard)[0]).toMatchObject({ channel: 'news', payload: 'hello' })
      const noticed = once(client, 'notice')
      await client.query('ROLLBACK')
      expect((await noticed)[0].code).toBe('25P01')
    })
  })

  test('a pool of ten serves two hundred in parallel', async () => {
    const pool = new pg.Pool({ connectionString: stage.url('write'), max: 10 })
    const all = Array.from({ length: 200 }, (_, i) => pool.query('SELECT $1::int AS n', [i]))
    const rows = (await Promise.all(all)).map((one) => one.rows[0].n)
    expect(rows).toEqual(rows.map((_, i) => i))
    await pool.end()
  })

  test('a million bytes in a parameter and in a value go both ways', async () => {
    await withPg(async (client) => {
      const big = 'é'.repeat(500_000)
      const { rows } = await client.query('SELECT $1::text AS big, length($1) AS n', [big])
      expect(rows[0].n).toBe(500_000)
      expect(rows[0].big === big).toBe(true)
    })
  })
})

describe('postgres (porsager)', () => {
  const open = (role: StageRole, options = {}) =>
    postgres(stage.url(role), { max: 1, onnotice: () => {}, ...options })

  test('prepares, pipelines, and fetches its types', async () => {
    const sql = open('read')
    const asked = Array.from(
      { length: 100 },
      (_, i) => sql`SELECT name, tags FROM customers WHERE id = ${i + 1}`,
    )
    const answers = await Promise.all(asked)
    expect(answers.map(([row]) => row?.name)).toEqual(answers.map((_, i) => `Name ${i + 1}`))
    expect(await sql`SELECT ${sql.array([1, 2, 3])}::int[] AS a`).toEqual([{ a: [1, 2, 3] }])
    expect(await sql`SELECT ${sql.json({ a: 1 })} AS j`).toEqual([{ j: { a: 1 } }])
    expect(await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b').simple()).toHaveLength(2)
    await sql.end()
  })

  test('begin, savepoint, and a refusal inside', async () => {
    const sql = open('write')
    await sql.begin(async (tx) => {
      await tx`INSERT INTO inbox (body) VALUES ('outer')`
      await tx
        .savepoint(async (inner) => {
          await inner`INSERT INTO inbox (body) VALUES ('inner')`
          await inner`DROP TABLE orders`
        })
        .catch((error: { code: string }) => expect(error.code).toBe('42501'))
      await tx`INSERT INTO inbox (body) VALUES ('after')`
    })
    const rows = await sql`SELECT body FROM inbox WHERE body <> 'kept' ORDER BY id`
    expect(rows.map(({ body }) => body)).toEqual(['outer', 'after'])
    const rolled = sql.begin(async (tx) => {
      await tx`INSERT INTO inbox (body) VALUES ('never')`
      throw new Error('mine')
    })
    await expect(rolled).rejects.toThrow('mine')
    expect(await sql`SELECT 1 AS n FROM inbox WHERE body = 'never'`).toHaveLength(0)
    await sql.end()
  })

  test('listens and notifies, walks a cursor, copies in and out, cancels', async () => {
    const sql = open('write')
    let hear: (payload: string) => void = () => {}
    const heard = new Promise<string>((resolve) => {
      hear = resolve
    })
    await sql.listen('pings', (payload) => hear(payload))
    await sql.notify('pings', 'pong')
    expect(await heard).toBe('pong')
    let seen = 0
    await sql`SELECT id FROM customers`.cursor(64, (rows) => {
      seen += rows.length
    })
    expect(seen).toBe(1000)
    const into = await sql`COPY inbox (body) FROM STDIN`.writable()
    for (let i = 0; i < 1000; i++) into.write(`copied ${i}\n`)
    into.end()
    await once(into, 'finish')
    const from =
      await sql`COPY (SELECT body FROM inbox WHERE body LIKE 'copied%') TO STDOUT`.readable()
    let bytes = 0
    for await (const chunk of from) bytes += (chunk as Buffer).length
    expect(bytes).toBe(10_890)
    const sleeping = sql`SELECT pg_sleep(20)`
    const failed = failure(sleeping.execute())
    await runs(stage.server, 'pg_sleep(20)')
    sleeping.cancel()
    expect((await failed).code).toBe('57014')
    await sql.end()
  })
})

test('psycopg2', async () => {
  const script = join(import.meta.dirname, 'drivers.py')
  const { stdout, stderr } = await run(
    '/usr/bin/python3',
    [script, stage.url('write'), stage.url('read')],
    { timeoutMs: 60_000 },
  )
  expect(stderr).toBe('')
  expect(stdout).toBe('fine\n')
})

describe('pgbench', () => {
  const pgbench = (role: StageRole, ...flags: string[]) =>
    run('pgbench', [...flags, stage.url(role, 'shop/bench')], { timeoutMs: 60_000 })

  test('makes its tables under a role that may, and not under one that may not', async () => {
    const refused = await pgbench('write', '-i', '-s', '1')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('ERROR')
    // VACUUM is of class admin.
    const made = await pgbench('all', '-i', '-s', '1', '-q')
    expect([made.code, made.stderr.match(/ERROR.*/)]).toEqual([0, null])
    expect(stage.server.sql('SELECT count(*) FROM pgbench_accounts', 'bench')).toBe('100000')
    const known = await pgbench('schema', '-i', '-s', '1', '-q', '-I', 'dtgp')
    expect([known.code, known.stderr.match(/ERROR.*/)]).toEqual([0, null])
  })

  test.each(['simple', 'extended', 'prepared'])('reads and writes in mode %s', async (mode) => {
    const flags = ['-n', '-c', '4', '-j', '1', '-t', '50', '-M', mode]
    for (const script of ['tpcb-like', 'simple-update', 'select-only']) {
      const { code, stdout, stderr } = await pgbench('write', ...flags, '-b', script)
      expect([script, code, stderr.match(/ERROR.*/)]).toEqual([script, 0, null])
      expect(stdout).toContain('number of transactions actually processed: 200/200')
      expect(stdout).toContain('number of failed transactions: 0')
    }
  })
})

describe('frames by hand', () => {
  const kinds = (messages: readonly { kind: string }[]) => messages.map(({ kind }) => kind).join('')
  const login = (role: StageRole = 'read') => WireClient.login(stage.url(role))

  test('portals are fetched in part, several at a time, inside a transaction', async () => {
    const client = await login()
    await client.ask(query('BEGIN'))
    const text = 'SELECT id FROM customers WHERE id > $1 ORDER BY id'
    const first = await client.ask(
      parse(text, 's', [23]),
      bind({ portal: 'a', statement: 's', values: ['0'] }),
      bind({ portal: 'b', statement: 's', values: ['500'] }),
      describeFrame('P', 'a'),
      execute('a', 2),
      execute('b', 3),
      execute('a', 2),
      SYNC,
    )
    expect(kinds(first)).toBe('122TDDsDDDsDDsZ')
    const rest = await client.ask(execute('b', 0), close('P', 'b'), SYNC)
    expect(rest.filter(({ kind }) => kind === 'D')).toHaveLength(497)
    expect(kinds(await client.ask(execute('b', 1), SYNC))).toBe('EZ')
    await client.ask(query('ROLLBACK'))
    client.end()
  })

  test('an error or a refusal in a pipeline skips up to Sync, and answers come in order', async () => {
    const client = await login()
    const run = (text: string) => [parse(text), bind(), execute()]
    for (const [bad, code] of [
      ['SELECT 1 / 0', '22012'],
      ['DROP TABLE orders', '42501'],
      ['SELECT FROM WHERE', '42601'],
    ] as const) {
      const from = client.messages.length
      client.send(...run('SELECT 1'), ...run(bad), ...run('SELECT 3'), SYNC)
      client.send(...run('SELECT 4'), SYNC)
      await client.until('Z')
      if (kinds(client.messages.slice(from)).split('Z').length < 3) await client.until('Z')
      const seen = client.messages.slice(from)
      expect(kinds(seen)).toMatch(/^12DC1?2?EZ12DCZ$/)
      expect(fieldsOf(seen.find(({ kind }) => kind === 'E')!).C).toBe(code)
    }
    expect(stage.server.sql('SELECT count(*) FROM orders', 'shop')).not.toBe('0')
    client.end()
  })

  test('Flush gives what is there without a Sync', async () => {
    const client = await login()
    client.send(parse('SELECT 1'), describeFrame('S'), FLUSH)
    await client.until('T')
    client.send(bind(), execute(), FLUSH)
    await client.until('C')
    expect(kinds(await client.ask(SYNC))).toBe('Z')
    client.end()
  })

  test('names live and die as they do at the target', async () => {
    const client = await login()
    expect(kinds(await client.ask(bind({ statement: 'none' }), SYNC))).toBe('EZ')
    expect(client.error()?.C).toBe('26000')
    expect(kinds(await client.ask(execute('none'), SYNC))).toBe('EZ')
    expect(client.error()?.C).toBe('34000')
    expect(kinds(await client.ask(parse('SELECT 1', 's'), SYNC))).toBe('1Z')
    expect(kinds(await client.ask(parse('SELECT 2', 's'), SYNC))).toBe('EZ')
    expect(client.error()?.C).toBe('42P05')
    expect(kinds(await client.ask(close('S', 's'), close('S', 's'), SYNC))).toBe('33Z')
    expect(kinds(await client.ask(parse('SELECT 2', 's'), SYNC))).toBe('1Z')
    expect(kinds(await client.ask(query('EXECUTE s')))).toBe('TDCZ')
    await client.ask(query('DEALLOCATE s; PREPARE s AS SELECT 3'))
    expect(kinds(await client.ask(bind({ statement: 's' }), execute(), SYNC))).toBe('2DCZ')
    await client.ask(query('DISCARD ALL'))
    expect(kinds(await client.ask(bind({ statement: 's' }), SYNC))).toBe('EZ')
    // An unnamed portal ends with its transaction.
    await client.ask(parse('SELECT 1'), bind(), SYNC)
    expect(kinds(await client.ask(execute(), SYNC))).toBe('EZ')
    client.end()
  })

  test('empty queries, several results, and what comes in small pieces', async () => {
    const client = await login()
    expect(kinds(await client.ask(query('')))).toBe('IZ')
    expect(kinds(await client.ask(query(' ; -- nothing\n')))).toBe('IZ')
    expect(kinds(await client.ask(parse(''), bind(), execute(), SYNC))).toBe('12IZ')
    const several = await client.ask(query("SELECT 1; SET TimeZone = 'Asia/Tokyo'; SELECT 2"))
    expect(kinds(several)).toBe('TDCCTDCSZ')
    const bytes = Buffer.concat([
      parse('SELECT $1::int', '', [23]),
      bind({ values: ['5'] }),
      execute(),
      SYNC,
    ])
    const from = client.messages.length
    for (const byte of bytes) {
      client.send(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await client.until('Z')
    expect(kinds(client.messages.slice(from))).toBe('12DCZ')
    client.end()
  })

  test('a client that goes away in mid-result leaves no backend behind', async () => {
    const client = await login()
    client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 3000000)"))
    await client.until('D')
    client.socket.destroy()
    const left =
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%3000000%' AND pid <> pg_backend_pid()"
    await expect.poll(() => stage.server.sql(left), { timeout: 10_000 }).toBe('0')
  })
})
