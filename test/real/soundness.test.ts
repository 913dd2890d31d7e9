import { afterEach, expect, test } from 'vitest'
import { type Stage, startStage } from '../lib/stage.ts'
import {
  bind,
  describe as describeFrame,
  execute,
  fieldsOf,
  type Message,
  parse,
  query,
  SYNC,
  WireClient,
} from '../lib/wire-client.ts'
import { makeQuery, type Query } from './soundness-queries.ts'
import type { Version } from './soundness-sources.ts'

/**
 * Two databases that differ in nothing but masked values, asked the same through the gateway, must answer the same
 * (semantics §5, "Soundness, as a test"). SLUICE_SOUNDNESS sets how many statements are tried; a failing seed is named.
 */
const SEEDS = { first: 1, count: Number(process.env.SLUICE_SOUNDNESS ?? 200) }

const policy = (name: string, masks: string) => `
apiVersion: sluice/v1
kind: Policy
name: ${name}
applies: { connections: [${name}] }
masks:
${masks}`

const CONSTANT = policy(
  'constant',
  `  - { columns: [public.people.email, public.people.born, public.orders.code], with: redact }
  - { columns: [public.people.ssn, public.people.score], with: 'null' }
  - { columns: [public.people.card], with: { fixed: hidden } }
`,
)
/** What varies with the value is blanked before the two are compared. */
const VARYING = policy(
  'varying',
  `  - { columns: [public.people.email, public.people.born, public.people.score], with: hash }
  - { columns: [public.people.ssn, public.orders.code], with: { partial: { keep_last: 2 } } }
  - { columns: [public.people.card], with: { partial: { keep_first: 1 } } }
`,
)

const SCHEMA = `
CREATE TABLE people (id int PRIMARY KEY, name text, city text, email text, ssn text, card varchar(30), born date,
  score int);
CREATE TABLE orders (id int PRIMARY KEY, person_id int, status text, code text);
CREATE TABLE notes (id int, body text);
CREATE VIEW mail_view AS SELECT id, email, upper(email) AS loud, city AS place FROM people WHERE ssn IS NOT NULL;
CREATE VIEW over_view AS SELECT v.id, v.email AS mail, length(o.code) AS codes
  FROM mail_view v JOIN orders o ON o.id = v.id;
INSERT INTO people SELECT n, 'Name ' || n, 'City ' || n % 7 FROM generate_series(1, 60) n;
INSERT INTO orders SELECT n, n % 50 + 1, CASE WHEN n % 3 = 0 THEN 'open' ELSE 'done' END
  FROM generate_series(1, 90) n;
`

/** Other values for another salt; NULL in the same rows. */
const fill = (salt: string) => `
UPDATE people SET
  email = CASE WHEN id % 11 <> 0 THEN substr(md5('e${salt}' || id), 1, 3 + ascii(md5('l${salt}' || id)) % 20) || '@zqzq' END,
  ssn = CASE WHEN id % 13 <> 0 THEN 'zqzq' || substr(md5('s${salt}' || id), 1, 9) END,
  card = CASE WHEN id % 5 <> 0 THEN 'zqzq' || substr(md5('c${salt}' || id), 1, 12) END,
  born = CASE WHEN id % 9 <> 0 THEN date '1931-01-01' + ('x' || substr(md5('b${salt}' || id), 1, 4))::bit(16)::int END,
  score = CASE WHEN id % 8 <> 0 THEN ('x' || substr(md5('p${salt}' || id), 1, 6))::bit(24)::int END;
UPDATE orders SET code = CASE WHEN id % 6 <> 0 THEN 'zqzq' || substr(md5('o${salt}' || id), 1, 8) END;
`

let stage: Stage | undefined

afterEach(() => stage?.stop())

/** On a server of this version: `one` and `shop` differ in masked values alone. */
async function twoDatabases(version: Version): Promise<Stage> {
  stage = await startStage({
    postgres: { version },
    gateway: { policies: { 'constant.yaml': CONSTANT, 'varying.yaml': VARYING } },
    aliases: ['constant', 'varying'],
    databases: ['one'],
  })
  const { server } = stage
  server.sql('ALTER SCHEMA public OWNER TO app', 'one')
  server.sql(`SET SESSION AUTHORIZATION app; ${SCHEMA}`, 'one')
  // A copy: the same object numbers. `shop` takes the second one's place, since connections name their databases.
  server.sql('DROP DATABASE shop WITH (FORCE)')
  server.sql('CREATE DATABASE shop TEMPLATE one OWNER app')
  for (const [database, salt] of [
    ['one', 'a'],
    ['shop', 'b'],
  ] as const) {
    server.sql(fill(salt), database)
    server.sql('VACUUM FULL; ANALYZE', database)
  }
  return stage
}

/** Frames that say something of the statement, in an order that says nothing where none is asked for. */
function shownOf(messages: readonly Message[], made: Query, blank: boolean): string {
  const rows: string[] = []
  const others: string[] = []
  for (const { kind, body } of messages) {
    const values = kind === 'D' ? valuesOf(body) : [body.toString('latin1')]
    const parts = kind === 'd' ? values.flatMap((one) => (one ?? '').split(/[\t\n,]/)) : values
    const shown =
      kind + JSON.stringify(blank ? parts.map((one) => one?.replace(VARIES, '#')) : parts)
    if (kind === 'D' || kind === 'd') rows.push(shown)
    else others.push(shown)
  }
  if (!made.ordered) rows.sort()
  return [...rows, ...others].join('\n')
}

/** Hashes and partly shown values, which differ where the values do. */
const VARIES = /^"?(?:[0-9a-f]{16}|\*+..|z\*+)"?$/

function valuesOf(body: Buffer): (string | undefined)[] {
  const values: (string | undefined)[] = []
  let at = 2
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const size = body.readInt32BE(at)
    at += 4
    values.push(size < 0 ? undefined : body.toString('latin1', at, at + size))
    at += Math.max(size, 0)
  }
  return values
}

async function ask(client: WireClient, made: Query, options: { binary: boolean; blank: boolean }) {
  // Beginning and ending make names doubtful, which costs a question each time.
  if (!made.plain) await client.ask(query('BEGIN'))
  const early: Message[] = []
  for (const text of made.before) early.push(...(await client.ask(query(text))))
  const frames =
    options.binary && made.plain
      ? [parse(made.text), bind({ binary: true }), describeFrame('P'), execute(), SYNC]
      : [query(made.text)]
  const messages = [...early, ...(await client.ask(...frames))]
  if (!made.plain) await client.ask(query('ROLLBACK'))
  if (made.before.some((one) => one.startsWith('PREPARE')))
    await client.ask(query('DEALLOCATE ALL'))
  const error = messages.find(({ kind }) => kind === 'E')
  const refused = error !== undefined && fieldsOf(error).C === '42501'
  const received = Buffer.concat(messages.map(({ body }) => body))
  return {
    refused,
    failed: error !== undefined,
    shown: shownOf(messages, made, options.blank),
    received,
  }
}

class Tally {
  readonly #counts = new Map<string, { all: number; answered: number }>()

  add(name: string, isAnswered: boolean): void {
    const count = this.#counts.get(name) ?? { all: 0, answered: 0 }
    count.all++
    if (isAnswered) count.answered++
    this.#counts.set(name, count)
  }

  share(name: string): number {
    const count = this.#counts.get(name)
    return count === undefined ? 0 : count.answered / count.all
  }

  get names(): string[] {
    return [...this.#counts.keys()].sort()
  }

  all(name: string): number {
    return this.#counts.get(name)?.all ?? 0
  }
}

const percent = (part: number) => `${Math.round(part * 100)} %`

/** The newer one tries other statements; most of them go to the older, which is the one that everybody has. */
const SERVERS: readonly [Version, part: number][] = [
  ['15', 1],
  ['18', 0.6],
]

test.each(SERVERS)(
  'PostgreSQL %s: two databases that differ in masked values alone answer the same',
  async (version, part) => {
    const { url } = await twoDatabases(version)
    const count = Math.ceil(SEEDS.count * part)
    const at = (connection: string) => ({
      one: WireClient.login(url('schema', `${connection}/one`)),
      two: WireClient.login(url('schema', `${connection}/shop`)),
    })
    const clients: [string, Awaited<ReturnType<typeof WireClient.login>>, WireClient][] = []
    for (const connection of ['constant', 'varying']) {
      const { one, two } = at(connection)
      clients.push([connection, await one, await two])
    }
    const tally = new Tally()
    let shows = 0
    let failures = 0
    for (let seed = SEEDS.first; seed < SEEDS.first + count; seed++) {
      const made = makeQuery(seed, version)
      if (made.shows) shows++
      for (const [connection, one, two] of clients) {
        const options = { binary: seed % 2 === 0, blank: connection === 'varying' }
        const [first, second] = [await ask(one, made, options), await ask(two, made, options)]
        expect(second.shown, `seed ${seed}: ${made.before.join('; ')} ${made.text}`).toBe(
          first.shown,
        )
        const whole = Buffer.concat([first.received, second.received]).toString('latin1')
        const leaked = ['zqzq', 'ZQZQ', 'Zqzq', Buffer.from('zqzq').toString('hex')].some((one) =>
          whole.includes(one),
        )
        expect(leaked, `seed ${seed} leaks: ${made.text}`).toBe(false)
        if (connection !== 'constant') continue
        if (first.failed && !first.refused) failures++
        tally.add(made.decides ? 'masked predicate' : 'no masked predicate', !first.refused)
        for (const name of made.constructs) tally.add(name, !first.refused)
        if (process.env.SLUICE_SOUNDNESS_SHOW) {
          const said = first.refused
            ? `REFUSED ${first.received.toString().replaceAll('\0', ' ')}`
            : ''
          console.log(
            seed,
            made.before.join('; '),
            made.text,
            first.failed ? first.received.toString() : '',
            said,
          )
        }
      }
    }
    for (const [, one, two] of clients) for (const client of [one, two]) client.end()
    const lines = tally.names.map(
      (name) =>
        `${name}: ${percent(tally.all(name) / count)} of all, ${percent(tally.share(name))} answered`,
    )
    console.log(
      `${count} statements, ${percent(shows / count)} show something masked\n${lines.join('\n')}`,
    )
    expect(tally.share('no masked predicate')).toBeGreaterThanOrEqual(0.6)
    expect(shows / count).toBeGreaterThanOrEqual(0.5)
    expect(failures / count).toBeLessThan(0.1)
    for (const name of version === '18' ? [...CONSTRUCTS, ...NEWEST] : CONSTRUCTS)
      expect(tally.all(name) / count, name).toBeGreaterThanOrEqual(0.03)
  },
  3_600_000,
)

const CONSTRUCTS = [
  'sub-select',
  'CTE',
  'recursive CTE',
  'set operation',
  'star',
  'whole row',
  'row_to_json',
  'USING or natural join',
  'LATERAL',
  'view',
  'RETURNING',
  'INSERT … SELECT',
  'CREATE TABLE AS',
  'cursor',
  'prepared statement',
  'COPY (query)',
  'EXPLAIN',
  'set-returning function',
  'aggregate',
  'total function',
  'MERGE',
]
/** PostgreSQL 17 and 18 only. */
const NEWEST = ['OLD and NEW']
