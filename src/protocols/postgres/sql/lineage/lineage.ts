/**
 * Pure. The door: what each output of a statement depends on, and what masks make of it.
 *
 * `lineageOf(text, options)` gives one entry a statement:
 *   { outputs: [{ name, columns: ['public.customers.email'], how, masked }], deciding: ['public.orders.id'], refusal }
 * `how` is `constant`, `identity`, `total`, `aggregate` or `other` (value.ts); `masked` is the transform that the client
 * will meet, if any; `outputs` is undefined where the columns are not known by position; `deciding` are the columns that
 * decide which rows come out. It walks anew at each call: what a session needs at every statement stands in MaskFinding.
 */
import type { OutputMask } from '../../../../mask/plan.ts'
import type { Transform } from '../../../../mask/transform-spec.ts'
import type { AnalyseOptions } from '../analysis.ts'
import { FIRST_USER_OID } from '../catalogue.ts'
import { definition } from '../masked-ddl.ts'
import { type Node, parse } from '../parse.ts'
import { relationOf, routineIsHarmless, typeOf } from '../resolve.ts'
import { copied, explained } from './carried.ts'
import { valueIn } from './expressions.ts'
import { select, stored } from './query.ts'
import { NO_OUTPUTS, type Outputs } from './scope.ts'
import type { How } from './value.ts'
import {
  NOWHERE,
  type Place,
  type Refusal,
  type Role,
  Walk,
  type Walkers,
  type World,
} from './walk.ts'
import { insert, merge, remove, update } from './writes.ts'

export interface OutputLineage {
  readonly name: string | undefined
  readonly columns: readonly string[]
  readonly how: How
  readonly masked: Transform | undefined
}

export interface StatementLineage {
  readonly outputs: readonly OutputLineage[] | undefined
  readonly deciding: readonly string[]
  readonly refusal: Refusal | undefined
}

export interface Walked {
  readonly walk: Walk
  readonly outputs: Outputs
  /** By position; undefined where positions are not known. */
  readonly masks: readonly (OutputMask | null)[] | undefined
}

/** undefined: the text as a whole cannot be read. */
export function lineageOf(text: string, options: AnalyseOptions): StatementLineage[] | undefined {
  const parsed = parse(text)
  if (!('statements' in parsed)) return undefined
  return parsed.statements.map(({ stmt }) => {
    const { walk, outputs, masks } = walked(stmt ?? ({} as Node), options)
    const named = outputs.list.map(({ name, value }, at) => ({
      name,
      columns: value.columns.map((one) => one.label),
      how: value.how,
      masked: masks?.[at]?.transform,
    }))
    return {
      outputs: outputs.open === undefined ? named : undefined,
      deciding: [...walk.deciding.keys()],
      refusal: walk.refusal,
    }
  })
}

export function walked(stmt: Node, options: AnalyseOptions): Walked {
  const walk = new Walk(worldOf(options), WALKERS)
  const outputs = statement(walk, stmt, { place: NOWHERE, role: 'top' })
  const masks = outputs.list.map(({ value }) => walk.output(value))
  if (outputs.open === undefined)
    return { walk, outputs, masks: masks.length === 0 ? undefined : masks }
  // Where a column's place is not known its description tells which it is, unless it is computed.
  walk.output(outputs.open)
  return { walk, outputs, masks: undefined }
}

const WALKERS: Walkers = {
  value: valueIn,
  select,
  statement,
}

function statement(walk: Walk, stmt: Node, at: { place: Place; role: Role }): Outputs {
  const outputs = anyStatement(walk, stmt, at)
  if (at.role === 'stored' && !('SelectStmt' in stmt)) stored(walk, outputs)
  if (at.role !== 'top' && !('SelectStmt' in stmt)) walk.compute(outputs)
  return outputs
}

function anyStatement(walk: Walk, stmt: Node, at: { place: Place; role: Role }): Outputs {
  const { place, role } = at
  if ('SelectStmt' in stmt) return walk.select(stmt.SelectStmt, place, role)
  if ('InsertStmt' in stmt) return insert(walk, stmt.InsertStmt, place)
  if ('UpdateStmt' in stmt) return update(walk, stmt.UpdateStmt, place)
  if ('DeleteStmt' in stmt) return remove(walk, stmt.DeleteStmt, place)
  if ('MergeStmt' in stmt) return merge(walk, stmt.MergeStmt, place)
  if ('CopyStmt' in stmt) return copied(walk, stmt.CopyStmt, place)
  if ('ExplainStmt' in stmt) return explained(walk, stmt.ExplainStmt, place)
  const body =
    'PrepareStmt' in stmt
      ? stmt.PrepareStmt.query
      : 'DeclareCursorStmt' in stmt
        ? stmt.DeclareCursorStmt.query
        : undefined
  if (body !== undefined) return statement(walk, body, at)
  definition(walk, stmt)
  return NO_OUTPUTS
}

function worldOf({ names, masked, functionsRead }: AnalyseOptions): World {
  const { catalogue } = names
  const resolve = (schema: string | undefined, name: string) => relationOf(names, schema, name)
  return {
    mask: (relation, column) => masked?.column(relation, column),
    maskedRelations: () => masked?.byRelation.keys() ?? [],
    relation: (oid) => names.own.find((one) => one.oid === oid) ?? catalogue.relation(oid),
    relationOf: (schema, name) => {
      const found = resolve(schema, name)
      if (masked === undefined || schema !== undefined || found === undefined) return found
      if (masked.touches(found.oid)) return found
      // It hides a masked relation that stands behind it on the path, for as long as it has its name: while the target
      // waits for a lock that may change, so a name means everything that it could mean.
      const hides = names.searchPath.some((one) => {
        const behind = resolve(one, name)
        const marks = behind === undefined ? undefined : masked.byRelation.get(behind.oid)
        return [...(marks?.values() ?? [])].some((mark) => !mark.monitor)
      })
      return hides ? undefined : found
    },
    isBuiltInFunction: (schema, name) => {
      if (schema !== undefined && schema !== 'pg_catalog') return false
      if (!catalogue.builtInRoutine('pg_catalog', name)) return false
      if (schema !== undefined) return true
      // Those of harmless extensions are for types of their own; what policy calls harmless may be for any.
      return names.searchPath.every((one) =>
        catalogue
          .routines(one, name)
          .every(
            (routine) =>
              routine.oid < FIRST_USER_OID ||
              (routine.extension !== undefined &&
                routineIsHarmless({ names, functionsRead }, routine)),
          ),
      )
    },
    isBuiltInType: (schema, name) => typeOf(names, schema, name) === 'built-in',
    sending: names.sending,
  }
}
