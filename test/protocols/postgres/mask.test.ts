import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteSink } from '../../../src/base/bytes.ts'
import type { FieldPlan, RowPlan, TypeFamily } from '../../../src/mask/plan.ts'
import type { Transform } from '../../../src/mask/transform-spec.ts'
import { RowMasker } from '../../../src/protocols/postgres/mask.ts'
import { column, context, dataRow, detected, type Value, valuesOf } from '../../lib/mask-frames.ts'

const CARD = '4111111111111111'

function masked(plan: RowPlan, values: readonly Value[], within = context()): (string | null)[] {
  const sink = new ByteSink(8)
  const frame = dataRow(values)
  const padded = Buffer.concat([Buffer.from('zz'), frame, Buffer.from('zz')])
  const span = { start: 2, end: 2 + frame.length }
  const masker = new RowMasker(plan, within)
  const result = masker.maskRow(padded, span, sink)
  masker.settle()
  if (result === 'malformed') throw new Error('malformed')
  const out = result === 'same' ? frame : Buffer.from(sink.view())
  return valuesOf(out).map((value) => value?.toString('latin1') ?? null)
}

/** Bytes behind its last value that the frame's own size counts. */
function trailing(row: Buffer): Buffer {
  const frame = Buffer.concat([row, Buffer.from('4111')])
  frame.writeInt32BE(frame.length - 1, 1)
  return frame
}

describe('a row', () => {
  test('changes in masked columns and hits alone; NULL stays NULL; both are counted', () => {
    const within = context()
    const plan = [undefined, column('text'), detected('text'), column('text')]
    expect(masked(plan, ['7', 'secret', `card ${CARD}.`, null], within)).toEqual([
      '7',
      '****',
      'card ****.',
      null,
    ])
    expect([...within.tally].sort()).toEqual([
      ['col', 1],
      ['credit_card', 1],
    ])
  })

  test('without anything to change is left where it is', () => {
    const sink = new ByteSink()
    const masker = new RowMasker([detected('text'), column('text')], context())
    const frame = dataRow(['nothing', null])
    expect(masker.maskRow(frame, { start: 0, end: frame.length }, sink)).toBe('same')
    expect(sink.size).toBe(0)
  })

  test('that does not add up is malformed, and nothing is written', () => {
    const plan = [column('text'), detected('text')]
    const good = dataRow(['abc', CARD])
    const broken = (change: (frame: Buffer) => void): Buffer => {
      const frame = Buffer.from(good)
      change(frame)
      return frame
    }
    const frames = [
      broken((frame) => frame.writeInt32BE(good.length, 1)),
      broken((frame) => frame.writeUInt16BE(3, 5)),
      broken((frame) => frame.writeInt32BE(2 ** 31 - 1, 7)),
      broken((frame) => frame.writeInt32BE(-2, 7)),
      broken((frame) => frame.writeInt32BE(2, 7)),
      broken((frame) => frame.writeUInt8(0x45, 0)),
      dataRow(['abc']),
      trailing(good),
      good.subarray(0, 6),
    ]
    for (const frame of frames) {
      const sink = new ByteSink()
      const span = { start: 0, end: frame.length }
      expect(new RowMasker(plan, context()).maskRow(frame, span, sink)).toBe('malformed')
      expect(sink.size).toBe(0)
    }
  })

  test('shows clients what a monitoring mask hides in records, and detectors still look at it', () => {
    const plan = [column('text', { type: 'redact' }, { monitor: true })]
    expect(masked(plan, ['abc'])).toEqual(['abc'])
    expect(masked(plan, [CARD])).toEqual(['****'])
    expect(masked(plan, ['abc'], context({ applies: 'all' }))).toEqual(['****'])
    expect(new RowMasker(plan, context({ detectors: undefined })).idle).toBe(true)
  })

  test('hides whole what a stronger detector finds in a partly shown column', () => {
    const keep: Transform = { type: 'partial', keepFirst: 0, keepLast: 4 }
    expect(masked([column('text', keep)], [CARD])).toEqual(['****'])
    expect(masked([column('text', keep)], ['12345678'])).toEqual(['****5678'])
  })
})

describe('many rows', () => {
  const plan = [undefined, column('text'), detected('text')]

  test('become what each becomes alone, and stop at what is no whole row', () => {
    const value = fc.option(fc.oneof(fc.string(), fc.constantFrom(CARD, `x ${CARD} y`)))
    const rows = fc.array(fc.tuple(value, value, value), { maxLength: 8 })
    fc.assert(
      fc.property(rows, fc.nat(20), (all, cut) => {
        const frames = all.map((values) => dataRow(values))
        const partial = dataRow(['a', 'b', 'c']).subarray(0, Math.min(cut, 18))
        const bytes = Buffer.concat([...frames, partial])
        const sink = new ByteSink(8)
        const masker = new RowMasker(plan, context())
        const end = masker.maskRows(bytes, { start: 0, end: bytes.length }, sink)
        expect(end).toBe(bytes.length - partial.length)
        const alone = frames.map((frame) => {
          const one = new ByteSink(8)
          const done = masker.maskRow(frame, { start: 0, end: frame.length }, one)
          return done === 'same' ? frame : Buffer.from(one.view())
        })
        expect(sink.view().equals(Buffer.concat(alone))).toBe(true)
      }),
    )
  })

  test('with a malformed one among them give nothing', () => {
    const bad = dataRow(['a', 'b', 'c'])
    bad.writeInt32BE(99, 7)
    const bytes = Buffer.concat([dataRow(['a', 'b', 'c']), bad])
    const sink = new ByteSink()
    sink.u8(1)
    const span = { start: 0, end: bytes.length }
    expect(new RowMasker(plan, context()).maskRows(bytes, span, sink)).toBe(-1)
    expect(sink.size).toBe(1)
  })

  test('are said to stay only if they do', () => {
    const detectors = [detected('text'), detected('json'), detected('text-array')]
    const masker = new RowMasker(detectors, context())
    const changes = (values: Value[]): boolean => {
      const frame = dataRow(values)
      const padded = Buffer.concat([Buffer.from('@'), frame, Buffer.from('@')])
      return masker.mayChange(padded, 1, 1 + frame.length)
    }
    expect(changes(['plain', '{"a":1}', '{a,b}'])).toBe(false)
    expect(changes([CARD, '{"a":1}', '{a,b}'])).toBe(true)
    expect(changes(['plain', '{"a":"b\\u0040c.example"}', '{a,b}'])).toBe(true)
    expect(new RowMasker([column('text')], context()).mayChange(Buffer.alloc(9), 0, 9)).toBe(true)
    expect(new RowMasker([undefined], context()).mayChange(Buffer.alloc(9), 0, 9)).toBe(false)
  })
})

const FAMILIES: TypeFamily[] = [
  'text',
  'json',
  'jsonb',
  'uuid',
  'bytea',
  'text-array',
  'scalar',
  'other',
]
const TRANSFORMS: Transform[] = [
  { type: 'null' },
  { type: 'redact' },
  { type: 'fixed', value: 'fixed' },
  { type: 'hash' },
  { type: 'pseudonym', domain: 'd' },
  { type: 'partial', keepFirst: 1, keepLast: 1 },
]
const anyPlan: fc.Arbitrary<FieldPlan | undefined> = fc.oneof(
  fc.constant(undefined),
  fc
    .tuple(fc.constantFrom(...FAMILIES), fc.constantFrom(...TRANSFORMS), fc.nat(1))
    .map(([family, transform, format]) => column(family, transform, { format })),
  fc
    .tuple(fc.constantFrom(...FAMILIES), fc.nat(1))
    .map(([family, format]) => detected(family, format)),
)
const anyValue = fc.option(
  fc.oneof(
    fc.uint8Array().map((one) => Buffer.from(one)),
    fc.string(),
  ),
)

describe('properties', () => {
  test('masked frames are frames, unmasked columns are identical, hidden bytes do not remain', () => {
    const row = fc.array(fc.tuple(anyPlan, anyValue), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(row, (fields) => {
        const values = fields.map(([, value]) => value)
        const out = masked(
          fields.map(([plan]) => plan),
          values,
        )
        for (const [index, [plan, value]] of fields.entries()) {
          const before = value === null ? null : Buffer.from(value).toString('latin1')
          if (plan === undefined) expect(out[index]).toBe(before)
          else if (value === null) expect(out[index]).toBeNull()
          else if (plan.by === 'column' && before !== null && before.length >= 4) {
            if (!/^[*0-9a-f\\x"-]*$/.test(before)) expect(out[index] ?? '').not.toContain(before)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('noise is masked or malformed, never anything else', () => {
    fc.assert(
      fc.property(fc.array(anyPlan), fc.uint8Array({ maxLength: 80 }), (plan, noise) => {
        const frame = Buffer.concat([Buffer.from('D'), Buffer.from(noise)])
        if (frame.length >= 5) frame.writeInt32BE(frame.length - 1, 1)
        const sink = new ByteSink(8)
        const masker = new RowMasker(plan, context())
        const result = masker.maskRow(frame, { start: 0, end: frame.length }, sink)
        expect(['same', 'masked', 'malformed']).toContain(result)
        if (result !== 'masked') expect(sink.size).toBe(0)
        else valuesOf(Buffer.from(sink.view()))
      }),
      { numRuns: 500 },
    )
  })
})
