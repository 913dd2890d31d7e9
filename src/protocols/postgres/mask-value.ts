/**
 * Pure. Masks one value of a result as PostgreSQL writes it, in text or binary format, after the
 * plan of its field.
 *
 * Fails to the safe side: a value that is not written as its type says, and any binary value for
 * which there is no transform, becomes NULL.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { DetectorSet } from '../../mask/detect.ts'
import type { FieldPlan, TypeFamily } from '../../mask/plan.ts'
import {
  count,
  maskJson,
  maskText,
  type Replaced,
  type SpanContext,
  strongestHit,
  type Tally,
} from '../../mask/spans.ts'
import {
  isConstant,
  type MaskKey,
  transformBytes,
  transformJson,
  transformText,
  transformUuid,
  uuidBytes,
} from '../../mask/transform.ts'
import { stronger, type Transform } from '../../mask/transform-spec.ts'
import { maskArrayBinary, maskArrayText } from './mask-array.ts'

export interface MaskContext {
  readonly detectors: DetectorSet | undefined
  readonly key: MaskKey
  /** Masked values are counted here, by the name of the column or of the detector. */
  readonly tally: Tally
  /**
   * `enforced`: what the client sees. `all`: what is recorded, masks of monitoring policies
   * included.
   */
  readonly applies: 'enforced' | 'all'
}

export interface FieldMasker {
  /** Set: what every value but NULL becomes. */
  readonly constant: Buffer | null | undefined
  /** How the values that became `constant` are counted; the masker counts all others itself. */
  readonly name: string
  /**
   * The value [start, end), which is not NULL; undefined: it goes as it is, null: it becomes NULL.
   */
  mask(bytes: Uint8Array, start: number, end: number): Replaced
}

const BINARY = 1
const JSONB_VERSION = 1

/** undefined: the field goes unread under this context. */
export function fieldMasker(
  plan: FieldPlan | undefined,
  context: MaskContext,
): FieldMasker | undefined {
  if (plan === undefined) return undefined
  const detectors = context.applies === 'all' ? context.detectors : context.detectors?.enforced
  const spans = detectors && { detectors, key: context.key, tally: context.tally }
  if (plan.by === 'column' && (context.applies === 'all' || !plan.monitor)) {
    return columnMasker(plan, spans, context)
  }
  return spans === undefined ? undefined : detectorMasker(plan, spans)
}

function columnMasker(
  plan: FieldPlan & { by: 'column' },
  spans: SpanContext | undefined,
  context: MaskContext,
): FieldMasker {
  const { name, transform } = plan
  const { key, tally } = context
  if (isConstant(transform) || !hasForm(plan.family)) {
    const constant = transformed(Buffer.alloc(0), { plan, transform, key })
    return { constant, name, mask: () => constant }
  }
  // A detector that hides more than a partly shown value does wins over it.
  const watched = transform.type === 'partial' ? spans : undefined
  return {
    constant: undefined,
    name,
    mask: (bytes, start, end) => {
      const value = bytes.subarray(start, end)
      count(tally, name)
      const hit = watched && strongestHit(value, watched)
      const effective = hit === undefined ? transform : stronger(transform, hit)
      return transformed(value, { plan, transform: effective, key })
    },
  }
}

/** Families with a masked form other than NULL. */
function hasForm(family: TypeFamily): boolean {
  return ['text', 'json', 'jsonb', 'uuid', 'bytea'].includes(family)
}

interface Job {
  readonly plan: FieldPlan & { by: 'column' }
  readonly transform: Transform
  readonly key: MaskKey
}

/** An empty value stands for any value where the transform does not depend on it. */
function transformed(value: Uint8Array, { plan, transform, key }: Job): Buffer | null {
  switch (plan.family) {
    case 'text':
      return transformText(value, transform, { key, lengthMax: plan.lengthMax })
    case 'json':
      return transformJson(value, transform, key)
    case 'jsonb': {
      if (plan.format !== BINARY) return transformJson(value, transform, key)
      const masked = transformJson(value.subarray(1), transform, key)
      return masked === null ? null : versioned(masked)
    }
    case 'uuid': {
      const raw = plan.format === BINARY ? value : uuidBytes(Buffer.from(value).toString('latin1'))
      if (!isConstant(transform) && raw?.length !== 16) return null
      const masked = transformUuid(raw ?? value, transform, key)
      return masked === null || plan.format === BINARY ? masked : uuidText(masked)
    }
    case 'bytea': {
      const raw = plan.format === BINARY ? value : byteaFromText(value)
      const masked = raw && transformBytes(raw, transform, key)
      if (masked === undefined || masked === null) return null
      return plan.format === BINARY ? masked : Buffer.from(`\\x${masked.toString('hex')}`)
    }
    default:
      return null
  }
}

function uuidText(raw: Buffer): Buffer {
  const hex = raw.toString('hex')
  return Buffer.from(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))
}

/** `\x…` or the escape format (bytea_output); undefined when it is neither. */
function byteaFromText(value: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(value).toString('latin1')
  if (text.startsWith('\\x')) return Buffer.from(text.substring(2), 'hex')
  const raw = new ByteSink(value.length)
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') raw.u8(value[at]!)
    else if (text[at + 1] === '\\') raw.u8(value[++at]!)
    else {
      const octal = text.substring(at + 1, at + 4)
      if (!/^[0-3][0-7]{2}$/.test(octal)) return undefined
      raw.u8(Number.parseInt(octal, 8))
      at += 3
    }
  }
  return raw.view()
}

/** jsonb in binary is a version byte and the text. */
function versioned(json: Buffer): Buffer {
  return Buffer.concat([Buffer.of(JSONB_VERSION), json])
}

const ELEMENTS: Partial<Record<TypeFamily, TypeFamily>> = {
  'text-array': 'text',
  'json-array': 'json',
  'jsonb-array': 'jsonb',
}

function detectorMasker(plan: FieldPlan, spans: SpanContext): FieldMasker | undefined {
  const { family, format } = plan
  if (family === 'scalar' || family === 'uuid' || family === 'bytea') return undefined
  const scan = scanner(family, format, spans)
  // Only where the bytes of the value are the bytes of its text does the cheap look tell.
  const plain = family === 'text' || family === 'other'
  return {
    constant: undefined,
    name: '',
    mask: (bytes, start, end) => {
      if (plain && !spans.detectors.mayHold(bytes, start, end)) return undefined
      return scan(bytes.subarray(start, end))
    },
  }
}

function scanner(
  family: TypeFamily,
  format: number,
  spans: SpanContext,
): (value: Uint8Array) => Replaced {
  const binary = format === BINARY
  const element = ELEMENTS[family]
  if (element !== undefined) {
    const inner = scanner(element, format, spans)
    return (value) => {
      const masked = binary ? maskArrayBinary(value, inner) : maskArrayText(value, inner)
      return masked === 'malformed' ? hideOnHit(value, spans) : masked
    }
  }
  if (family === 'text') return (value) => maskText(value, spans)
  if (family === 'json' || (family === 'jsonb' && !binary)) {
    return (value) => maskJson(value, spans)
  }
  if (family === 'jsonb') {
    return (value) => {
      if (value[0] !== JSONB_VERSION) return hideOnHit(value, spans)
      const masked = maskJson(value.subarray(1), spans)
      return masked === undefined || masked === null ? masked : versioned(masked)
    }
  }
  return binary ? (value) => hideOnHit(value, spans) : (value) => maskText(value, spans)
}

/** For values whose inner form is unknown: any hit hides all of it. */
function hideOnHit(value: Uint8Array, spans: SpanContext): null | undefined {
  return strongestHit(value, spans) === undefined ? undefined : null
}
