import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { calm, unhurried } from '../../src/protocols/postgres/sql/calm-question.ts'
import { lookFrom } from '../../src/protocols/postgres/sql/catalogue-changes.ts'
import { chosenText, lookText } from '../../src/protocols/postgres/sql/catalogue-look.ts'
import {
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
} from '../../src/protocols/postgres/sql/catalogue-query.ts'
import { readFixture } from '../contract/fixture.ts'
import {
  type Case,
  CORPUS_POLICY,
  loadCorpus,
  MASKED_COLUMNS,
  ROLES,
  schemaSql,
} from '../corpus/sql/corpus.ts'
import { filesWith } from '../lib/files-with.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import {
  type Form,
  type Logged,
  logOf,
  type Play,
  type Played,
  play,
  squeezed,
} from '../lib/player.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

const PASSWORD = 'app-secret-7f3a'
/** In masked columns of one row, and in no statement of the corpus. */
const PLANTED = ['zq.planted.mail.8461@example.org', 'zq-519-77-3068-ssn', 'zq6011000990139424card']
const FORMS: readonly Form[] = ['simple', 'prepared', 'binary', 'named', 'transaction', 'pipelined']
/** What `play` itself sends around the texts. */
const AROUND: Partial<Record<Form, string[]>> = { transaction: ['BEGIN'], pipelined: ['SELECT1'] }
/** What the gateway itself asks on a session's own connection. */
const OWN = ownTexts()
/** What goes up in place of a refused statement inside a transaction. */
const REPLACEMENT = squeezed('SLUICE REFUSED THE STATEMENT ')

function ownTexts(): ReadonlySet<string> {
  const all = { relations: [1], routines: [1], types: [1], operators: true, casts: true }
  // Every choice of parts.
  const choices = Array.from({ length: 32 }, (_, bits) => ({
    relations: bits & 1 ? all.relations : [],
    routines: bits & 2 ? all.routines : [],
    types: bits & 4 ? all.types : [],
    operators: (bits & 8) > 0,
    casts: (bits & 16) > 0,
  }))
  const seen = lookFrom(readFixture().look, undefined)?.seen
  const texts = [CATALOGUE_TEXT, NAMES_TEXT, lookText(undefined), lookText(seen)]
  for (const one of choices) texts.push(chosenText(one))
  const forms = [
    ...texts.flatMap((text) => [calm(text), unhurried(text)]),
    calm(IDLE_NAMES_TEXT, 'few'),
  ]
  return new Set(forms.map((text) => withoutNumbers(squeezed(text))))
}

/** A look names transactions and counts, a choice any number of OIDs. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/[0-9]+(,[0-9]+)*/g, '0')
}

const cases = loadCorpus()
const denied = cases.filter((one) => one.expect === 'deny')
const allowed = cases.filter((one) => one.expect === 'allow')
const plays = new Map<string, Play>()

let server: Postgres
let gateway: Gateway
const tokens: Record<string, string> = {}

beforeAll(async () => {
  server = await startPostgres({
    config: [
      "log_statement = 'all'",
      // Parse and Bind alone are shown by their durations only.
      'log_min_duration_statement = 0',
      "log_line_prefix = '%a|'",
      'max_prepared_transactions = 5',
    ],
  })
  server.sql(`CREATE ROLE app SUPERUSER LOGIN PASSWORD '${PASSWORD}'`)
  server.sql(`CREATE ROLE peon LOGIN PASSWORD '${PASSWORD}'`)
  for (const database of ['masked', 'clear', 'bare']) {
    server.sql(`CREATE DATABASE ${database}`)
    server.sql(schemaSql(), database)
  }
  const values = PLANTED.map((value) => `'${value}'`).join(', ')
  server.sql(`INSERT INTO customers VALUES (77, 'Zoe', ${values}, NULL)`, 'masked')
  server.sql('REFRESH MATERIALIZED VIEW customer_mails; ANALYZE', 'masked')
  const app = { server, user: 'app', password: PASSWORD }
  const masks = MASKED_COLUMNS.map((column) => `"${column}"`).join(', ')
  gateway = await startGateway({
    connections: {
      clear: { ...app, database: 'clear' },
      masked: { ...app, database: 'masked' },
      unmasked: { ...app, database: 'masked' },
      // Nothing is guarded here; the target's own rights keep the server whole.
      bare: { server, database: 'bare', user: 'peon', password: PASSWORD },
    },
    roles: {
      ...Object.fromEntries(
        Object.entries(ROLES).map(([name, allow]) => [
          roleName(name),
          { members: [`subject:${roleName(name)}`], connections: ['clear', 'masked'], allow },
        ]),
      ),
      bare: {
        members: ['subject:bare'],
        connections: ['bare', 'unmasked'],
        allow: ['read', 'write', 'schema', 'transfer', 'execute', 'admin', 'opaque'],
      },
    },
    policies: {
      'corpus.yaml': `${CORPUS_POLICY}\napplies: { connections: [clear, masked] }\n`,
      'masks.yaml': [
        'apiVersion: sluice/v1',
        'kind: Policy',
        'name: masks',
        'applies: { connections: [masked] }',
        'masks:',
        `  - { columns: [${masks}], with: redact }`,
      ].join('\n'),
    },
  })
  for (const subject of [...Object.keys(ROLES).map(roleName), 'bare']) {
    tokens[subject] = await gateway.token({ subject })
  }
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

function roleName(role: string): string {
  return role.replace('+', '-')
}

function playCase(one: Case, form: Form): Promise<Play> {
  const url = gateway.url(tokens[roleName(one.as)]!, one.mask ? 'masked' : 'clear')
  return play(url, { id: `${one.id}:${form}`, form, texts: one.steps })
}

/** Some at a time: sessions wait for each other's answers most of the time. */
async function all<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const worker = async () => {
    for (const item of left) await act(item)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}

function shown(step: Played): string {
  return `${step.text} → ${step.refused ? 'refused' : ''} ${step.error?.C ?? 'ok'} ${step.error?.M ?? ''}`
}

/** Texts that reached the target in one session, but for the gateway's own. */
function reachedBy(
  log: ReadonlyMap<string, readonly Logged[]>,
  id: string,
  counts: (logged: Logged) => boolean = () => true,
): readonly string[] {
  return (log.get(id) ?? [])
    .filter(
      (one) =>
        !OWN.has(withoutNumbers(one.text)) && !one.text.startsWith(REPLACEMENT) && counts(one),
    )
    .map(({ text }) => text)
}

/** What names a prepared statement or cursor is judged when it runs: its Parse alone does nothing. */
function matters({ as, text }: Logged): boolean {
  return as !== 'parse' || !/EXECUTE|FETCH|MOVE/i.test(text)
}

describe.each(FORMS)('as %s statements', (form) => {
  test('every attack is refused by the gateway, and the refused text never reaches the target', async () => {
    await all(denied, async (one) => {
      plays.set(`${one.id}:${form}`, await playCase(one, form))
    })
    const log = logOf(server.log)
    const wrong: unknown[] = []
    for (const one of denied) {
      const id = `${one.id}:${form}`
      const { steps } = plays.get(id)!
      const passed = steps.filter((step) => !step.refused).map(({ text }) => squeezed(text))
      passed.push(...(AROUND[form] ?? []))
      const reached = reachedBy(log, id, matters).filter((text) => !passed.includes(text))
      // What PostgreSQL does not run inside a block makes no attack there.
      const impossible = steps.some((step) => step.error?.C === '25001')
      const stopped = impossible || steps.some((step) => step.refused)
      if (!stopped || reached.length > 0) wrong.push([id, ...steps.map(shown), ...reached])
    }
    expect(wrong).toEqual([])
  }, 180_000)

  // In the last two forms a statement may meet what only a block of its own allows.
  if (form === 'transaction' || form === 'pipelined') return
  test('what must just work does', async () => {
    const wrong: unknown[] = []
    for (const one of allowed) {
      if (form !== 'simple' && one.simple) continue
      const id = `${one.id}:${form}`
      plays.set(id, await playCase(one, form))
      const failed = plays.get(id)!.steps.filter((step) => step.error !== undefined)
      if (failed.length > 0) wrong.push([id, ...failed.map(shown)])
    }
    expect(wrong).toEqual([])
    for (const database of ['masked', 'clear']) {
      server.sql('DELETE FROM customers WHERE id BETWEEN 4 AND 76', database)
    }
  }, 180_000)
})

test('the same attacks reach the target where nothing is guarded', async () => {
  const url = gateway.url(tokens.bare!, 'bare')
  const attack = async (one: Case, id: string): Promise<void> => {
    await play(url, { id, form: 'simple', texts: one.steps })
  }
  const stopped = (id: (one: Case) => string, of: readonly Case[]): readonly Case[] => {
    const log = logOf(server.log)
    return of.filter((one) => {
      const reached = reachedBy(log, id(one))
      return !one.steps.some((step) => reached.includes(squeezed(step)))
    })
  }
  await all(denied, (one) => attack(one, `${one.id}:bare`))
  const dead = stopped((one) => `${one.id}:bare`, denied)
  // Attacks end, lock and rename each other's sessions and roles: whoever was hit has a second go, alone.
  for (const one of dead) await attack(one, `${one.id}:alone`)
  expect(stopped((one) => `${one.id}:alone`, dead).map(({ id }) => id)).toEqual([])
}, 180_000)

describe('what a masked column holds', () => {
  /** The values as they are, and in shapes that functions could give them. */
  const shapes = PLANTED.flatMap((value) => [
    value,
    value.toUpperCase(),
    [...value].reverse().join(''),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('base64').replaceAll('=', ''),
    value.replaceAll('-', ''),
  ])
  const holds = (bytes: Buffer) => shapes.filter((shape) => bytes.includes(shape))

  // Written in two pieces, because the question is recorded too.
  const parts = PLANTED.map((value) => `concat('${value.slice(0, 6)}', '${value.slice(6)}')`)
  const counts = parts.map(
    (part, i) => `countIf(position(toString(tuple(*)), ${part}) > 0) AS c${i}`,
  )
  const counted = `SELECT count() AS n, ${counts.join(', ')} FROM events`

  test('is in no byte that a client got', () => {
    const masked = cases.filter((one) => one.mask)
    expect(masked.length).toBeGreaterThan(150)
    const leaks = masked.flatMap((one) =>
      FORMS.flatMap((form) => {
        const played = plays.get(`${one.id}:${form}`)
        const found = played === undefined ? [] : holds(played.received)
        return found.length === 0 ? [] : [[one.id, form, found]]
      }),
    )
    expect(leaks).toEqual([])
  })

  test('is in no log, spool, state, record or metric', async () => {
    const rows = await gateway.eventually(counted, ([row]) => Number(row?.n) > 1000, 20_000)
    expect(rows.map(({ c0, c1, c2 }) => [c0, c1, c2].map(Number))).toEqual([[0, 0, 0]])
    expect(Number(rows[0]?.n)).toBeGreaterThan(1000)
    const token = readFileSync(join(gateway.data, 'operator.token'), 'utf8').trim()
    const metrics = await fetch(`${gateway.controlUrl}/metrics`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const text = await metrics.text()
    expect(metrics.status).toBe(200)
    expect(text).toContain('sluice_actions_total')
    expect(holds(Buffer.from(text + gateway.output()))).toEqual([])
    expect(filesWith(gateway.data, holds)).toEqual([])
  }, 180_000)

  test('is there for whoever has no mask, and found by the same search', async () => {
    const { received } = await play(gateway.url(tokens.bare!, 'unmasked'), {
      id: 'clear-read',
      form: 'simple',
      texts: ['SELECT email, ssn, card FROM customers WHERE id = 77'],
    })
    expect(holds(received).length).toBeGreaterThanOrEqual(PLANTED.length)
    expect(filesWith(gateway.data, holds)).not.toEqual([])
    await gateway.eventually(counted, ([row]) => Number(row?.c0) > 0)
  })
})
