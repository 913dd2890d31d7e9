/**
 * Pure. From masks as policy declares them to what happens to each field of a result.
 *
 * Two steps: `resolveMasks` (resolve-masks.ts) ties the declared names to (relation OID, attribute
 * number) once per catalogue; `planRow` looks at one row description. Values themselves are changed
 * in transform.ts and spans.ts.
 */
import type { DetectorSet } from './detect.ts'
import { type PathTransform, stronger, type Transform } from './transform-spec.ts'

/** What hides one column. */
export interface ColumnMask {
  readonly transform: Transform
  readonly inPredicates: 'deny' | 'allow'
  readonly derived: 'mask' | 'deny'
  /** Clients see clear values; records stay masked. */
  readonly monitor: boolean
  readonly rule: string
  /** `schema.table.column`, for hints. */
  readonly name: string
  /** A view computes it by what could fail or tell the value: no use of it passes. */
  readonly fallible?: boolean
}

/** What the analysis of a statement says of one of its outputs, by position; null: no mask hides any of it. */
export interface OutputMask {
  readonly transform: Transform
  readonly monitor: boolean
  /** Counted under this name in `masked`. */
  readonly name: string
  /** The column whose own value it is; 0: it is computed. */
  readonly relation: number
  readonly column: number
  /** 0: not known. */
  readonly typeOid: number
}

/** Masked columns of one target as (relation OID → attribute number → mask). */
export interface MaskedColumns {
  readonly byRelation: ReadonlyMap<number, ReadonlyMap<number, ColumnMask>>
  column(relation: number, column: number): ColumnMask | undefined
  /** Any column of the relation is masked. */
  touches(relation: number): boolean
  /** Equal keys: equal masks on an equal catalogue. Part of cache keys. */
  readonly key: string
}

/** One field of a row description (PostgreSQL RowDescription, or a COPY column). */
export interface Field {
  readonly name: string
  /** The column's own name, where an alias hides it. */
  readonly origin?: string
  /** 0 when the field is no plain column. */
  readonly relation: number
  readonly column: number
  readonly typeOid: number
  /** 0 text, 1 binary. */
  readonly format: number
  /** As on the wire; -1 or left out: none. */
  readonly typeModifier?: number
}

/** What happens to one field. undefined entries of a plan: the field passes unread. */
export type FieldPlan =
  | {
      readonly by: 'column'
      readonly transform: Transform
      readonly family: TypeFamily
      readonly format: number
      /** Most code points that the type takes; 0: no limit. */
      readonly lengthMax: number
      /** Blanks at its end mean nothing: `char(n)`. */
      readonly padded?: boolean
      /** Who sees it may write such values, and could try out what does not lead back. */
      readonly toWriter?: boolean
      readonly monitor: boolean
      /** Counted under this name in `masked`. */
      readonly name: string
    }
  | {
      readonly by: 'detector'
      /** What the column is called: words in it count for detectors. */
      readonly names?: readonly string[]
      readonly family: TypeFamily
      readonly format: number
      readonly inner?: (typeOid: number) => TypeNature
    }

/**
 * How a type's values are written, as far as masks care (table of semantics §5). `scalar`: built-in
 * types that hold no text (numbers, times, and arrays and ranges of them), which detectors skip, with
 * those that have pseudonyms of their own kind; `array`, `record`: of what, the binary value says;
 * `other`: everything else, types of extensions and users included.
 */
export type TypeFamily =
  | 'text'
  | 'json'
  | 'jsonb'
  | 'uuid'
  | 'bytea'
  | 'text-array'
  | 'json-array'
  | 'jsonb-array'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'date'
  | 'scalar'
  | 'array'
  | 'record'
  | 'other'

/** Plan of a whole row; undefined: nothing to do, rows pass unread. */
export type RowPlan = readonly (FieldPlan | undefined)[] | undefined

/** What a protocol knows of a field's type. */
export interface TypeNature {
  readonly family: TypeFamily
  /** Most code points that the type takes; 0: no limit. */
  readonly lengthMax: number
  readonly padded?: boolean
  /** Of `array` and `record`: what the types are that a binary value names. */
  readonly inner?: (typeOid: number) => TypeNature
}

export interface PlanOptions {
  readonly masked: MaskedColumns | undefined
  readonly detectors: DetectorSet | undefined
  /** The statement names or reaches a masked column (`MaskFinding.touches`). */
  readonly touchesMasked: boolean
  /** What it says of each output; undefined where it cannot tell, and then descriptions alone count. */
  readonly outputs?: readonly (OutputMask | null)[] | undefined
  /** The session's catalogue, its own relations included, can explain this relation. */
  readonly known: (relation: number) => boolean
  readonly nature: (field: Field) => TypeNature
  /** The role may do more than read: see `forWriter`. */
  readonly mayWrite?: boolean
  /** False: values come in another encoding, in which bytes of a letter may look like a quote. */
  readonly utf8?: boolean
}

const REDACT = { type: 'redact' } as const
const SHIFTED: OutputMask = {
  transform: REDACT,
  monitor: false,
  name: 'columns that changed',
  relation: 0,
  column: 0,
  typeOid: 0,
}

/**
 * True while a mask changes what clients see, so that errors, notices and notifications are hidden
 * too.
 */
export function enforces(masked: MaskedColumns | undefined): boolean {
  if (masked === undefined) return false
  for (const columns of masked.byRelation.values()) {
    for (const mask of columns.values()) if (!mask.monitor) return true
  }
  return false
}

/** The plan for rows of this description; in doubt a field is hidden. */
export function planRow(fields: readonly Field[], options: PlanOptions): RowPlan {
  const { outputs } = options
  // Columns were added or dropped since it was read: then no position means what it meant.
  const isShifted = outputs !== undefined && outputs.length !== fields.length
  const plan = fields.map((field, at) =>
    planField(field, options, isShifted ? SHIFTED : outputs?.[at]),
  )
  return plan.some((entry) => entry !== undefined) ? plan : undefined
}

/** `said`: undefined where the analysis says nothing of outputs. */
function planField(
  field: Field,
  options: PlanOptions,
  said: OutputMask | null | undefined,
): FieldPlan | undefined {
  const nature = options.nature(field)
  const mask = agreed(field, { described: maskOf(field, options, said), said })
  if (mask !== undefined) {
    const { monitor, name } = mask
    const toWriter = options.mayWrite === true
    const shown = inDocuments(mask.transform, nature.family, options)
    const transform = toWriter ? forWriter(shown, nature.family) : shown
    const plan = {
      by: 'column',
      transform,
      monitor,
      name,
      format: field.format,
      ...nature,
    } as const
    return toWriter ? { ...plan, toWriter } : plan
  }
  if (options.detectors === undefined || !isScanned(nature.family)) return undefined
  const { family, inner } = nature
  const names = field.origin === undefined ? [field.name] : [field.name, field.origin]
  const plan = { by: 'detector', names, family, format: field.format } as const
  return inner === undefined ? plan : { ...plan, inner }
}

/** Parts can be masked only in what is read as a document; everything else is hidden whole. */
function inDocuments(transform: Transform, family: TypeFamily, options: PlanOptions): Transform {
  if (transform.type !== 'paths') return transform
  return DOCUMENTS.has(family) && options.utf8 !== false ? transform : REDACT
}

/**
 * One who may write a column whose masked form does not lead back could write guesses and compare
 * (semantics §5, "Pseudonyms"): it is redacted. Nothing inside a document is translated back.
 */
function forWriter(transform: Transform, family: TypeFamily): Transform {
  if (transform.type === 'hash') return REDACT
  if (transform.type === 'paths') return partsForWriter(transform)
  if (transform.type !== 'pseudonym') return transform
  return NUMBERS.has(family) || DOCUMENTS.has(family) ? REDACT : transform
}

function partsForWriter({ paths }: PathTransform): PathTransform {
  const tells = ({ type }: Transform) => type === 'hash' || type === 'pseudonym'
  return {
    type: 'paths',
    paths: paths.map((one) => (tells(one.transform) ? { ...one, transform: REDACT } : one)),
  }
}

const NUMBERS: ReadonlySet<TypeFamily> = new Set(['int2', 'int4', 'int8', 'date'])
const DOCUMENTS: ReadonlySet<TypeFamily> = new Set(['json', 'jsonb', 'json-array', 'jsonb-array'])

/**
 * Types that detectors read. Unknown ones count: a composite or an extension's type may well hold
 * text.
 */
export function isScanned(family: TypeFamily): boolean {
  return family !== 'scalar' && family !== 'uuid' && family !== 'bytea' && !NUMBERS.has(family)
}

type Hides = Pick<ColumnMask, 'transform' | 'monitor' | 'name'>

/** Of what the analysis and the description say, the stronger; redacted where they speak of different columns. */
function agreed(
  field: Field,
  { described, said }: { described: Hides | undefined; said: OutputMask | null | undefined },
): Hides | undefined {
  if (said === null || said === undefined) return described
  const isOther =
    said.relation !== 0 &&
    field.relation !== 0 &&
    (said.relation !== field.relation || said.column !== field.column)
  const transform = isOther ? stronger(said.transform, REDACT) : said.transform
  if (described === undefined) return { ...said, transform }
  const monitor = described.monitor && said.monitor
  return { name: said.name, monitor, transform: stronger(transform, described.transform) }
}

function maskOf(
  field: Field,
  options: PlanOptions,
  said: OutputMask | null | undefined,
): Hides | undefined {
  const { masked } = options
  if (masked === undefined) return undefined
  const mask = field.relation === 0 ? undefined : masked.column(field.relation, field.column)
  if (mask !== undefined) return mask
  const hidden = whyHidden(
    field,
    masked,
    said === undefined ? options : { ...options, touchesMasked: false },
  )
  if (hidden === undefined) return undefined
  return { transform: REDACT, monitor: !enforces(masked), name: hidden }
}

/**
 * Fields that might hold a masked value although no declared column says so: the net below the SQL
 * layer.
 */
function whyHidden(field: Field, masked: MaskedColumns, options: PlanOptions): string | undefined {
  if (field.relation === 0) return options.touchesMasked ? 'expression' : undefined
  if (!options.known(field.relation)) return 'unknown relation'
  // A whole row carries its relation and attribute number 0.
  return field.column === 0 && masked.touches(field.relation) ? 'whole row' : undefined
}
