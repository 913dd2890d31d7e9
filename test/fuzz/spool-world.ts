/**
 * IO (files). A recorder that is told anything, beside a list of the rows that it was told; and rows as ClickHouse's RowBinary,
 * by somebody who has the specification and not our code.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { COLUMNS } from '../../src/record/columns.ts'
import type {
  MomentKind,
  Recorder,
  Recording,
  SessionFacts,
  Shape,
} from '../../src/record/event.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import { makeRunKey, SpoolKeys } from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'

export type Column = unknown
export type Row = readonly Column[]

/** A segment has a MiB, and stretches of a quarter of it. */
const BYTES_MAX = 16 << 20
const LARGE = Buffer.alloc((1 << 20) + 4096, 0x4c)
const CONTENTS = ['statement', 'facts', 'params', 'payload']

const KINDS = ['clear', 'sealed', 'encrypted', 'sealed and encrypted'] as const
export type WorldKind = (typeof KINDS)[number]
export const worldKinds: fc.Arbitrary<WorldKind> = fc.constantFrom(...KINDS)

const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 40, unit: 'grapheme' }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme' }),
        fc.integer({ min: 1, max: 2000 }),
      )
      .map(([one, times]) => one.repeat(times)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      'ok',
      'x'.repeat(31),
      'x'.repeat(32),
      'ä'.repeat(31),
      'y'.repeat(255),
      'z'.repeat(65_536),
    ),
  },
)
const count = fc.oneof(
  fc.nat(300),
  fc.constantFrom(
    0,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
  ),
  fc.maxSafeNat(),
)
const payload = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 400_000 }).map((size) => new Uint8Array(size).fill(0xd9)),
  },
)
const shape = fc.record({
  class: fc.constantFrom('read', 'write'),
  verb: fc.constantFrom('SELECT', 'UPDATE', ''),
  objects: fc.array(anyText, { maxLength: 20 }),
  statement: anyText,
  facts: anyText,
  verdict: fc.constantFrom('allow', 'deny'),
  rule: fc.constantFrom('', 'r1'),
  policyVersion: fc.nat({ max: 2 ** 32 - 1 }),
  requestId: fc.constantFrom('', 'req'),
})
const session = fc.record({
  subject: anyText,
  jobVerified: fc.boolean(),
  roles: fc.array(anyText, { maxLength: 20 }),
})

/** What is done next, to the session and with the shape of these numbers. */
export const op = fc.oneof(
  { weight: 2, arbitrary: session.map((more) => ({ do: 'open' as const, more })) },
  { weight: 2, arbitrary: shape.map((given) => ({ do: 'shape' as const, given })) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('action' as const),
      session: fc.nat(7),
      shape: fc.nat(7),
      params: fc.array(anyText, { maxLength: 18 }),
      count,
      back: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('outcome' as const),
      session: fc.nat(7),
      shape: fc.nat(7),
      count,
      text: anyText,
      masked: fc.dictionary(anyText, count, { maxKeys: 18 }),
      payload,
      cut: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('response' as const),
      session: fc.nat(7),
      shape: fc.nat(7),
      payload,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('moment' as const),
      session: fc.nat(7),
      kind: fc.constantFrom<MomentKind>('login', 'notice', 'own', 'close'),
      text: anyText,
    }),
  },
  { weight: 8, arbitrary: fc.constant({ do: 'flush' as const }) },
)
export type Op = typeof op extends fc.Arbitrary<infer One> ? One : never

interface Given {
  readonly shape: Shape
  readonly columns: Row
}

interface Open {
  readonly recording: Recording
  readonly columns: Row
  seq: number
}

export class World {
  static readonly columns = COLUMNS.length
  static readonly #made = new Map<WorldKind, World>()

  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-spool-'))
  readonly isEncrypted: boolean
  readonly keys: SpoolKeys
  /** What was recorded since `begin`. */
  rows: Row[] = []
  readonly #recorder: Recorder
  #sessions: Open[] = []
  #shapes: Given[] = []
  #id = 0
  #now = 1.7e15
  #job = 0

  private constructor(kind: WorldKind) {
    const key = { id: spoolKeyId(randomBytes(32)), key: randomBytes(32) }
    this.isEncrypted = kind.includes('encrypted')
    this.keys = new SpoolKeys([key])
    this.#recorder = openRecorder({
      ...{ spoolFolder: this.folder, instance: '01FUZZ', thread: 1, bytesMax: BYTES_MAX },
      ...{ recordKey: Buffer.alloc(32, 1), ratchet: kind.includes('sealed') },
      clock: { microseconds: () => this.#now, elapsed: () => this.#now } as never,
      encrypt: this.isEncrypted ? makeRunKey(key) : undefined,
    })
  }

  /** One of a kind: the place in memory of a writer's window stays for the life of the process. */
  static of(kind: WorldKind): World {
    const world = World.#made.get(kind) ?? new World(kind)
    World.#made.set(kind, world)
    return world
  }

  /** Behind the last test: their folders go. */
  static end(): void {
    for (const world of World.#made.values()) {
      world.#recorder.close()
      rmSync(world.folder, { recursive: true, force: true })
    }
    World.#made.clear()
  }

  /** A value that msgpackr has read. */
  static plain(value: Column): Column {
    if (typeof value === 'bigint') return Number(value)
    if (Buffer.isBuffer(value)) return value.toString('latin1')
    return value instanceof Map ? [...value] : value
  }

  /** Nothing is left of what was before: a row that no segment has room for ends the one that is open. */
  begin(): void {
    this.#sessions = []
    this.#shapes = []
    this.#open({ subject: 'first', jobVerified: true, roles: [] })
    this.#shape({
      ...{ class: 'read', verb: 'SELECT', objects: [], statement: 'SELECT 1', facts: '{}' },
      ...{ verdict: 'allow', rule: '', policyVersion: 1, requestId: '' },
    })
    const [one] = this.#sessions
    one!.seq++
    this.#stamp(false)
    one!.recording.response(this.#shapes[0]!.shape, 0, LARGE)
    this.#recorder.flush()
    for (const name of this.#files()) rmSync(join(this.folder, name))
    this.rows = []
  }

  do(one: Op): void {
    if (one.do === 'flush') this.#recorder.flush()
    else if (one.do === 'open') this.#open(one.more)
    else if (one.do === 'shape') this.#shape(one.given)
    else this.#record(one)
  }

  /** All of it is in the kernel's hands: bytes of the files, oldest first. */
  segments(): Buffer[] {
    this.#recorder.flush()
    return this.#files().map((name) => readFileSync(join(this.folder, name)))
  }

  #files(): string[] {
    return readdirSync(this.folder)
      .filter((name) => !name.endsWith('.ratchet'))
      .sort()
  }

  #open(more: Pick<SessionFacts, 'subject' | 'jobVerified' | 'roles'>): void {
    const facts: SessionFacts = {
      ...{ sessionId: `s${++this.#id}`, instance: '01FUZZ', protocol: 'postgres', connection: 'c' },
      ...{ targetDatabase: 'd', kindOfIdentity: 'workload', owner: 'o', job: 'j', run: '1' },
      ...{ agent: 'a', parentAgent: '', clientIp: '::1', groups: ['g', ''], ...more },
    }
    const { subject, jobVerified, roles } = more
    const columns = [
      ...[facts.sessionId, '01FUZZ', 'postgres', 'c', 'd', subject, 'workload', 'o', 'j', '1'],
      ...['a', '', jobVerified, '::1', roles, ['g', '']],
    ]
    this.#sessions.push({ recording: this.#recorder.open(facts), columns, seq: 0 })
  }

  #shape(given: Extract<Op, { do: 'shape' }>['given']): void {
    const { verb, objects, statement, verdict, rule, policyVersion, requestId, facts } = given
    const columns = [
      ...[given.class, verb, objects, statement, '', verdict, rule, policyVersion, requestId],
      facts,
    ]
    this.#shapes.push({ shape: this.#recorder.shape({ ...given, exact: '' }), columns })
  }

  #record(one: Exclude<Op, { do: 'flush' | 'open' | 'shape' }>): void {
    const open = this.#sessions[one.session % this.#sessions.length]!
    const head = this.#stamp('back' in one && one.back)
    const seq = ++open.seq
    if (one.do === 'moment') {
      const shape = [one.kind, '', '', [], '', '', '', '', 0, '', '']
      this.#add(open, shape, [
        head[0],
        seq,
        0,
        head[1],
        ...NO_ACTION,
        0,
        0,
        0,
        0,
        one.text,
        '',
        one.text,
        [],
        false,
        '',
      ])
      open.recording.moment({ kind: one.kind, status: one.text, text: one.text })
      return
    }
    const { shape, columns } = this.#shapes[one.shape % this.#shapes.length]!
    const of = (action: number) => [head[0], seq, action, head[1]]
    const [cls, verb, , , , ...decided] = columns
    const after = [cls, verb, [], '', '', ...decided.filter((_, at) => at < 4), '']
    if (one.do === 'action') {
      const numbers = [one.count, 1, 2, 3]
      this.#add(
        open,
        ['action', ...columns],
        [...of(seq), ...numbers, one.params, 0, 0, 0, 0, '', '', '', [], false, ''],
      )
      open.recording.action(shape, {
        params: one.params,
        bytesUp: one.count,
        parseUs: 1,
        decideUs: 2,
        waitUs: 3,
      })
      return
    }
    const bytes = Buffer.from(one.payload).toString('latin1')
    if (one.do === 'response') {
      this.#add(
        open,
        ['response', ...after],
        [...of(7), ...NO_ACTION, 0, 0, 0, 0, '', '', '', [], false, bytes],
      )
      open.recording.response(shape, 7, one.payload)
      return
    }
    const masked = new Map(Object.entries(one.masked))
    this.#add(
      open,
      ['outcome', ...after],
      [...of(7), ...NO_ACTION, one.count, 5, 6, 7, one.text, 'E', '', [...masked], one.cut, bytes],
    )
    open.recording.outcome(shape, 7, {
      ...{
        status: one.text,
        error: 'E',
        rows: one.count,
        bytesDown: 5,
        upstreamUs: 6,
        gatewayUs: 7,
      },
      ...{ masked, payload: one.payload, payloadCut: one.cut },
    })
  }

  /** The clock goes on, stands still, or is set back; numbers of a job rise. */
  #stamp(isBack: boolean): [number, number] {
    this.#now += isBack ? -1e9 : this.#id % 3
    this.#job = Math.max(this.#now, this.#job + 1)
    return [this.#now, this.#job]
  }

  #add(open: Open, shape: Row, event: Row): void {
    this.rows.push([...open.columns, ...shape, ...event])
  }
}

const NO_ACTION = [0, 0, 0, 0, []]

/** https://clickhouse.com/docs/interfaces/formats/RowBinary: facts of the event, and what may be erased. */
export function rowBinary(row: Row): { events: Buffer; contents: Buffer } {
  const [events, contents]: [Buffer[], Buffer[]] = [[], []]
  for (const [at, [name, type]] of COLUMNS.entries())
    (CONTENTS.includes(name) ? contents : events).push(binary(row[at], type, name === 'payload'))
  return { events: Buffer.concat(events), contents: Buffer.concat(contents) }
}

function binary(value: Column, type: string, isBytes = false): Buffer {
  if (type === 'String') {
    const bytes = Buffer.from(String(value), isBytes ? 'latin1' : 'utf8')
    return Buffer.concat([leb128(bytes.length), bytes])
  }
  if (type === 'Bool') return Buffer.from([value === true ? 1 : 0])
  if (type === 'Array(String)') {
    const list = value as string[]
    return Buffer.concat([leb128(list.length), ...list.map((one) => binary(one, 'String'))])
  }
  if (type.startsWith('Map')) {
    const list = value as [string, number][]
    const pairs = list.flatMap(([key, one]) => [binary(key, 'String'), binary(one, 'UInt64')])
    return Buffer.concat([leb128(list.length), ...pairs])
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value as number))
  return bytes
}

function leb128(value: number): Buffer {
  return value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) + 128]), leb128(Math.floor(value / 128))])
}
