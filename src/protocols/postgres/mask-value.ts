/**
 * Pure. Masks one value of a result as PostgreSQL writes it, in text or binary format, after the
 * plan of its field.
 *
 * Fails to the safe side: a value that is not written as its type says, and any binary value for
 * which there is no transform, becomes NULL.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { DetectorSet } from '../../mask/detect.ts'
import { type FieldPlan, isScanned, type TypeFamily, type TypeNature } from '../../mask/plan.ts'
import { pseudonymDomain } from '../../mask/pseudonym.ts'
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
import { type PathTransform, stronger, type Transform } from '../../mask/transform-spec.ts'
import type { Sealer } from '../../record/sealer.ts'
import {
  arrayElementType,
  type ElementMasker,
  maskArrayBinary,
  maskArrayText,
} from './mask-array.ts'
import { documentMasker } from './mask-json.ts'
import { isNumber, pseudonymNumber } from './mask-number.ts'
import { maskRecordBinary, maskRecordText } from './mask-record.ts'

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
  /** Takes the originals of what is replaced, where they are kept. */
  readonly seal?: Sealer | undefined
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
  const names = plan.by === 'detector' ? plan.names?.map((name) => Buffer.from(name)) : undefined
  const spans = detectors && { detectors, key: context.key, tally: context.tally, names }
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
  if (transform.type === 'paths') return partsMasker({ ...plan, transform }, spans, context)
  if (isConstant(transform) || !hasForm(plan.family, transform)) {
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

/** Parts of documents; a value that holds none becomes NULL. */
function partsMasker(
  plan: FieldPlan & { by: 'column'; transform: PathTransform },
  spans: SpanContext | undefined,
  { key, tally, applies }: MaskContext,
): FieldMasker {
  const { family, format, name, transform } = plan
  const masks = transform.paths.filter((one) => applies === 'all' || !one.monitor)
  const rest = spans && scanner({ family: 'json', format: 0 }, spans)
  const binary = format === BINARY
  const masker = documentMasker({ masks, family, binary, name, key, tally, spans, rest })
  if (masker === undefined) return { constant: null, name, mask: () => null }
  return {
    constant: undefined,
    name,
    mask: (bytes, start, end) => masker(bytes.subarray(start, end)),
  }
}

/** Families with a masked form other than NULL. */
function hasForm(family: TypeFamily, transform: Transform): boolean {
  if (transform.type === 'pseudonym' && isNumber(family)) return true
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
      return transformText(value, transform, { ...plan, key })
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
    default: {
      if (transform.type !== 'pseudonym' || !isNumber(plan.family)) return null
      const { family, format } = plan
      return pseudonymNumber(value, { family, format }, pseudonymDomain(key, transform.domain))
    }
  }
}

export function uuidText(raw: Buffer): Buffer {
  const hex = raw.toString('hex')
  return Buffer.from(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))
}

/** `\x…` or the escape format (bytea_output); undefined when it is neither. */
export function byteaFromText(value: Uint8Array): Uint8Array | undefined {
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

type DetectorPlan = Pick<FieldPlan, 'family' | 'format'> & {
  readonly inner?: (typeOid: number) => TypeNature
}

function detectorMasker(plan: DetectorPlan, spans: SpanContext): FieldMasker | undefined {
  const { family } = plan
  if (!isScanned(family)) return undefined
  const scan = scanner(plan, spans)
  // Only where the bytes of the value are the bytes of its text does the cheap look tell.
  const plain = family === 'text'
  return {
    constant: undefined,
    name: '',
    mask: (bytes, start, end) => {
      if (plain && !spans.detectors.mayHold(bytes, start, end)) return undefined
      return scan(bytes.subarray(start, end))
    },
  }
}

function scanner(plan: DetectorPlan, spans: SpanContext): ElementMasker {
  const { family, format } = plan
  const binary = format === BINARY
  const element = ELEMENTS[family]
  if (element !== undefined) {
    const inner = scanner({ family: element, format }, spans)
    return whole(
      (value) => (binary ? maskArrayBinary(value, inner) : maskArrayText(value, inner)),
      spans,
    )
  }
  switch (family) {
    case 'text':
      return (value) => maskText(value, spans)
    case 'json':
      return (value) => maskJson(value, spans)
    case 'jsonb':
      if (!binary) return (value) => maskJson(value, spans)
      return (value) => {
        if (value[0] !== JSONB_VERSION) return hideOnHit(value, spans)
        const masked = maskJson(value.subarray(1), spans)
        return masked === undefined || masked === null ? masked : versioned(masked)
      }
    case 'array':
    case 'record':
      return whole(binary ? nestedBinary(plan, spans) : nestedText(family, spans), spans)
    default:
      return binary ? (value) => hideOnHit(value, spans) : looseText(spans)
  }
}

/** What is not written as its type says is hidden whole on any hit. */
function whole(
  mask: (value: Uint8Array) => Replaced | 'malformed',
  spans: SpanContext,
): ElementMasker {
  return (value) => {
    const masked = mask(value)
    return masked === 'malformed' ? hideOnHit(value, spans) : masked
  }
}

/** Binary arrays and rows name the types of what they hold. */
function nestedBinary(
  plan: DetectorPlan,
  spans: SpanContext,
): (value: Uint8Array) => Replaced | 'malformed' {
  const known = new Map<number, ElementMasker | undefined>()
  const of = (typeOid: number): ElementMasker | undefined => {
    if (known.has(typeOid)) return known.get(typeOid)
    const nature: TypeNature = plan.inner?.(typeOid) ?? { family: 'other', lengthMax: 0 }
    const made = isScanned(nature.family)
      ? scanner({ ...nature, format: BINARY }, spans)
      : undefined
    known.set(typeOid, made)
    return made
  }
  if (plan.family === 'record') return (value) => maskRecordBinary(value, of)
  return (value) => {
    const element = of(arrayElementType(value))
    return element === undefined ? undefined : maskArrayBinary(value, element)
  }
}

/** In text nothing says what the parts are; an array's may be rows, and a row's may be arrays. */
function nestedText(
  family: TypeFamily,
  spans: SpanContext,
): (value: Uint8Array) => Replaced | 'malformed' {
  const part = looseText(spans)
  return (value) => (family === 'record' ? maskRecordText(value, part) : maskArrayText(value, part))
}

const QUOTE = 0x22
const BRACKET = 0x5b
const BACKSLASH = 0x5c
const BRACE = 0x7b

/** Text of an unknown form: hits in its bytes as they stand, and behind quotes and backslashes, which hide it whole. */
function looseText(spans: SpanContext): ElementMasker {
  return (value) => {
    const masked = maskText(value, spans)
    if (masked !== undefined) return masked
    if (!value.includes(BACKSLASH) && !value.includes(QUOTE)) return undefined
    const plain = value.filter((byte) => byte !== BACKSLASH && byte !== QUOTE)
    if (strongestHit(plain, spans) !== undefined) return null
    const mayBeJson = value[0] === BRACE || value[0] === BRACKET
    return mayBeJson && maskJson(value, spans) !== undefined ? null : undefined
  }
}

/** For values whose inner form is unknown: any hit hides all of it. */
function hideOnHit(value: Uint8Array, spans: SpanContext): null | undefined {
  return strongestHit(value, spans) === undefined ? undefined : null
}
