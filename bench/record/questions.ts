/**
 * IO (processes, files, the clock). How long auditors wait: the twenty questions, and searches, on a record of millions of
 * events made by generate.sql in the embedded engine, asked the way that the API asks them, sandbox included.
 *
 *   node dist/bench/record/questions.js [--events 50000000] [--folder DIR] [--seconds 90]
 *
 * With a folder what was made there is kept and used again; with --seconds it makes events for about so long, asks nothing,
 * and is called again. Events go 42 days back for every 50 million. Not measured: a server of several machines, and a gateway
 * that works at the same time.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import type { Row } from '../../src/record/clickhouse.ts'
import { startShipping } from '../../src/record/ship-thread.ts'
import { builtInQuestions } from '../../src/replay/built-in.ts'
import { fillQuestion } from '../../src/replay/questions.ts'
import type { SearchFilter } from '../../src/replay/search.ts'
import { Store } from '../../src/replay/store.ts'
import { built } from '../../test/lib/gateway.ts'
import { median } from '../judge.ts'

const ROUNDS = 3
/** Sessions of one INSERT: some seconds. */
const PIECE = 2000
/** What a session has on average. */
const EVENTS_OF_SESSION = 280
/** 90 days for 360,000 sessions. */
const STEP_MS = 21_600
const DAY_MS = 86_400_000

const { values: given } = parseArgs({
  options: {
    events: { type: 'string', default: '50000000' },
    folder: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'sluice-questions-'))
const ship = startShipping(
  {
    instance: '01KAMADE000000000000000000',
    gateway: 'bench',
    spoolFolder: join(folder, 'spool'),
    retention: { days: 400, connections: {} },
    store: { embedded: true, folder: join(folder, 'clickhouse') },
    chainFolder: join(folder, 'chain'),
  },
  (_, text) => process.stderr.write(`${text}\n`),
  built('workers/engine.js'),
)
const { port1, port2 } = new MessageChannel()
ship.attach(port1)
const store = new Store(port2)
/**
 * Until there are as many: sessions that a former run has made are counted, and not made again. False: the time was over
 * before, between two inserts.
 */
async function fill(events: number, msMax: number): Promise<boolean> {
  const client = await ship.store.ready()
  const file = built('bench/record/generate.sql')
  const [shapes = '', insert = ''] = readFileSync(file, 'utf8')
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
  await client.command({ sql: shapes })
  const endMs =
    (await endOf((sql) => client.query({ sql }))) ?? Math.floor(Date.now() / DAY_MS) * DAY_MS
  for (;;) {
    const [row] = await client.query({
      sql: "SELECT count() AS events, countIf(kind = 'login') AS sessions FROM sluice.events",
    })
    if (Number(row?.events) >= events) return true
    if (performance.now() > msMax) return false
    const first = Number(row?.sessions)
    process.stderr.write(`${row?.events} events\n`)
    await client.command({
      sql: insert,
      params: {
        first,
        last:
          first +
          Math.min(PIECE, 1 + Math.ceil((events - Number(row?.events)) / EVENTS_OF_SESSION)),
        end_ms: endMs,
        step_ms: STEP_MS,
      },
      settings: { max_execution_time: 110 },
    })
  }
}

/** When the newest session began, at midnight; undefined: nothing was made yet. */
async function endOf(ask: (sql: string) => Promise<readonly Row[]>): Promise<number | undefined> {
  const [row] = await ask(
    "SELECT toUnixTimestamp64Milli(max(ts)) AS ms FROM sluice.events WHERE kind = 'login'",
  )
  const days = Math.floor(Number(row?.ms) / DAY_MS)
  return days > 0 ? days * DAY_MS : undefined
}

/** What stands in the blanks: neither the most frequent nor what is not there. */
const VALUES: Readonly<Record<string, string>> = {
  subject: 'agent-007',
  job: 'job-9000',
  object: 'public.orders_18',
  words: 'field_781 orders',
  rule: 'finance/no-export',
  what: 'iban',
  connection: 'billing_3',
}

const searches = (endMs: number): Readonly<Record<string, SearchFilter>> => ({
  'the newest': {},
  'a frequent word': { text: 'update' },
  'a rare word, all of the time': { text: 'field_781' },
  'a word of one statement in all': { text: 'ref_that_is_nowhere' },
  'a phrase': { text: '"set field_781 ="' },
  'an object': { object: 'public.orders_18' },
  'a subject': { subject: 'agent-007' },
  'a job': { job: 'job-9000' },
  'a rule': { rule: 'finance/no-export' },
  'what was refused': { verdict: 'denied' },
  'a detector': { detector: 'iban' },
  'a detector, an object and a subject': {
    detector: 'iban',
    object: 'public.customers',
    subject: 'agent-007',
  },
  'what there was until a month ago': { untilUs: (endMs - 30 * DAY_MS) * 1000, text: 'delete' },
  'a rare word of a rare subject': { text: 'field_1001', subject: 'agent-250' },
})

async function report(): Promise<void> {
  const [row] = await store.query(
    "SELECT count() AS events, dateDiff('day', min(ts), max(ts)) AS days FROM sluice.events",
  )
  process.stdout.write(
    `${Number(row?.events).toLocaleString('en')} events of ${row?.days} days\n\n`,
  )
  // What was made on another day is asked as if it were that day.
  const endMs = (await endOf((sql) => store.query(sql))) ?? Date.now()
  process.stdout.write('| | first, s | median, s | rows |\n| --- | ---: | ---: | ---: |\n')
  for (const question of builtInQuestions()) {
    const needed = question.fields.filter((field) => field.default === undefined)
    const values = new Map(needed.map(({ name }) => [name, VALUES[name] ?? '']))
    const filled = fillQuestion(question, values, endMs)
    if ('problems' in filled) throw new Error(filled.problems.join(', '))
    await line(`${question.number}. ${question.name}`, async () => {
      const answer = await store.audit(filled.sql)
      return answer.type === 'rows' ? String(answer.rows.length) : answer.say.split('\n', 1)[0]!
    })
  }
  for (const [name, given] of Object.entries(searches(endMs))) {
    const filter = { untilUs: endMs * 1000, ...given }
    await line(`search: ${name}`, async () => {
      const { rows } = await store.search(filter, { after: undefined, limit: 100 })
      return String(rows.length)
    })
  }
  await line('sessions list', async () => String((await store.sessions({ limit: 100 })).length))
}

async function line(name: string, ask: () => Promise<string>): Promise<void> {
  const seconds: number[] = []
  let rows = ''
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now()
    rows = await ask()
    seconds.push((performance.now() - begin) / 1000)
  }
  const [first = 0] = seconds
  process.stdout.write(
    `| ${name} | ${first.toFixed(2)} | ${median(seconds).toFixed(2)} | ${rows} |\n`,
  )
}

try {
  const isWhole = await fill(Number(given.events), 1000 * Number(given.seconds ?? Infinity))
  if (isWhole && given.seconds === undefined) await report()
} finally {
  store.close()
  await ship.stop(0)
  if (given.folder === undefined) rmSync(folder, { recursive: true, force: true })
}
