/** Pure. Frames and contexts for tests of PostgreSQL masks. */
import { ByteSink } from '../../src/base/bytes.ts'
import type { FieldPlan, TypeFamily } from '../../src/mask/plan.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'
import type { MaskContext } from '../../src/protocols/postgres/mask-value.ts'
import { setOf } from './detector-examples.ts'

export type Value = Buffer | string | null

export function dataRow(values: readonly Value[]): Buffer {
  const sink = new ByteSink()
  sink.u8(0x44)
  sink.i32(0)
  sink.u16(values.length)
  for (const value of values) {
    if (value === null) sink.i32(-1)
    else {
      const bytes = Buffer.from(value)
      sink.i32(bytes.length)
      sink.append(bytes)
    }
  }
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return Buffer.from(sink.view())
}

/** Values of one DataRow frame; throws where it does not add up. */
export function valuesOf(frame: Buffer): (Buffer | null)[] {
  if (frame[0] !== 0x44 || frame.readInt32BE(1) !== frame.length - 1) throw new Error('no DataRow')
  const values: (Buffer | null)[] = []
  let at = 7
  for (let left = frame.readUInt16BE(5); left > 0; left--) {
    const length = frame.readInt32BE(at)
    at += 4
    values.push(length < 0 ? null : frame.subarray(at, at + length))
    at += Math.max(length, 0)
  }
  if (at !== frame.length) throw new Error('DataRow with a rest')
  return values
}

const DETECTORS = setOf('credit_card', 'email')

export function context(more: Partial<MaskContext> = {}): MaskContext {
  return {
    detectors: DETECTORS,
    key: Buffer.alloc(32, 1),
    tally: new Map(),
    applies: 'enforced',
    ...more,
  }
}

export function column(
  family: TypeFamily,
  transform: Transform = { type: 'redact' },
  more: { format?: number; monitor?: boolean; lengthMax?: number } = {},
): FieldPlan {
  return {
    by: 'column',
    transform,
    family,
    format: 0,
    lengthMax: 0,
    monitor: false,
    name: 'col',
    ...more,
  }
}

export function detected(family: TypeFamily, format = 0): FieldPlan {
  return { by: 'detector', family, format }
}
