/**
 * Pure. What a statement does with masked columns, before lineage exists (semantics §5): whether it names any, and
 * why it must be refused if it must. In doubt it is refused.
 *
 * Plain masked columns in the outputs of a top-level SELECT, RETURNING or COPY … TO pass: they come back masked. What
 * a masked value must not do is stand in an expression, decide anything, or be stored where no mask covers it.
 */

import type { ActionClass } from '../../../decide/action.ts'
import type { MaskedColumns } from '../../../mask/plan.ts'
import { type MaskFinding, type Names, NO_MASK } from './analysis.ts'
import type { Relation } from './catalogue.ts'
import { codeRefusal } from './masked-code.ts'
import { definition } from './masked-ddl.ts'
import { type At, NOWHERE, type Place, QueryWalk } from './masked-query.ts'
import {
  clearItem,
  hideOrigin,
  type Item,
  itemOf,
  uniqueMarks,
  type World,
} from './masked-scope.ts'
import { isPart, stringOf } from './nodes.ts'
import type {
  CopyStmt,
  DeleteStmt,
  ExplainStmt,
  InferClause,
  InsertStmt,
  MergeStmt,
  Node,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from './parse.ts'

export interface MaskContext {
  readonly names: Names
  /** undefined: no mask applies, and nothing is found. */
  readonly masked: MaskedColumns | undefined
  /** Of the whole statement: `execute` and `opaque` are refused while a mask applies. */
  readonly classes: readonly ActionClass[]
  /** The relation a name means in this session. */
  resolve(schema: string | undefined, name: string): Relation | undefined
}

export function maskFinding(stmt: Node, context: MaskContext): MaskFinding {
  const masked = context.masked
  if (masked === undefined) return NO_MASK
  const world: World = {
    masked,
    relationOf: (schema, name) => {
      const found = context.resolve(schema, name)
      if (schema !== undefined || found === undefined || masked.touches(found.oid)) return found
      // It hides a masked relation that stands behind it on the path, for as long as it has its name: while the target
      // waits for a lock that may change, so a name means everything that it could mean.
      const hides = context.names.searchPath.some((one) => {
        const behind = context.resolve(one, name)
        const marks =
          behind === undefined ? [] : [...(masked.byRelation.get(behind.oid)?.values() ?? [])]
        return marks.some((mark) => !mark.monitor)
      })
      return hides ? undefined : found
    },
    relation: (oid) =>
      context.names.own.find((one) => one.oid === oid) ?? context.names.catalogue.relation(oid),
  }
  const walk: QueryWalk = new QueryWalk(world, (inner, place, role) =>
    statement(inner, { walk, place, role }),
  )
  if (bindsCode(masked)) {
    const code = codeRefusal(stmt, context.classes)
    if (code !== undefined) walk.refuse(code.reason, code.hint)
  }
  statement(stmt, { walk, place: NOWHERE, role: 'top' })
  return { touches: walk.touches, refusal: walk.refusal, rules: [...walk.rules] }
}

/** Masks that only watch (`mode: monitor`) let code run; detectors alone, without columns, do not. */
function bindsCode(masked: MaskedColumns): boolean {
  if (masked.byRelation.size === 0) return true
  for (const columns of masked.byRelation.values())
    for (const mask of columns.values()) if (!mask.monitor) return true
  return false
}

function statement(stmt: Node, at: At): void {
  if ('SelectStmt' in stmt) at.walk.select(stmt.SelectStmt, at.place, at.role)
  else if ('InsertStmt' in stmt) insert(stmt.InsertStmt, at)
  else if ('UpdateStmt' in stmt) update(stmt.UpdateStmt, at)
  else if ('DeleteStmt' in stmt) remove(stmt.DeleteStmt, at)
  else if ('MergeStmt' in stmt) merge(stmt.MergeStmt, at)
  else if ('CopyStmt' in stmt) copy(stmt.CopyStmt, at)
  else if ('ExplainStmt' in stmt) explain(stmt.ExplainStmt, at)
  else if ('PrepareStmt' in stmt) body(stmt.PrepareStmt.query, at)
  else if ('DeclareCursorStmt' in stmt) body(stmt.DeclareCursorStmt.query, at)
  else definition(stmt, at)
}

function body(query: Node | undefined, at: At): void {
  if (query !== undefined) statement(query, at)
}

/** The target of a write. A write to a view that reads masked columns is refused like reading it. */
function target(range: RangeVar | undefined, at: At): Item {
  return at.walk.relation(itemOf(range ?? {}, at.walk.world))
}

function inside(items: readonly Item[], outer: Place): Place {
  return { ...outer, level: { items, definite: true, parent: outer.level } }
}

/** Columns that are written by name: the statement names them, its literals may be what a mask hides. */
function noteWritten(targets: readonly Node[] | undefined, item: Item, at: At): void {
  for (const one of targets ?? []) {
    const name = 'ResTarget' in one ? one.ResTarget.name : stringOf(one)
    const mark = name === undefined ? undefined : item.marks.get(name)
    if (mark !== undefined) at.walk.note([mark])
  }
}

function insert(part: InsertStmt, at: At): void {
  const { walk } = at
  const outer = walk.withClause(part.withClause, at.place)
  const item = target(part.relation, at)
  if (part.cols === undefined) walk.note([...item.marks.values()])
  noteWritten(part.cols, item, at)
  if (part.selectStmt !== undefined)
    statement(part.selectStmt, { walk, place: outer, role: 'inner' })
  const conflict = part.onConflictClause
  if (conflict !== undefined) {
    // EXCLUDED holds what the client itself sent; its columns must be qualified.
    const place = inside([item, clearItem('excluded', new Set())], outer)
    conflicts(conflict.infer, part, at)
    walk.expression(conflict.infer?.indexElems, place, 'predicate')
    walk.expression(conflict.infer?.whereClause, place, 'predicate')
    noteWritten(conflict.targetList, item, at)
    walk.expression(values(conflict.targetList), place, 'value')
    walk.expression(conflict.whereClause, place, 'predicate')
  }
  returning(part.returningClause, { items: [item], outer, at })
}

/** ON CONFLICT tells whether a row with these values exists. Without columns it may mean any unique index. */
function conflicts(infer: InferClause | undefined, part: InsertStmt, at: At): void {
  const range = part.relation ?? {}
  const item = itemOf(range, at.walk.world)
  const elements = infer?.indexElems ?? []
  for (const element of elements) {
    const name = 'IndexElem' in element ? element.IndexElem.name : undefined
    const mark = name === undefined ? undefined : item.marks.get(name)
    if (mark !== undefined) at.walk.judge([mark], 'predicate')
  }
  if (elements.length > 0) return
  const relation = at.walk.world.relationOf(range.schemaname, range.relname ?? '')
  if (relation !== undefined) at.walk.judge(uniqueMarks(relation, item), 'predicate')
}

function values(targets: readonly Node[] | undefined): (Node | undefined)[] {
  return (targets ?? []).map((one) => ('ResTarget' in one ? one.ResTarget.val : one))
}

function update(part: UpdateStmt, at: At): void {
  const { walk } = at
  const outer = walk.withClause(part.withClause, at.place)
  const item = target(part.relation, at)
  const items = [item, ...walk.from(part.fromClause, outer, [item])]
  const place = inside(items, outer)
  noteWritten(part.targetList, item, at)
  walk.expression(values(part.targetList), place, 'value')
  walk.expression(part.whereClause, place, 'predicate')
  returning(part.returningClause, { items, outer, at })
}

function remove(part: DeleteStmt, at: At): void {
  const { walk } = at
  const outer = walk.withClause(part.withClause, at.place)
  const item = target(part.relation, at)
  const items = [item, ...walk.from(part.usingClause, outer, [item])]
  walk.expression(part.whereClause, inside(items, outer), 'predicate')
  returning(part.returningClause, { items, outer, at })
}

function merge(part: MergeStmt, at: At): void {
  const { walk } = at
  const outer = walk.withClause(part.withClause, at.place)
  const item = target(part.relation, at)
  const source = part.sourceRelation === undefined ? [] : [part.sourceRelation]
  const items = [item, ...walk.from(source, outer, [])]
  const place = inside(items, outer)
  walk.expression(part.joinCondition, place, 'predicate')
  for (const one of part.mergeWhenClauses ?? []) {
    if (!('MergeWhenClause' in one)) continue
    const branch = one.MergeWhenClause
    walk.expression(branch.condition, place, 'predicate')
    noteWritten(branch.targetList, item, at)
    walk.expression(values(branch.targetList), place, 'value')
    walk.expression(branch.values, place, 'value')
  }
  returning(part.returningClause, { items, outer, at })
}

/** RETURNING sees the written row, as OLD and NEW too (PostgreSQL 18), whose columns have no origin. */
function returning(
  clause: ReturningClause | undefined,
  { items, outer, at }: { items: readonly Item[]; outer: Place; at: At },
): void {
  if (clause === undefined) return
  const names = ['old', 'new']
  for (const option of clause.options ?? [])
    if ('ReturningOption' in option) names.push(option.ReturningOption.value ?? '')
  const written = items[0]
  const versions = written === undefined ? [] : names.map((ref) => version(written, ref))
  const place = inside(items, outer)
  // Second, so that a table that is itself called "new" is meant first.
  const below = { ...outer, level: { items: versions, definite: false, parent: outer.level } }
  const level = { items, definite: true, parent: below.level }
  at.walk.outputs(clause.exprs, { ...place, level }, at.role)
}

function version(item: Item, ref: string): Item {
  const marks = new Map([...item.marks].map(([name, mark]) => [name, hideOrigin(mark)]))
  return { ...item, ref, qualified: undefined, marks }
}

function copy(part: CopyStmt, at: At): void {
  const { walk } = at
  // The rows of COPY (query) carry no word about which columns they are.
  if (part.query !== undefined) statement(part.query, { ...at, role: 'inner' })
  if (part.relation === undefined) return
  const item = target(part.relation, at)
  const names = (part.attlist ?? []).map((one) => stringOf(one) ?? '')
  const marks = [...item.marks].filter(([name]) => names.length === 0 || names.includes(name))
  const named = marks.map(([, mark]) => mark)
  walk.expression(part.whereClause, inside([item], at.place), 'predicate')
  if (part.is_from === true) {
    walk.note(named)
    return
  }
  // COPY reads this table's own rows only, so that what its children hide does not matter here.
  walk.note(named.filter((mark) => mark.plain))
  if (named.length > 0 && formatOf(part) === 'binary') walk.judge(named, 'value')
}

function formatOf(part: CopyStmt): string {
  let format = 'text'
  for (const option of part.options ?? [])
    if ('DefElem' in option && option.DefElem.defname === 'format')
      format = stringOf(option.DefElem.arg)?.toLowerCase() ?? 'binary'
  return format
}

/** Plans show estimates, which the statistics of masked columns decide. */
function explain(part: ExplainStmt, at: At): void {
  const { walk } = at
  const query = part.query
  if (query === undefined) return
  // What EXECUTE runs is not known here: it may name masked columns.
  const runs = 'ExecuteStmt' in query
  statement(query, at)
  if ((walk.touches || runs) && !(isOff(part, 'costs') && !has(part, 'serialize')))
    walk.refuse(
      'The plan of a statement that names masked columns shows estimates about their values.',
      'Use EXPLAIN (COSTS OFF).',
    )
}

function has(part: ExplainStmt, name: string): boolean {
  return (part.options ?? []).some((one) => 'DefElem' in one && one.DefElem.defname === name)
}

/** The last one of several counts for PostgreSQL; here all must agree. */
function isOff(part: ExplainStmt, name: string): boolean {
  const options = (part.options ?? []).flatMap((one) =>
    'DefElem' in one && one.DefElem.defname === name ? [one.DefElem.arg] : [],
  )
  return options.length > 0 && options.every(isFalse)
}

function isFalse(arg: Node | undefined): boolean {
  if (!isPart(arg)) return false
  if ('Integer' in arg) return (arg as { Integer: { ival?: number } }).Integer.ival === undefined
  if ('Boolean' in arg) return (arg as { Boolean: { boolval?: boolean } }).Boolean.boolval !== true
  return ['off', 'false'].includes(stringOf(arg)?.toLowerCase() ?? '')
}
