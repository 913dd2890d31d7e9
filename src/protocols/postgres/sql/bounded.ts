/**
 * Pure. Whether all that a statement writes stands on the list of bounded forms (semantics §1, "bounded" and
 * "by_key"): every write part, wherever in the statement it stands, must; everything else is not bounded.
 *
 * Does not know which functions have effects beyond the few that are named here: what runs foreign code has the
 * class `execute`, and whoever knows that a function writes must count it in.
 */

import { truthOf } from './bounded-truth.ts'
import { constantItem, constantItems, coverOf } from './bounded-where.ts'
import type { Relation } from './catalogue.ts'
import { attributesOf, cteNames, dotted, each, isPart } from './nodes.ts'
import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  Node,
  RangeVar,
  SelectStmt,
  UpdateStmt,
} from './parse.ts'

export interface Bounds {
  /** True as well for a statement that writes nothing. */
  readonly bounded: boolean
  /** At least one UPDATE, DELETE or MERGE, and each names all columns of a unique index. */
  readonly byKey: boolean
  /** Every UPDATE and DELETE has a WHERE (MERGE: ON); without one of them, the SELECT has. */
  readonly hasWhere: boolean
  readonly whereAlwaysTrue: boolean
}

export type Resolve = (schema: string | undefined, name: string) => Relation | undefined

/** What one write part adds. `key` and `where` are undefined where the question makes no sense. */
interface Part {
  readonly bounded: boolean
  readonly key: boolean
  readonly where: Node | 'none' | undefined
}

const UNBOUNDED: Part = { bounded: false, key: false, where: undefined }
const BOUNDED: Part = { bounded: true, key: false, where: undefined }

/** Kinds whose effect on stored values has no bound, or none that the text tells. */
const NEVER = new Set([
  'TruncateStmt',
  'AlterTableStmt',
  'AlterTypeStmt',
  'AlterDomainStmt',
  'AlterEnumStmt',
  'AlterSeqStmt',
  'AlterTableMoveAllStmt',
  'CreateTableAsStmt',
  'RefreshMatViewStmt',
  'DropStmt',
  'DropOwnedStmt',
  'DropdbStmt',
  'DropTableSpaceStmt',
  'CreatedbStmt',
  'DoStmt',
  'CallStmt',
  'IntoClause',
])

/** Built-in functions that write without a bound: sequences set, large objects, files, other servers. */
const UNBOUNDED_FUNCTION =
  /^(setval|lo_.*|lowrite|lo|loread|dblink.*|pg_file_.*|pg_logical_emit_message|query_to_xml.*|cursor_to_xml.*)$/

/** Built-in functions that return many rows: in VALUES they make one row many. */
const ROWS_FUNCTION =
  /^(generate_.*|unnest|.*_to_table|regexp_matches|jsonb?_(array_elements|each|object_keys|populate_recordset|to_recordset).*|jsonb_path_query.*|aclexplode|_?pg_.*|pgp_armor_headers|txid_snapshot_xip|ts_(stat|parse|debug|token_type).*|skeys|svals|each|st_(dump|subdivide|.*grid).*)$/

/** `resolve`: the relation that a name means; undefined where there is no catalogue or no such relation. */
export function boundsOf(stmt: Node, resolve: Resolve): Bounds {
  const ctes = cteNames(stmt)
  const parts: Part[] = []
  each(stmt, (kind, inside) => {
    const found = partOf(kind, inside, { resolve, ctes })
    if (found !== undefined) parts.push(found)
    return true
  })
  const keyed = parts.filter((part) => part.where !== undefined)
  const wheres = keyed.length > 0 ? keyed.map((part) => part.where) : [selectWhere(stmt)]
  return {
    bounded: parts.every((part) => part.bounded),
    byKey: keyed.length > 0 && parts.every((part) => part.key),
    hasWhere: wheres.every((where) => where !== undefined && where !== 'none'),
    whereAlwaysTrue: wheres.some((where) => typeof where === 'object' && truthOf(where) === true),
  }
}

interface Around {
  readonly resolve: Resolve
  readonly ctes: ReadonlySet<string>
}

/** Parts are found by kind, so that none is missed wherever the grammar may put one. */
function partOf(kind: string, inside: unknown, around: Around): Part | undefined {
  if (NEVER.has(kind) || kind === 'intoClause') return UNBOUNDED
  if (!isPart(inside)) return undefined
  switch (kind) {
    case 'UpdateStmt':
      return ofUpdate(inside as UpdateStmt, around)
    case 'DeleteStmt':
      return ofDelete(inside as DeleteStmt, around)
    case 'MergeStmt':
      return ofMerge(inside as MergeStmt, around)
    case 'InsertStmt':
      return ofInsert(inside as InsertStmt, around)
    case 'CopyStmt': {
      if (inside.filename !== undefined || inside.is_program === true) return UNBOUNDED
      return inside.is_from === true ? BOUNDED : undefined
    }
    case 'FuncCall': {
      const name = dotted(inside.funcname as Node[] | undefined)?.at(-1) ?? ''
      return UNBOUNDED_FUNCTION.test(name) ? UNBOUNDED : undefined
    }
    default:
      return undefined
  }
}

function ofUpdate(part: UpdateStmt, around: Around): Part {
  return ofRows(part.relation, part.fromClause, { where: part.whereClause, around })
}

function ofDelete(part: DeleteStmt, around: Around): Part {
  return ofRows(part.relation, part.usingClause, { where: part.whereClause, around })
}

function ofRows(
  range: RangeVar | undefined,
  others: readonly Node[] | undefined,
  { where, around }: { where: Node | undefined; around: Around },
): Part {
  if (range === undefined || where === undefined) return { ...UNBOUNDED, where: 'none' }
  if ('CurrentOfExpr' in where) return { ...BOUNDED, where }
  const relation = around.resolve(range.schemaname, range.relname ?? '')
  const alone = (others ?? []).length === 0
  const cover = coverOf(where, { range, relation, alone, constants: constantItems(others) })
  return { bounded: cover.bounded, key: coversKey(cover.columns, relation), where }
}

function ofMerge(part: MergeStmt, around: Around): Part {
  const range = part.relation
  const where = part.joinCondition
  if (range === undefined || where === undefined) return { ...UNBOUNDED, where: 'none' }
  const constant = part.sourceRelation && constantItem(part.sourceRelation)
  const relation = around.resolve(range.schemaname, range.relname ?? '')
  const constants = new Set(constant === undefined ? [] : [constant])
  const cover = coverOf(where, { range, relation, alone: false, constants })
  const branches = (part.mergeWhenClauses ?? []).every((branch) => {
    if (!('MergeWhenClause' in branch)) return false
    const { matchKind, commandType } = branch.MergeWhenClause
    if (commandType === 'CMD_NOTHING') return true
    if (matchKind === 'MERGE_WHEN_MATCHED') return true
    // ON says nothing about rows that do not match: those of the source must be few by themselves.
    return matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_TARGET' && constant !== undefined
  })
  const bounded = cover.bounded && branches
  return { bounded, key: bounded && coversKey(cover.columns, relation), where }
}

function coversKey(columns: ReadonlySet<string>, relation: Relation | undefined): boolean {
  if (relation === undefined) return false
  const numbers = new Set<number>()
  for (const column of relation.columns) if (columns.has(column.name)) numbers.add(column.number)
  return relation.uniqueKeys.some((key) => key.length > 0 && key.every((one) => numbers.has(one)))
}

function ofInsert(part: InsertStmt, around: Around): Part {
  const source = part.selectStmt
  if (source === undefined) return BOUNDED
  if (!('SelectStmt' in source)) return UNBOUNDED
  const select = source.SelectStmt
  if (select.valuesLists !== undefined) return makesRows(select.valuesLists) ? UNBOUNDED : BOUNDED
  return isLimited(select) || isPinned(select, around) ? BOUNDED : UNBOUNDED
}

/** A constant LIMIT at the top. WITH TIES returns as many rows as tie. */
function isLimited(select: SelectStmt): boolean {
  const count = select.limitCount
  if (count === undefined || select.limitOption === 'LIMIT_OPTION_WITH_TIES') return false
  const number = 'TypeCast' in count ? count.TypeCast.arg : count
  return number !== undefined && 'A_Const' in number && number.A_Const.ival !== undefined
}

/** Reads one table, of which its condition pins the rows down, and makes no more of them. */
function isPinned(select: SelectStmt, around: Around): boolean {
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return false
  const [item, ...others] = select.fromClause ?? []
  if (item === undefined || others.length > 0 || !('RangeVar' in item)) return false
  const range = item.RangeVar
  if (range.schemaname === undefined && around.ctes.has(range.relname ?? '')) return false
  if (makesRows(select.targetList) || makesRows(select.groupClause)) return false
  const relation = around.resolve(range.schemaname, range.relname ?? '')
  const table = { range, relation, alone: true, constants: new Set<string>() }
  return coverOf(select.whereClause, table).bounded
}

function makesRows(tree: unknown): boolean {
  let found = false
  each(tree, (kind, inside) => {
    if (!isPart(inside)) return true
    const called = kind === 'FuncCall' ? dotted(inside.funcname as Node[] | undefined)?.at(-1) : ''
    const names = [called ?? '', ...attributesOf(kind, inside)]
    if (names.some((name) => ROWS_FUNCTION.test(name))) found = true
    return true
  })
  return found
}

/** WHERE of the SELECT that the statement is or wraps (EXPLAIN, PREPARE, DECLARE, COPY). */
function selectWhere(stmt: Node): Node | 'none' {
  let where: Node | 'none' | undefined
  each(stmt, (kind, inside) => {
    if (kind !== 'SelectStmt' || !isPart(inside)) return where === undefined
    where ??= (inside as SelectStmt).whereClause ?? 'none'
    return false
  })
  return where ?? 'none'
}
