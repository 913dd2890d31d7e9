/**
 * Pure. What CREATE TABLE, ALTER TABLE and CREATE DOMAIN define: columns, constraints, partitions, and the
 * expressions in them. An expression that a statement *creates* counts as part of it (semantics §1, `execute`).
 */
import { expression } from './expressions.ts'
import { judgeTypeName } from './functions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import type { Node } from './parse.ts'
import { names, placeOf } from './relations.ts'
import type { Scope } from './scope.ts'

/** Any element or list of elements. */
export function columnDefinitions(g: Gathered, scope: Scope, value: unknown): void {
  if (Array.isArray(value)) {
    for (const one of value) columnDefinitions(g, scope, one)
    return
  }
  if (!isPart(value)) return
  if (isPart(value.ColumnDef)) column(g, scope, value.ColumnDef)
  else if (isPart(value.Constraint)) constraint(g, scope, value.Constraint)
  else if (isPart(value.TableLikeClause)) {
    if (isPart(value.TableLikeClause.relation)) names(g, placeOf(g, value.TableLikeClause.relation))
  } else if (isPart(value.PartitionElem)) expression(g, scope, value.PartitionElem.expr)
  else if (isPart(value.PartitionRangeDatum)) expression(g, scope, value.PartitionRangeDatum.value)
  else if (isPart(value.PartitionCmd)) {
    if (isPart(value.PartitionCmd.name)) names(g, placeOf(g, value.PartitionCmd.name))
    columnDefinitions(g, scope, value.PartitionCmd.bound)
  } else if (isPart(value.RangeVar)) names(g, placeOf(g, value.RangeVar))
  else if (value.strategy !== undefined) {
    // The inside of a PartitionSpec or PartitionBoundSpec.
    for (const key of ['partParams', 'listdatums', 'lowerdatums', 'upperdatums'])
      columnDefinitions(g, scope, value[key])
  } else if (!isSilent(value)) expression(g, scope, value)
}

/** Elements that hold names and options only. */
function isSilent(value: Part): boolean {
  return ['ReplicaIdentityStmt', 'ATAlterConstraint', 'RoleSpec', 'DefElem', 'String'].some(
    (kind) => value[kind] !== undefined,
  )
}

/** serial and its kin are no types but short for a sequence and a default; only column definitions know them. */
export const SERIAL: ReadonlySet<string> = new Set([
  'serial',
  'serial2',
  'serial4',
  'serial8',
  'smallserial',
  'bigserial',
])

function column(g: Gathered, scope: Scope, inside: Part): void {
  const type = isPart(inside.typeName) ? inside.typeName : undefined
  const parts = dotted(type?.names as Node[] | undefined) ?? []
  if (type !== undefined && !(parts.length === 1 && SERIAL.has(parts[0]!))) judgeTypeName(g, type)
  expression(g, scope, inside.raw_default)
  columnDefinitions(g, scope, inside.constraints)
}

function constraint(g: Gathered, scope: Scope, inside: Part): void {
  expression(g, scope, inside.raw_expr)
  expression(g, scope, inside.where_clause)
  if (isPart(inside.pktable)) names(g, placeOf(g, inside.pktable))
  for (const one of Array.isArray(inside.exclusions) ? inside.exclusions : [])
    exclusion(g, scope, one)
}

/** EXCLUDE: pairs of an index element and an operator. */
function exclusion(g: Gathered, scope: Scope, pair: unknown): void {
  const items = isPart(pair) && isPart(pair.List) ? pair.List.items : undefined
  const [element, operator]: unknown[] = Array.isArray(items) ? items : []
  expression(g, scope, element)
  const name = isPart(operator) && isPart(operator.List) ? operator.List.items : undefined
  expression(g, scope, { A_Expr: { kind: 'AEXPR_OP', name: name ?? [] } })
}
