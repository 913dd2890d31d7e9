import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CANONICAL, CANONICAL_COLUMNS, Runs } from '../../src/record/canonical.ts'
import { COLUMNS } from '../../src/record/columns.ts'
import { RowBuffer, sessionSpan, shapeSpans } from '../../src/record/encode.ts'
import { CONTENT_COLUMNS } from '../../src/record/row-binary.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

const FOLDER = new URL('../../src/record/schema/', import.meta.url)
const SCHEMA = readdirSync(FOLDER).filter((name) => name.endsWith('.sql'))
const SALT = new Uint8Array(16).fill(7)

interface Row {
  readonly session: string
  readonly seq: number
  readonly rows: number
  readonly params: readonly string[]
  readonly payload: Buffer
}

/** The same row by the description of RowBinary alone. */
function rowBinary({ session, seq, rows, payload }: Row): { events: Buffer; contents: Buffer } {
  const values: Record<string, unknown> = {
    ...Object.fromEntries(
      COLUMNS.map(([name, type]) => [name, type === 'String' ? '' : type.startsWith('A') ? [] : 0]),
    ),
    session_id: session,
    instance: 'i',
    protocol: 'postgres',
    connection: 'demo',
    target_database: 'demo',
    subject: 'ci',
    kind_of_identity: 'workload',
    owner: 'ann',
    job: 'nightly',
    run: '1',
    agent: 'coder',
    job_verified: 1,
    client_ip: '127.0.0.1',
    roles: ['agents'],
    kind: 'outcome',
    class: SHAPE.class,
    verb: SHAPE.verb,
    verdict: SHAPE.verdict,
    policy_version: 7,
    ts: 1_700_000_000_000_000,
    seq,
    action_seq: 1,
    job_seq: 2,
    rows,
    bytes_down: 512,
    upstream_us: 800,
    gateway_us: 40,
    status: 'ok',
    payload,
  }
  const text = (value: unknown) => {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value))
    return Buffer.concat([length(bytes.length), bytes])
  }
  const one = ([name, type]: readonly [string, string]) => {
    const value = values[name]
    if (type === 'String') return text(value)
    if (type === 'Bool') return Buffer.from([Number(value)])
    if (type === 'Array(String)') {
      const list = value as string[]
      return Buffer.concat([length(list.length), ...list.map(text)])
    }
    if (type.startsWith('Map')) return length(0)
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt(value as number))
    return number
  }
  const isContent = ([name]: readonly [string, string]) => CONTENT_COLUMNS.includes(name)
  return {
    events: Buffer.concat(CANONICAL_COLUMNS.filter((one) => !isContent(one)).map(one)),
    contents: Buffer.concat(CANONICAL_COLUMNS.filter(isContent).map(one)),
  }
}

function length(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) return Buffer.from(bytes)
  }
}

/** As a session worker writes it. */
function block(rows: readonly Row[]): Buffer {
  const buffer = new RowBuffer(0, 1 << 16)
  const shape = shapeSpans(SHAPE, 'hash')
  for (const { session, seq, rows: count, payload } of rows) {
    const span = sessionSpan(facts('i', { sessionId: session }))
    const head = { at: 1_700_000_000_000_000, seq, action: 1, job: 2 }
    buffer.outcome([span, shape.outcome], head, { ...OUTCOME, rows: count, payload })
  }
  return Buffer.from(buffer.bytes.subarray(0, buffer.size))
}

test('columns of another form of a row are another canonical encoding', () => {
  // Changed: then CANONICAL is 2, the verifier reads both, and this is the digest of the new list.
  expect(CANONICAL).toBe(1)
  const columns = CANONICAL_COLUMNS.map(([name, type]) => `${name} ${type}`).join(',')
  expect(hash('sha256', columns).substring(0, 16)).toBe('d1e3551e8ac238d6')
})

test('every column of the table is covered, but what is computed and what the README names', () => {
  const sql = SCHEMA.map((name) => readFileSync(new URL(name, FOLDER), 'utf8')).join('\n')
  const [, events = ''] = /TABLE IF NOT EXISTS \{database\}\.events\n\(\n([\s\S]*?)\n\)\n/.exec(
    sql,
  )!
  const made = [...events.matchAll(/^ {4}(\w+) (?!.* ALIAS )/gm)].map(([, name]) => name)
  const added = [
    ...sql.matchAll(/ALTER TABLE \{database\}\.events ADD COLUMN (?:IF NOT EXISTS )?(\w+)/g),
  ]
  const columns = [...made, ...added.map(([, name]) => name)].filter((name) => name !== 'INDEX')
  const covered = CANONICAL_COLUMNS.map(([name]) => name)
  expect(columns.filter((name) => !covered.includes(name as never))).toEqual(['segment'])
  expect(covered.filter((name) => !columns.includes(name))).toEqual([])
})

test('runs are ClickHouse’s RowBinary of their rows, hashed, whatever the order of sessions', () => {
  const row = fc.record({
    session: fc.constantFrom('s1', 's2', 'a-much-longer-session-name-of-forty-bytes'),
    rows: fc.oneof(fc.nat(300), fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 200, max: 80_000 }).map((size) => new Uint8Array(size).fill(size & 255)),
    ),
  })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), fc.nat(3), (given, cut) => {
      const seqs = new Map<string, number>()
      const rows = given.map(({ session, rows, payload }) => {
        const seq = (seqs.get(session) ?? 0) + 1
        seqs.set(session, seq)
        return { session, seq, rows, params: [], payload: Buffer.from(payload) }
      })
      const runs = new Runs(() => SALT)
      runs.add(block(rows.filter((_, at) => at < cut)))
      runs.add(block(rows.filter((_, at) => at >= cut)))
      const made = runs.take().map(({ run }) => run)
      expect(new Set(made.map(({ session }) => session)).size).toBe(made.length)
      for (const { session, first, last, events, contents, hints } of made) {
        const own = rows.filter((one) => one.session === session).map(rowBinary)
        expect([first, last]).toEqual([1, own.length])
        expect(events).toBe(hash('sha256', Buffer.concat(own.map((one) => one.events))))
        const said = Buffer.concat([SALT, ...own.map((one) => one.contents)])
        expect(contents).toBe(hash('sha256', said))
        const sums = own.map((one) => crc32(Buffer.concat([one.events, one.contents])))
        expect(hints).toBe(sums.map((sum) => sum.toString(16).padStart(8, '0')).join(''))
      }
    }),
    { numRuns: 60 },
  )
})

test('a gap in the numbers begins another run', () => {
  const row = (seq: number) => ({
    session: 's',
    seq,
    rows: 1,
    params: [],
    payload: Buffer.alloc(0),
  })
  const runs = new Runs(() => SALT)
  runs.add(block([row(1), row(2), row(5), row(6)]))
  const made = runs.take().map(({ run: { first, last } }) => [first, last])
  expect(made).toEqual([
    [1, 2],
    [5, 6],
  ])
  expect(runs.take()).toEqual([])
  const apart = [1, 5].map((first) => {
    const alone = new Runs(() => SALT)
    alone.add(block([row(first), row(first + 1)]))
    return alone.take()[0]!.run
  })
  expect(runsOf(runs, [row(1), row(2), row(5), row(6)])).toEqual(apart)
})

function runsOf(runs: Runs, rows: readonly Row[]) {
  runs.add(block(rows))
  return runs.take().map(({ run }) => run)
}

test('a row that is cut off leaves nothing behind, and those before it stay', () => {
  const row = (seq: number, session: string) => ({
    session,
    seq,
    rows: 1,
    params: [],
    payload: Buffer.from('p'),
  })
  const [one, two] = [row(1, 's'), row(2, 's')]
  const whole = block([one, two])
  const first = block([one]).length
  for (let end = 1; end < whole.length; end++) {
    if (end === first) continue
    const runs = new Runs(() => SALT)
    expect(() => runs.add(whole.subarray(0, end))).toThrow()
    const expected = new Runs(() => SALT)
    if (end > first) expected.add(block([one]))
    else runs.add(block([one]))
    runs.add(block([two]))
    if (end < first) expected.add(block([one]))
    expected.add(block([two]))
    expect(runs.take()).toEqual(expected.take())
  }
})

test('action rows and everything else that encode.ts writes are read to the end', () => {
  const buffer = new RowBuffer(0, 1 << 12)
  const [span, shape] = [sessionSpan(facts('i')), shapeSpans(SHAPE, 'hash')]
  const head = { at: 1, seq: 1, action: 1, job: 2 }
  const params = ['', 'ü', 'x'.repeat(300), '42']
  buffer.action([span, shape.action], head, { ...TIMES, params, bytesUp: 70_000 })
  const masked = new Map([['public.a', 5]])
  buffer.outcome([span, shape.outcome], { ...head, seq: 2 }, { ...OUTCOME, masked })
  const runs = new Runs(() => SALT)
  runs.add(Buffer.from(buffer.bytes.subarray(0, buffer.size)))
  expect(runs.take()).toMatchObject([{ run: { first: 1, last: 2 } }])
})

test('noise throws, and does not hang', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (noise) => {
      expect(() => new Runs(() => SALT).add(Buffer.from(noise))).toThrow()
    }),
  )
})

test('among rows that name their session by number none has its columns, and 0 is no number', () => {
  const { action } = shapeSpans(SHAPE, '')
  const session = sessionSpan(facts('i'))
  const rows = new RowBuffer(0, 4096)
  rows.action([session, action], { at: 1, seq: 1, action: 1, job: 1 }, TIMES)
  const whole = Buffer.from(rows.bytes.subarray(0, rows.size))
  const names = new Map([[7, session]])
  const named = Buffer.concat([Buffer.from([7]), whole.subarray(session.length)])
  const all = (bytes: Buffer) => [0, bytes.length] as const
  const runs = new Runs(() => SALT)
  runs.add(named, all(named), names)
  runs.add(whole)
  expect(() => runs.add(whole, all(whole), names)).toThrow('without a number')
  const zero = Buffer.concat([Buffer.from([0]), whole])
  for (const known of [names, new Map<number, Buffer>()])
    expect(() => runs.add(zero, all(zero), known)).toThrow('stands for nothing')
  const shape = Buffer.concat([Buffer.from([7, 0]), whole.subarray(session.length)])
  expect(() => runs.add(shape, all(shape), names)).toThrow('stands for nothing')
})
