/**
 * Pure. From masks as policy declares them to what happens to each field of a result.
 *
 * Two steps: `resolveMasks` ties the declared names to (relation OID, attribute number) once per catalogue;
 * `planRow` looks at one row description. Values themselves are changed in transform.ts.
 */
import type { Transform } from './transform-spec.ts'

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
  /** 0 when the field is no plain column. */
  readonly relation: number
  readonly column: number
  readonly typeOid: number
  /** 0 text, 1 binary. */
  readonly format: number
}

/** What happens to one field. undefined entries of a plan: the field passes unread. */
export type FieldPlan =
  | {
      readonly by: 'column'
      readonly transform: Transform
      readonly family: TypeFamily
      readonly format: number
      readonly monitor: boolean
      /** Counted under this name in `masked`. */
      readonly name: string
    }
  | { readonly by: 'detector'; readonly family: TypeFamily; readonly format: number }

/** How a type's values are written, as far as masks care (table of semantics §5). */
export type TypeFamily = 'text' | 'json' | 'jsonb' | 'uuid' | 'bytea' | 'text-array' | 'other'

/** Plan of a whole row; undefined: nothing to do, rows pass unread. */
export type RowPlan = readonly (FieldPlan | undefined)[] | undefined
