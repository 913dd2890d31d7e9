import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../lib/child.ts'
import { filesWith } from '../lib/files-with.ts'
import { type Stage, startStage } from '../lib/stage.ts'
import {
  bind,
  describe as describeFrame,
  execute,
  frame,
  type Message,
  parse,
  query,
  SYNC,
  WireClient,
} from '../lib/wire-client.ts'

/** What detectors find, in a column that no mask names; and what masked columns hold. */
const FOUND = ['4111 1111 1111 1111', 'zed.planted@example.net', 'GB82WEST12345698765432']
const HELD = ['zq-held-text-1', 'zq-held-json-2', 'zq-held-bytes-3', '90210.75', '1977-03-09']

const POLICY = `
apiVersion: sluice/v1
kind: Policy
name: hide
applies: { connections: [hidden] }
masks:
  - columns: [public.people.secret, public.people.doc, public.people.raw, public.people.pay,
      public.people.born, public.people.many, public.people.uid]
    with: redact
  - { columns: [public.people.part], with: { partial: { keep_last: 4 } } }
  - { columns: [public.people.gone], with: 'null' }
  - { columns: [public.people.fixed], with: { fixed: "n/a" } }
  - { columns: [public.people.hashed], with: hash }
  - { detect: [credit_card, email, iban], with: redact }
`

const TABLE = `
CREATE TABLE people (id int PRIMARY KEY, secret text UNIQUE, doc jsonb, raw bytea, pay numeric,
  born date, many text[], uid uuid, part varchar(30), gone text, fixed text, hashed text, note text,
  notes text[], extra jsonb);
INSERT INTO people VALUES (1, '${HELD[0]}', '{"a": "${HELD[1]}"}', '${HELD[2]}', ${HELD[3]},
  '${HELD[4]}', ARRAY['zq-held-array'], '77777777-aaaa-4aaa-8aaa-777777777777', 'zq-part-0042',
  'zq-gone', 'zq-fixed', 'zq-hashed', 'call ${FOUND[0]} or ${FOUND[1]}',
  ARRAY['x', '${FOUND[2]}'], '{"deep": ["${FOUND[0]}"]}');
INSERT INTO people (id) VALUES (2);
`

const PLANTED = [
  ...FOUND,
  ...HELD,
  'zq-held-array',
  '77777777-aaaa',
  'zq-part',
  'zq-gone',
  'zq-fixed',
  'zq-hashed',
]
const COLUMNS =
  'id, secret, doc, raw, pay, born, many, uid, part, gone, fixed, hashed, note, notes, extra'

let stage: Stage
const received: Buffer[] = []

beforeAll(async () => {
  stage = await startStage({
    gateway: {
      policies: { 'hide.yaml': POLICY },
    },
    aliases: ['hidden'],
  })
  stage.server.sql(`SET SESSION AUTHORIZATION app; ${TABLE}`, 'shop')
})
afterAll(() => stage?.stop())

/** As found in a byte stream: as they are, hex (bytea), and parts of binary numbers are asked for elsewhere. */
function leaks(bytes: Buffer): string[] {
  const shapes = PLANTED.flatMap((value) => [value, Buffer.from(value).toString('hex')])
  return shapes.filter((shape) => bytes.includes(shape))
}

async function login(): Promise<WireClient> {
  return WireClient.login(stage.url('write', 'hidden'))
}

function rowsOf(messages: readonly Message[]): (string | null)[][] {
  return messages
    .filter(({ kind }) => kind === 'D')
    .map(({ body }) => {
      const values: (string | null)[] = []
      let at = 2
      for (let i = 0; i < body.readInt16BE(0); i++) {
        const size = body.readInt32BE(at)
        at += 4
        values.push(size < 0 ? null : body.toString('latin1', at, at + size))
        at += Math.max(size, 0)
      }
      return values
    })
}

async function ask(...frames: Buffer[]): Promise<(string | null)[][]> {
  const client = await login()
  const answers = await client.ask(...frames)
  const error = answers.find(({ kind }) => kind === 'E')
  if (error !== undefined) throw new Error(error.body.toString())
  received.push(client.received)
  client.end()
  return rowsOf(answers)
}

/** The server's own reader of the format decides whether it is still one. */
async function readBack(data: Buffer): Promise<Record<string, unknown>[]> {
  const client = await WireClient.login(stage.url('write'))
  await client.ask(query('TRUNCATE back'))
  client.send(query('COPY back FROM STDIN (FORMAT binary)'))
  await client.until('G')
  client.send(frame('d', data), frame('c'))
  await client.until('Z')
  expect(client.error()).toBeUndefined()
  client.end()
  const text = stage.server.sql('SELECT json_agg(b ORDER BY id) FROM back b', 'shop')
  return JSON.parse(text)
}

const TEXT_ROW = [
  '1',
  '****',
  '"****"',
  '\\x',
  null,
  null,
  null,
  '00000000-0000-0000-0000-000000000000',
  '********0042',
  null,
  'n/a',
  // A role that may write could write guesses and compare.
  '****',
  'call **** or ****',
  expect.stringMatching(/^\{x,.*\}$/),
  expect.stringMatching(/\*\*\*\*/),
]

describe('every way in which rows come down', () => {
  const all = `SELECT ${COLUMNS} FROM people WHERE id = 1`

  test('as text, simple and prepared', async () => {
    expect(await ask(query(all))).toEqual([TEXT_ROW])
    expect(await ask(query('SELECT * FROM people WHERE id = 1'))).toEqual([TEXT_ROW])
    expect(await ask(parse(all), bind(), execute(), SYNC)).toEqual([TEXT_ROW])
    expect(await ask(parse(all), describeFrame('S'), bind(), execute(), SYNC)).toEqual([TEXT_ROW])
    expect(
      await ask(
        query(`PREPARE p AS ${all}; EXECUTE p; BEGIN; DECLARE c CURSOR FOR ${all}; FETCH c`),
      ),
    ).toEqual([TEXT_ROW, TEXT_ROW])
  })

  test('as binary, with and without a description, in parts', async () => {
    const first = await ask(parse(all), bind({ binary: true }), execute(), SYNC)
    const described = await ask(
      parse(all),
      bind({ binary: true }),
      describeFrame('P'),
      execute('', 1),
      SYNC,
    )
    expect(described).toEqual(first)
    const [, secret, doc, raw, pay, born, many, uid, part, gone, fixed] = first[0]!
    expect([secret, doc, raw, pay, born, many]).toEqual([
      '****',
      '\x01"****"',
      '',
      null,
      null,
      null,
    ])
    expect([uid, part, gone, fixed]).toEqual(['\0'.repeat(16), '********0042', null, 'n/a'])
  })

  const forms = ['', '(FORMAT csv)', '(FORMAT csv, HEADER, FORCE_QUOTE *)', "(DELIMITER '|')"]
  test.each(forms)('as COPY %s, of a table and of a query', async (form) => {
    // A query has no description of its columns there: what is masked stands at the place that the analysis says.
    const asked = '(SELECT id, note FROM people WHERE id = 1)'
    for (const what of ['people', `people (${COLUMNS})`, `(${all})`, asked]) {
      const client = await login()
      const answers = await client.ask(query(`COPY ${what} TO STDOUT ${form}`))
      received.push(client.received)
      client.end()
      expect(answers.find(({ kind }) => kind === 'E')?.body.toString()).toBe(undefined)
      const rows = answers.filter(({ kind }) => kind === 'd').map(({ body }) => body)
      const text = Buffer.concat(rows).toString()
      expect(text).toContain('call **** or ****')
      if (what !== asked) expect(text).toMatch(/\*\*\*\*.*0042/)
    }
  })

  test('copied out in binary, as a table and as a query, read back by the server itself', async () => {
    const columns =
      'id int, secret text, doc jsonb, raw bytea, pay numeric, born date, many text[], uid uuid'
    stage.server.sql(
      `SET SESSION AUTHORIZATION app; CREATE TABLE back (${columns}, part text, gone text, fixed text, hashed text, note text, notes text[], extra jsonb)`,
      'shop',
    )
    for (const what of ['people', `(SELECT ${COLUMNS} FROM people)`]) {
      const client = await login()
      const answers = await client.ask(query(`COPY ${what} TO STDOUT (FORMAT binary)`))
      expect(answers.find(({ kind }) => kind === 'E')?.body.toString()).toBe(undefined)
      received.push(client.received)
      expect(leaks(client.received)).toEqual([])
      client.end()
      const data = Buffer.concat(answers.filter(({ kind }) => kind === 'd').map(({ body }) => body))
      const rows = await readBack(data)
      expect(rows[0]).toMatchObject({
        id: 1,
        secret: '****',
        doc: '****',
        pay: null,
        born: null,
        many: null,
      })
      expect(rows[0]).toMatchObject({
        part: '********0042',
        gone: null,
        fixed: 'n/a',
        hashed: '****',
      })
      if (what === 'people') expect(rows[0]?.note).toBe('call **** or ****')
      expect(rows[1]).toMatchObject({ id: 2, secret: null, note: null })
    }
  })

  test('after the table was changed by others, and by the session itself', async () => {
    const client = await login()
    await client.ask(query(all))
    stage.server.sql("ALTER TABLE people ADD COLUMN later text DEFAULT 'zq-later'", 'shop')
    expect(rowsOf(await client.ask(query(all)))).toEqual([TEXT_ROW])
    stage.server.sql(
      'ALTER TABLE people RENAME COLUMN later TO latest; ALTER TABLE people DROP COLUMN latest',
      'shop',
    )
    expect(rowsOf(await client.ask(query(all)))).toEqual([TEXT_ROW])
    await client.ask(query('CREATE TEMP TABLE mine (secret text)'))
    expect(rowsOf(await client.ask(query(all)))).toEqual([TEXT_ROW])
    received.push(client.received)
    client.end()
  })

  test('through views that show a row whole beside a column, and by COPY with options that are lists', async () => {
    stage.server.sql(
      `SET SESSION AUTHORIZATION app; CREATE VIEW whole AS SELECT id, people AS r FROM people;
       CREATE VIEW whole_again AS SELECT id, r, (r).note FROM whole`,
      'shop',
    )
    const texts = [
      ...['*', 'r', '(r).secret', "(r).doc->'a'", 'row_to_json(r)', 'r::text'].flatMap((what) =>
        ['whole', 'whole_again'].map((view) => `SELECT ${what} FROM ${view} WHERE id = 1`),
      ),
      ...['QUOTE *', "QUOTE ('s')", 'HEADER (off)'].map(
        (option) => `COPY people (id, secret, note) TO STDOUT (FORMAT csv, ${option})`,
      ),
      'COPY people (id, secret, note) TO STDOUT (FORMAT (csv))',
    ]
    let answered = 0
    for (const text of texts) {
      const client = await login()
      const answers = await client.ask(query(text))
      if (answers.some(({ kind }) => kind === 'D' || kind === 'd')) answered++
      expect([text, leaks(client.received)]).toEqual([text, []])
      client.end()
    }
    expect(answered).toBeGreaterThan(0)
    stage.server.sql('DROP VIEW whole_again; DROP VIEW whole', 'shop')
  })

  test('returned by what is written', async () => {
    const row = await ask(
      query('UPDATE people SET note = note WHERE id = 1 RETURNING id, secret, part, note'),
    )
    expect(row).toEqual([['1', '****', '********0042', 'call **** or ****']])
  })
})

describe('other ways out', () => {
  test.each([
    "INSERT INTO people (id, secret) VALUES (3, 'zq-held-text-1')",
    "UPDATE people SET secret = 'zq-held-text-1' WHERE id = 2",
    'SELECT secret::int FROM people',
    'SELECT pg_catalog.pg_typeof(secret) FROM people WHERE secret = note',
    'SELECT note::int FROM people WHERE id = 1',
    'SELECT 1 / (length(note) - length(note)) FROM people WHERE id = 1',
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'people'",
    "SELECT query FROM pg_stat_activity WHERE query LIKE '%zq%' AND pid <> pg_backend_pid()",
    "NOTIFY leak, 'hello'",
    'EXPLAIN ANALYZE SELECT * FROM people',
    'EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM people WHERE id = 1',
  ])('%s', async (text) => {
    const client = await login()
    const answers = await client.ask(query(text))
    // What the client itself wrote may be quoted back; nothing else may.
    const said = Buffer.concat(answers.map(({ body }) => body)).toString('latin1')
    expect(
      leaks(Buffer.from(said.replaceAll(text, ''))).filter((one) => !text.includes(one)),
    ).toEqual([])
    client.end()
  })

  test('a hundred thousand masked rows keep their order and number', async () => {
    stage.server.sql(
      `INSERT INTO people (id, secret, note) SELECT n, 'zq-gone' || n, 'mail ${FOUND[1]}' FROM generate_series(10, 100009) n`,
      'shop',
    )
    const rest = 'FROM people WHERE id >= 10 ORDER BY id'
    const { stdout, stderr } = await run('psql', [
      ...['-XAtq', stage.url('read', 'hidden')],
      ...['-c', `COPY (SELECT id, note ${rest}) TO STDOUT`],
      ...['-c', `SELECT id, secret, note ${rest}`],
    ])
    expect(stderr).toBe('')
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(200_000)
    lines.forEach((line, i) => {
      const id = 10 + (i % 100_000)
      const wanted = i < 100_000 ? `${id}\tmail ****` : `${id}|****|mail ****`
      if (line !== wanted) expect([i, line]).toEqual([i, wanted])
    })
    received.push(Buffer.from(stdout))
  })
})

test('nothing of it is in any byte that came, in the log, the data folder or the record', async () => {
  expect(received.length).toBeGreaterThan(15)
  expect(received.flatMap(leaks)).toEqual([])
  expect(leaks(Buffer.from(stage.gateway.output()))).toEqual([])
  expect(filesWith(stage.gateway.data, leaks)).toEqual([])
  const counts = PLANTED.map(
    (value, i) =>
      `countIf(position(toString(tuple(*)), concat('${value.slice(0, 4)}', '${value.slice(4)}')) > 0) AS c${i}`,
  )
  const sql = `SELECT count() AS n, sum(length(payload)) AS bytes, ${counts.join(', ')} FROM events`
  const [row] = await stage.gateway.eventually(sql, ([one]) => Number(one?.bytes) > 100_000)
  expect(Number(row?.bytes)).toBeGreaterThan(100_000)
  expect(PLANTED.filter((_, i) => Number(row?.[`c${i}`]) > 0)).toEqual([])
})

test('whoever has no mask sees the values, so that there is something to hide', async () => {
  const client = new pg.Client(stage.url('read'))
  await client.connect()
  const { rows } = await client.query(`SELECT ${COLUMNS} FROM people WHERE id = 1`)
  expect(rows[0].secret).toBe(HELD[0])
  expect(rows[0].note).toContain(FOUND[0])
  await client.end()
})
