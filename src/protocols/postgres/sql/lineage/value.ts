/**
 * Pure. What one expression depends on: the base columns, and in which way. Values are built bottom up by
 * expressions.ts and judged where they leave the statement (walk.ts).
 */

import type { ColumnMask } from '../../../../mask/plan.ts'
import { type Kind, unified } from './kinds.ts'

/** A column of a relation, as a statement may reach it. */
export interface Source {
  /** `public.customers.email`, or the relation where it is not known which column. */
  readonly label: string
  readonly relation: number
  /** 0: not known which. */
  readonly column: number
  readonly mask: ColumnMask | undefined
  /** Of a relation that the catalogue cannot explain, which may hold anything. */
  readonly unknown: boolean
}

/**
 * In rising order. `identity`: the value of that one column. `total`: computed by functions of which the committed list
 * says that they never fail, have no effect, and are null only where an argument is. `aggregate`: such a one over many
 * rows. `other`: by anything else.
 */
export const HOWS = ['constant', 'identity', 'total', 'aggregate', 'other'] as const
export type How = (typeof HOWS)[number]

export interface Value {
  readonly columns: readonly Source[]
  /** Those of `columns` that a mask hides, or that may be anything. */
  readonly marks: readonly Source[]
  readonly how: How
  readonly kind: Kind
  /** How often a column's text may stand in it: too long a text fails, and tells its length by that. */
  readonly copies: number
  /** Its length tells more than how long values are (sizes.ts, `chooses`): only a result of one row may hold it. */
  readonly weighs: boolean
  /** Of a row: what it is made of, as far as that is known. */
  readonly fields: readonly Value[] | undefined
}

/** As `copies`: a text whose length nobody bounds. */
export const UNBOUNDED = Number.POSITIVE_INFINITY

const NONE: readonly Source[] = []

/** Depends on nothing, and nobody knows its type. */
export const CLEAR: Value = constant(undefined)

export function constant(kind: Kind): Value {
  return {
    columns: NONE,
    marks: NONE,
    how: 'constant',
    kind,
    copies: 1,
    weighs: false,
    fields: undefined,
  }
}

export function columnValue(source: Source, kind: Kind): Value {
  const columns = [source]
  const marks = isMark(source) ? columns : NONE
  return { columns, marks, how: 'identity', kind, copies: 1, weighs: false, fields: undefined }
}

export function isMark(source: Source): boolean {
  return source.mask !== undefined || source.unknown
}

/** A mask hides even whether there is a value. */
export function hidesNull({ marks }: Value): boolean {
  return marks.some(({ mask }) => mask?.transform.type === 'null')
}

/** What is computed from all of `parts`: in the way `how`, or a worse one of theirs. */
export function derived(
  parts: readonly Value[],
  is: { how: How; kind: Kind; copies?: number; weighs?: boolean; fields?: readonly Value[] },
): Value {
  let rank = HOWS.indexOf(is.how)
  for (const part of parts) rank = Math.max(rank, HOWS.indexOf(part.how))
  return {
    columns: union(parts, 'columns'),
    marks: union(parts, 'marks'),
    how: HOWS[rank]!,
    kind: is.kind,
    copies: is.copies ?? most(parts),
    weighs: is.weighs === true || parts.some((part) => part.weighs),
    fields: is.fields,
  }
}

/** One of these, and nothing that a mask hides decides which: arms of a set operation, COALESCE, CASE. */
export function either(parts: readonly Value[]): Value {
  const first = parts[0]
  if (first === undefined) return CLEAR
  if (parts.every((part) => part === first || isSameColumn(part, first))) return first
  const kind = unified(parts.map((part) => part.kind))
  const hidden = parts.some((part) => part.marks.length > 0)
  // Turning values of one type into another may fail.
  return derived(parts, { how: hidden && kind === undefined ? 'other' : 'total', kind })
}

/** A row of these columns. */
export function record(fields: readonly Value[]): Value {
  return derived(fields, { how: isTelling(fields) ? 'other' : 'total', kind: 'record', fields })
}

/** Together they may be too long, and one that is of any length makes that tell the length of what is masked. */
export function isTelling(parts: readonly Value[]): boolean {
  return (
    parts.some((one) => one.copies === UNBOUNDED) &&
    parts.some((one) => one.marks.length > 0 && one.how !== 'identity')
  )
}

function isSameColumn(one: Value, other: Value): boolean {
  return (
    one.how === 'identity' &&
    other.how === 'identity' &&
    one.kind === other.kind &&
    one.columns.length === 1 &&
    other.columns.length === 1 &&
    isSame(one.columns[0]!, other.columns[0]!)
  )
}

export function isSame(one: Source, other: Source): boolean {
  return (
    one === other ||
    (one.relation === other.relation && one.column === other.column && one.label === other.label)
  )
}

function most(parts: readonly Value[]): number {
  let copies = 1
  for (const part of parts) copies = Math.max(copies, part.copies)
  return copies
}

function union(parts: readonly Value[], key: 'columns' | 'marks'): readonly Source[] {
  let found: readonly Source[] = NONE
  let all: Map<string, Source> | undefined
  for (const part of parts) {
    const sources = part[key]
    if (sources.length === 0 || sources === found) continue
    if (found.length === 0) {
      found = sources
      continue
    }
    all ??= new Map(found.map((one) => [keyOf(one), one]))
    for (const one of sources) all.set(keyOf(one), one)
  }
  return all === undefined ? found : [...all.values()]
}

function keyOf({ relation, column, label }: Source): string {
  return relation === 0 || column === 0 ? label : `${relation}.${column}`
}
