/**
 * IO. How fast rows are masked (performance P4, the masker's part): 1 M rows of six columns, one masked, detectors on
 * two text columns; no sockets, no recording. `node dist/bench/micro/mask-rows.js [rows]` prints MB/s of source rows
 * per core, the median of seven rounds after two. `varied`: no two values are alike (varied.ts), and detectors read
 * five of the columns.
 */
import { ByteSink } from '../../src/base/bytes.ts'
import { DetectorSet, KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import type { FieldPlan, RowPlan } from '../../src/mask/plan.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'
import { RowMasker } from '../../src/protocols/postgres/mask.ts'
import { variedRows } from './varied.ts'

const CHUNK_ROWS = 512
const ROUNDS = 9
const REDACT: Transform = { type: 'redact' }
const NOTES = [
  'Left the parcel with the neighbour on the second floor',
  'asked for a refund of order 20417, paid on 12 May',
  'VIP',
  'prefers to be called in the morning; speaks French and some German',
]

/** A chunk of DataRows: id, name, email, city, note, created; a share of the notes holds an address. */
function chunk(hitsPercent: number): Buffer {
  const rows: string[][] = []
  for (let id = 0; id < CHUNK_ROWS; id++) {
    const hit = id % 100 < hitsPercent ? ' mail agent@mail.example' : ''
    rows.push([
      String(100_000 + id),
      `Customer Name ${id}`,
      `customer.${id}@mail.example`,
      'Springfield, Long Street 17',
      NOTES[id % NOTES.length]! + hit,
      '2024-05-12 10:11:12.123456+00',
    ])
  }
  return framed(rows)
}

function framed(rows: readonly (readonly string[])[]): Buffer {
  const sink = new ByteSink(1 << 17)
  for (const values of rows) {
    const start = sink.size
    sink.u8(0x44)
    sink.i32(0)
    sink.u16(values.length)
    for (const value of values) {
      sink.i32(value.length)
      sink.append(Buffer.from(value))
    }
    sink.bytes.writeInt32BE(sink.size - start - 1, start + 1)
  }
  return Buffer.from(sink.view())
}

function masked(transform: Transform): FieldPlan {
  const name = 'public.customers.email'
  return { by: 'column', transform, family: 'text', format: 0, lengthMax: 0, monitor: false, name }
}

const DETECTED: FieldPlan = { by: 'detector', family: 'text', format: 0 }

function setOf(names: readonly string[]): DetectorSet {
  return new DetectorSet(names.map((detector) => ({ detector, with: REDACT, monitor: false })))
}

const EVERY = setOf([...KNOWN_DETECTORS.keys()])
const TEN = setOf([
  ...['credit_card', 'email', 'iban', 'us_ssn', 'jwt', 'private_key', 'aws_key', 'github_token'],
  ...['slack_token', 'high_entropy'],
])

function rowsIn(source: Buffer): number {
  let count = 0
  for (let at = 0; at < source.length; at += source.readInt32BE(at + 1) + 1) count++
  return count
}

function round(masker: RowMasker, source: Buffer, rows: number): number {
  const sink = new ByteSink(1 << 18)
  const step = rowsIn(source)
  const start = performance.now()
  const span = { start: 0, end: source.length }
  for (let done = 0; done < rows; done += step) {
    sink.clear()
    if (!masker.mayChange(source, 0, source.length)) continue
    if (masker.maskRows(source, span, sink) !== source.length) throw new Error('malformed')
  }
  return performance.now() - start
}

interface Work {
  readonly rows: number
  readonly source: Buffer
  readonly detectors?: DetectorSet
}

function measure(title: string, plan: RowPlan, work: Work): void {
  const { source, detectors = TEN } = work
  const context = {
    detectors,
    key: Buffer.alloc(32),
    tally: new Map(),
    applies: 'enforced',
  } as const
  const masker = new RowMasker(plan, context)
  const times: number[] = []
  for (let index = 0; index < ROUNDS; index++) times.push(round(masker, source, work.rows))
  const median = times.slice(2).sort((one, other) => one - other)[(ROUNDS - 3) >> 1]!
  const megabytes = (source.length / rowsIn(source)) * work.rows * 1e-6
  const nanoseconds = (median * 1e6) / work.rows
  console.log(
    `${title.padEnd(44)} ${((megabytes / median) * 1000).toFixed(0).padStart(5)} MB/s` +
      ` ${nanoseconds.toFixed(0).padStart(6)} ns/row`,
  )
}

const rows = Number(process.argv[2] ?? 1_000_000)
const none = undefined
const two = [none, none, none, DETECTED, DETECTED, none]
const both = [none, none, masked(REDACT), DETECTED, DETECTED, none]
const plain = chunk(0)
measure('column', [none, none, masked(REDACT), none, none, none], { rows, source: plain })
measure('detectors on two, no hit', two, { rows, source: plain })
measure('column + detectors on two (P4)', both, { rows, source: plain })
measure('column + detectors on two, 2 % hits', both, { rows, source: chunk(2) })
measure('column + detectors on two, all hit', both, { rows, source: chunk(100) })
const partial = masked({ type: 'partial', keepFirst: 0, keepLast: 4 })
measure('column partial', [none, none, partial, none, none, none], { rows, source: plain })
measure('column hash', [none, none, masked({ type: 'hash' }), none, none, none], {
  rows,
  source: plain,
})
const five = [none, DETECTED, DETECTED, DETECTED, DETECTED, DETECTED]
const varied = framed(variedRows(CHUNK_ROWS * 8))
const some = Math.min(rows, 200_000)
measure('varied, ten detectors', five, { rows: some, source: varied })
measure('varied, all detectors', five, { rows: some, source: varied, detectors: EVERY })
