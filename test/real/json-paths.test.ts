import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../lib/stage.ts'
import { bind, execute, type Message, parse, query, SYNC, WireClient } from '../lib/wire-client.ts'

/**
 * Parts of JSON documents under masks, on a real server: random statements over documents whose masked parts change while
 * everything else stays must be answered, or refused, alike.
 */
const POLICY = `
apiVersion: sluice/v1
kind: Policy
name: parts
applies: { connections: [hidden] }
masks:
  - columns: ["public.docs.d->'card'", "public.docs.d->'a'->'b'", "public.docs.j->'card'", "public.docs.j->'a'->'b'",
      "public.docs.many->'card'", "public.docs.many->'a'->'b'", "public.docs.t->'card'"]
    with: redact
`

let stage: Stage
let seed = Number(process.env.SLUICE_SEED ?? 20261121)
const RUNS = Number(process.env.SLUICE_FUZZ_RUNS ?? 120)

function random(below: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
  return Math.floor((seed / 0x80000000) * below)
}
function pick<T>(list: readonly T[]): T {
  return list[random(list.length)]!
}

/** What stands in a masked place: of any kind, with keys that are masked or asked for elsewhere. */
function hidden(of: string): unknown {
  return pick<() => unknown>([
    () => `zq-${of}-${random(1000)}`,
    () => random(100000),
    () => null,
    () => [],
    () => [`zq-${of}`, { card: `zq-${of}`, other: random(9) }],
    () => ({ card: `zq-${of}`, other: `zq-${of}`, b: { c: random(5) } }),
    () => 'x',
    () => true,
  ])()
}

/** A document without its masked parts; the same at each call. */
const SHAPES: readonly ((hide: () => unknown) => unknown)[] = [
  (hide) => ({ other: 1, card: hide(), a: { b: hide(), c: 'x' }, items: [{ other: 1 }] }),
  (hide) => ({ other: 'x', a: [{ b: hide(), c: 2 }, { c: 3 }], items: [1, 2] }),
  (hide) => [{ card: hide(), other: 2 }, { other: 'y' }],
  (hide) => ({ card: hide(), other: { card: 'clear', b: 1 }, c: '7' }),
  (hide) => ({ a: { b: hide(), items: { card: 1 } }, 'it"s': 2 }),
  () => ({ other: null, a: 5 }),
  () => [],
  () => 'text',
  (hide) => [[{ card: hide() }], 7, { a: { b: hide(), other: 1 } }],
]

function fill(of: string): void {
  const rows = SHAPES.map((shape, id) => {
    const [d, j, one] = [0, 1, 2].map(() => JSON.stringify(shape(() => hidden(of))))
    const text = (json: string | undefined) => `'${json!.replaceAll("'", "''")}'`
    return `(${id}, ${text(d)}, ${text(j)}, ARRAY[${text(one)}, NULL]::jsonb[], ${text(d)})`
  })
  stage.server.sql(
    `TRUNCATE docs; INSERT INTO docs VALUES ${rows.join(', ')}; ANALYZE docs`,
    'shop',
  )
}

beforeAll(async () => {
  stage = await startStage({ gateway: { policies: { 'parts.yaml': POLICY } }, aliases: ['hidden'] })
  stage.server.sql(
    `SET SESSION AUTHORIZATION app; CREATE TABLE docs (id int PRIMARY KEY, d jsonb, j json, many jsonb[], t text)`,
    'shop',
  )
})
afterAll(() => stage?.stop())

const KEYS = ['card', 'a', 'b', 'c', 'other', 'items', '0', '1', 'nosuch']

function step(): string {
  const key = pick(KEYS)
  return pick([`'${key}'`, `'${key}'`, `'${key}'::text`, String(random(3)), `'${key}'`])
}

/** An expression over the document; `any`: it may be of any type. */
function reads(depth = 0): string {
  const base = depth > 0 && random(3) > 0 ? `(${reads(depth - 1)})` : pick(['d', 'd', 'docs.d'])
  const path = Array.from({ length: 1 + random(3) }, () => pick(KEYS))
  return pick([
    `${base}->${step()}`,
    `${base}->${step()}`,
    `${base}#>'{${path.join(',')}}'`,
    `${base}#>ARRAY['${path.join("','")}']`,
    `(${base})[${step()}]`,
    `jsonb_extract_path(${base}, '${path.join("', '")}')`,
  ])
}

function texts(depth: number): string {
  const inner = reads(depth)
  return pick([
    `(${inner})->>${step()}`,
    `(${inner})#>>'{${pick(KEYS)}}'`,
    `(${inner})::text`,
    `jsonb_typeof(${inner})`,
    `upper((${inner})->>'other')`,
    `jsonb_extract_path_text(${inner}, '${pick(KEYS)}')`,
  ])
}

function asks(): string {
  const inner = reads(random(2))
  const sample = JSON.stringify({
    [pick(KEYS)]: pick([1, 'x', {}, { [pick(KEYS)]: 1 }, [{ other: 2 }]]),
  })
  return pick([
    `${pick(['d', `(${inner})`])} ? '${pick(KEYS)}'`,
    `${pick(['d', `(${inner})`])} @> '${sample}'`,
    `${pick(['d', `(${inner})`])} @> '[${sample}]'`,
    `(${texts(random(2))}) = '${pick(['x', '1', '"x"'])}'`,
    `(${inner}) IS NULL`,
    `(${inner}) = '${pick(['1', '"x"', '{}', 'null'])}'`,
    `${pick(['d', `(${inner})`])} <@ '${sample}'`,
    `d @? '$.${pick(['card', 'other'])}'`,
  ])
}

function statement(): string {
  return pick([
    () => `SELECT id, ${reads(random(3))} AS v FROM docs`,
    () => `SELECT id, ${texts(random(3))} AS v FROM docs`,
    () => `SELECT id, d, many FROM docs WHERE ${asks()}`,
    () => `SELECT id, ${asks()} AS v FROM docs`,
    () => `SELECT id FROM docs WHERE ${asks()} AND ${asks()}`,
    () => `SELECT id, j, ${reads(1)} FROM docs ORDER BY ${texts(1)}, id`,
    () => `SELECT ${texts(1)} AS k, count(*), count(d) FROM docs GROUP BY 1`,
    () => `SELECT DISTINCT ${reads(1)} FROM docs`,
    () => `SELECT id, v FROM (SELECT id, d AS e FROM docs) x, LATERAL (SELECT e->${step()} AS v) y`,
    () =>
      `WITH w AS (SELECT d FROM docs) SELECT d->>${step()} FROM w UNION ALL SELECT ${texts(1)} FROM docs`,
    () =>
      `SELECT id, jsonb_array_elements(${reads(1)}) FROM docs WHERE jsonb_typeof(${reads(1)}) = 'array'`,
    () => `SELECT id, i FROM docs, jsonb_path_query(d, '$.other') i`,
    () => `SELECT id, (${texts(1)})::int FROM docs`,
    () => `SELECT id, CASE WHEN ${asks()} THEN ${texts(0)} ELSE 'none' END FROM docs`,
    () =>
      `SELECT max(${texts(1)}), jsonb_agg(d), row_to_json(docs)::text FROM docs GROUP BY docs.*`,
    () => `SELECT * FROM docs`,
    () => `SELECT id, many, many[1]->'other', t, j->'other' FROM docs`,
    () => `SELECT d || '{}', d - 'card', jsonb_pretty(d) FROM docs`,
    () => `COPY (SELECT id, d, ${reads(1)} FROM docs ORDER BY id) TO STDOUT`,
    () => `COPY (SELECT id, d, many, ${reads(1)} FROM docs ORDER BY id) TO STDOUT (FORMAT binary)`,
    () => `COPY docs TO STDOUT (FORMAT ${pick(['text', 'csv', 'binary'])})`,
    () => `UPDATE docs SET d['${pick(KEYS)}'][${step()}] = '1' RETURNING d->'other'`,
    () => `UPDATE docs SET id = id WHERE ${asks()} RETURNING d, ${texts(1)}`,
  ])()
}

function shown(answers: readonly Message[]): string[] {
  const lines = answers
    .filter(({ kind }) => 'DdCE'.includes(kind))
    .map(({ kind, body }) => {
      // Refusals name the action's own id.
      const text = body.toString('latin1').replace(/"request":"[^"]*"/, '')
      return `${kind} ${text}`
    })
  return lines.sort()
}

interface Answer {
  readonly text: string
  readonly lines: readonly string[]
}

async function answersTo(statements: readonly string[]): Promise<Answer[]> {
  const client = await WireClient.login(stage.url('write', 'hidden'))
  const all: Answer[] = []
  for (const [at, text] of statements.entries()) {
    // Every other one by the extended protocol, its values in binary.
    const isPlain = at % 2 === 0 || text.startsWith('COPY')
    const frames = isPlain ? [query(text)] : [parse(text), bind({ binary: true }), execute(), SYNC]
    await client.ask(query('BEGIN'))
    all.push({ text, lines: shown(await client.ask(...frames)) })
    await client.ask(query('ROLLBACK'))
  }
  expect(leaks(client.received)).toEqual([])
  client.end()
  return all
}

function leaks(bytes: Buffer): string[] {
  return bytes.toString('latin1').match(/zq-[a-z]+/g) ?? []
}

test('statements over documents that differ in masked parts alone are answered alike', async () => {
  const statements = Array.from({ length: RUNS }, statement)
  fill('one')
  const first = await answersTo(statements)
  fill('two')
  const second = await answersTo(statements)
  for (const [at, answer] of first.entries()) expect(second[at]).toEqual(answer)
  const refused = first.filter(({ lines }) => lines.some((line) => line.includes('C42501'))).length
  const failed = first.filter(({ lines }) => lines.some((line) => line.startsWith('E'))).length
  console.log(
    `${first.length} statements: ${refused} refused, ${failed - refused} errors of the target`,
  )
  expect(first.length - failed).toBeGreaterThan(RUNS / 5)
}, 180_000)

test('the rest of a document is there, in every form', async () => {
  stage.server.sql(
    `TRUNCATE docs; INSERT INTO docs SELECT 1, d, d::json, ARRAY[d, NULL], d::text
       FROM (SELECT '{"card": "zq-one", "other": {"n": [1, 2]}, "a": {"b": "zq-one", "c": 1}}'::jsonb AS d) x`,
    'shop',
  )
  const document = '{"a": {"b": "****", "c": 1}, "card": "****", "other": {"n": [1, 2]}}'
  const array = `{"${document.replaceAll('"', '\\"')}",NULL}`
  const client = await WireClient.login(stage.url('read', 'hidden'))
  const [, row] = shown(await client.ask(query('SELECT d, j, many, t FROM docs')))
  expect(row).toContain(document)
  expect(row?.split(document)).toHaveLength(3)
  expect(row).toContain(array)
  const binary = await client.ask(
    parse('SELECT d, j, many, t FROM docs'),
    bind({ binary: true }),
    execute(),
    SYNC,
  )
  const [, values] = shown(binary)
  expect(values?.split(document)).toHaveLength(4)
  expect(values).toContain(`\u0001${document}`)
  const [, csv] = shown(await client.ask(query('COPY docs (d, many) TO STDOUT (FORMAT csv)')))
  expect(csv).toContain(`"${document.replaceAll('"', '""')}"`)
  expect(leaks(client.received)).toEqual([])
  client.end()
}, 180_000)

test('what was shown is not written back, and other documents are', async () => {
  const client = await WireClient.login(stage.url('write', 'hidden'))
  for (const [value, code] of [
    ['{"card": "****", "other": 1}', '42501'],
    ['[{"a": {"b": "****"}}]', '42501'],
    ['{"card": "new", "other": "****"}', undefined],
  ] as const) {
    const frames = [
      parse('UPDATE docs SET d = $1 WHERE id = 1'),
      bind({ values: [value] }),
      execute(),
      SYNC,
    ]
    const error = (await client.ask(...frames)).find(({ kind }) => kind === 'E')
    expect([value, error && /\0C(\w{5})/.exec(error.body.toString())?.[1]]).toEqual([value, code])
  }
  client.end()
}, 180_000)

test('the record tells how many parts were masked, and of which path', async () => {
  const [row] = await stage.gateway.eventually(
    `SELECT toString(masked) AS masked FROM events WHERE position(toString(masked), 'docs.d->') > 0 LIMIT 1`,
    (rows) => rows.length === 1,
  )
  expect(String(row?.masked).replaceAll('\\', '')).toContain("public.docs.d->'card'")
  expect(leaks(Buffer.from(stage.gateway.output()))).toEqual([])
}, 180_000)
