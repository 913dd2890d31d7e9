/**
 * IO. How fast rows are masked (performance P4, the masker's part): 1 M rows of six columns, one masked, detectors on
 * two text columns; no sockets, no recording. `node dist/bench/micro/mask-rows.js [rows]` prints MB/s of source rows
 * per core, the median of seven rounds after two.
 */
import { ByteSink } from '../../src/base/bytes.ts'
import { DetectorSet, KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import type { FieldPlan, RowPlan } from '../../src/mask/plan.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'
import { RowMasker } from '../../src/protocols/postgres/mask.ts'

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
  const sink = new ByteSink(1 << 17)
  for (let id = 0; id < CHUNK_ROWS; id++) {
    const hit = id % 100 < hitsPercent ? ' mail agent@mail.example' : ''
    const values = [
      String(100_000 + id),
      `Customer Name ${id}`,
      `customer.${id}@mail.example`,
      'Springfield, Long Street 17',
      NOTES[id % NOTES.length]! + hit,
      '2024-05-12 10:11:12.123456+00',
    ]
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

const detectors = new DetectorSet(
  [...KNOWN_DETECTORS.keys()].map((detector) => ({ detector, with: REDACT, monitor: false })),
)

function round(masker: RowMasker, source: Buffer, rows: number): number {
  const sink = new ByteSink(1 << 18)
  const start = performance.now()
  const span = { start: 0, end: source.length }
  for (let done = 0; done < rows; done += CHUNK_ROWS) {
    sink.clear()
    if (!masker.mayChange(source, 0, source.length)) continue
    if (masker.maskRows(source, span, sink) !== source.length) throw new Error('malformed')
  }
  return performance.now() - start
}

function measure(title: string, plan: RowPlan, work: { hits: number; rows: number }): void {
  const source = chunk(work.hits)
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
  const megabytes = (source.length / CHUNK_ROWS) * work.rows * 1e-6
  const nanoseconds = (median * 1e6) / work.rows
  console.log(
    `${title.padEnd(44)} ${((megabytes / median) * 1000).toFixed(0).padStart(5)} MB/s` +
      ` ${nanoseconds.toFixed(0).padStart(6)} ns/row`,
  )
}

const rows = Number(process.argv[2] ?? 1_000_000)
const none = undefined
const both = [none, none, masked(REDACT), DETECTED, DETECTED, none]
measure('column', [none, none, masked(REDACT), none, none, none], { hits: 0, rows })
measure('detectors on two, no hit', [none, none, none, DETECTED, DETECTED, none], { hits: 0, rows })
measure('column + detectors on two (P4)', both, { hits: 0, rows })
measure('column + detectors on two, 2 % hits', both, { hits: 2, rows })
measure('column + detectors on two, all hit', both, { hits: 100, rows })
measure(
  'column partial',
  [none, none, masked({ type: 'partial', keepFirst: 0, keepLast: 4 }), none, none, none],
  { hits: 0, rows },
)
measure('column hash', [none, none, masked({ type: 'hash' }), none, none, none], { hits: 0, rows })
