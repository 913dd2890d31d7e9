/**
 * Pure. Walks SELECT, VALUES and TABLE: WITH, FROM, and every expression, each in its scope.
 * https://www.postgresql.org/docs/current/sql-select.html
 */
import { constantOf } from './constants.ts'
import { expression } from './expressions.ts'
import { judgeOperator } from './functions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part, stringOf } from './nodes.ts'
import type { Node } from './parse.ts'
import { placeMade, placeNamed, placeOf, reads } from './relations.ts'
import {
  type Cte,
  cteNamed,
  derivedItem,
  type Item,
  nested,
  type Outputs,
  relationItem,
  type Scope,
} from './scope.ts'
import { columnDefinitions } from './table-elements.ts'

/** `select`: the inside of a SelectStmt. Gives the names of its columns where they are known. */
export function query(g: Gathered, outer: Scope | undefined, select: Part): Outputs {
  const ctes = withClause(g, outer, select.withClause)
  g.run('read', '')
  if (select.intoClause !== undefined) into(g, select.intoClause)
  if (isPart(select.larg) && isPart(select.rarg)) {
    const scope = nested(outer, ctes)
    const outputs = query(g, scope, select.larg)
    query(g, scope, select.rarg)
    const result = nested(outer, ctes)
    result.items.push(derivedItem('', outputs, []))
    tail(g, result, select)
    return outputs
  }
  const inside = nested(outer, ctes)
  const scope = { ...inside, setting: settingName(g, inside, select) }
  fromClause(g, scope, select.fromClause)
  for (const key of CLAUSES) expression(g, scope, select[key])
  const outputs = outputsOf(scope, select)
  tail(g, scope, select)
  return outputs
}

const CLAUSES = [
  'targetList',
  'whereClause',
  'groupClause',
  'havingClause',
  'windowClause',
  'distinctClause',
  'valuesLists',
]

/** What a set operation may have as well. */
function tail(g: Gathered, scope: Scope, select: Part): void {
  expression(g, scope, select.sortClause)
  expression(g, scope, select.limitOffset)
  expression(g, scope, select.limitCount)
  if (select.lockingClause !== undefined) g.give('write', 'SELECT … FOR UPDATE or SHARE locks rows')
}

/** SELECT INTO makes a table. */
function into(g: Gathered, clause: unknown): void {
  const relation = isPart(clause) ? clause.rel : undefined
  if (isPart(relation)) makesTable(g, relation, 'SELECT INTO')
  else g.notUnderstood('INTO names no table.')
}

/** SELECT INTO and CREATE TABLE AS: a new relation is filled. */
export function makesTable(g: Gathered, relation: Part, tag: string): void {
  const place = placeMade(g, relation)
  g.tables.add(place.name)
  g.objects.add(place.name)
  if (g.dry > 0) return
  g.tag(tag)
  g.tablesWritten.add(place.name)
  if (place.temporary) g.give('write', 'a temporary table is made')
  else {
    g.give('schema', `${tag} makes a table`)
    g.change({ bounded: false })
  }
  g.changesNames({ shared: !place.temporary })
}

/** Gives what may be named besides relations: the CTEs around, and these. */
export function withClause(
  g: Gathered,
  outer: Scope | undefined,
  clause: unknown,
): Cte | undefined {
  let ctes = outer?.ctes
  if (!isPart(clause) || !Array.isArray(clause.ctes)) return ctes
  const all = clause.ctes.flatMap((one: unknown) =>
    isPart(one) && isPart(one.CommonTableExpr) ? [one.CommonTableExpr] : [],
  )
  if (clause.recursive === true)
    for (const one of all)
      ctes = { name: String(one.ctename ?? ''), outputs: undefined, next: ctes }
  for (const one of all) {
    const scope = nested(outer, ctes)
    const known = isPart(one.ctequery) ? g.walkers.statement(g, scope, one.ctequery) : undefined
    const named = dotted(one.aliascolnames as Node[] | undefined) ?? []
    const extra = one.search_clause !== undefined || one.cycle_clause !== undefined
    const outputs =
      known === undefined || extra
        ? undefined
        : [...named, ...known.filter((_, at) => at >= named.length)]
    expression(g, scope, cycleValues(one.cycle_clause))
    ctes = { name: String(one.ctename ?? ''), outputs, next: ctes }
  }
  return ctes
}

function cycleValues(clause: unknown): unknown {
  return isPart(clause) ? [clause.cycle_mark_value, clause.cycle_mark_default] : undefined
}

export function fromClause(g: Gathered, scope: Scope, clause: unknown): void {
  if (!Array.isArray(clause)) return
  for (const one of clause) scope.items.push(...fromItem(g, scope, one))
}

/** Names by which a FROM item goes, as its alias says. */
function aliasOf(inside: Part): { name: string | undefined; renames: readonly string[] } {
  const alias = isPart(inside.alias) ? inside.alias : undefined
  return {
    name: typeof alias?.aliasname === 'string' ? alias.aliasname : undefined,
    renames: dotted(alias?.colnames as Node[] | undefined) ?? [],
  }
}

/** Items that a FROM item adds. Those of a join are added while it is walked, for LATERAL and ON. */
function fromItem(g: Gathered, scope: Scope, node: unknown): readonly Item[] {
  if (!isPart(node)) return []
  if (isPart(node.RangeVar)) return [rangeVar(g, scope, node.RangeVar)]
  if (isPart(node.JoinExpr)) return joined(g, scope, node.JoinExpr)
  if (isPart(node.RangeSubselect)) return [subselect(g, scope, node.RangeSubselect)]
  if (isPart(node.RangeFunction)) {
    expression(g, scope, node.RangeFunction.functions)
    columnDefinitions(g, scope, node.RangeFunction.coldeflist)
    return [rangeFunction(node.RangeFunction)]
  }
  if (isPart(node.RangeTableSample)) {
    const { relation, args, repeatable, method } = node.RangeTableSample
    expression(g, scope, args)
    expression(g, scope, repeatable)
    const name = (dotted(method as Node[] | undefined) ?? []).at(-1)
    if (name !== 'bernoulli' && name !== 'system')
      g.run('execute', `${String(name)} is a sampling method that is not built in`)
    return fromItem(g, scope, relation)
  }
  for (const kind of ['RangeTableFunc', 'JsonTable']) {
    const inside = node[kind]
    if (!isPart(inside)) continue
    const { alias: _, ...rest } = inside
    expression(g, scope, rest)
    return [derivedItem(aliasOf(inside).name ?? '', undefined, aliasOf(inside).renames)]
  }
  g.notUnderstood(`${Object.keys(node)[0]} is a kind of FROM item that the gateway does not know.`)
  return []
}

/** The inside of a RangeVar in FROM: a CTE or a relation. */
export function rangeVar(g: Gathered, scope: Scope, part: Part): Item {
  const { name, renames } = aliasOf(part)
  const own = String(part.relname ?? '')
  const cte = part.schemaname === undefined ? cteNamed(scope, own) : undefined
  if (cte !== undefined) return derivedItem(name ?? own, cte.outputs, renames)
  const place = placeOf(g, part)
  reads(g, place)
  const schema = name === undefined ? place.schema : undefined
  const as = { name: name ?? own, schema, renames }
  return relationItem(place.relation ?? { unknown: place.name }, as)
}

function joined(g: Gathered, scope: Scope, join: Part): readonly Item[] {
  const left = fromItem(g, scope, join.larg)
  const right = fromItem(g, { ...scope, items: [...scope.items, ...left] }, join.rarg)
  const items = [...left, ...right]
  const inside = { ...scope, items: [...scope.items, ...items] }
  expression(g, inside, join.quals)
  const using = dotted(join.usingClause as Node[] | undefined) ?? []
  const natural = join.isNatural === true ? common(left, right) : []
  if (using.length > 0 || join.isNatural === true) judgeOperator(g, ['='])
  for (const name of [...using, ...natural])
    for (const item of items) {
      const fact = item.columns.get(name)
      if (fact !== undefined) g.columns.add(fact)
    }
  const { name, renames } = aliasOf(join)
  return name === undefined ? items : [...items, whole(name, items, renames)]
}

/** Names of columns on both sides of a natural join. */
function common(left: readonly Item[], right: readonly Item[]): string[] {
  const names = new Set(left.flatMap((item) => [...item.columns.keys()]))
  return right.flatMap((item) => [...item.columns.keys()]).filter((name) => names.has(name))
}

/** `(a JOIN b) AS j`: j has the columns of both. */
function whole(name: string, items: readonly Item[], renames: readonly string[]): Item {
  const columns = new Map<string, string | undefined>()
  const all = items.flatMap((item) => [...item.columns])
  for (const [at, [column, fact]] of all.entries()) columns.set(renames[at] ?? column, fact)
  const open = items.find((item) => item.open !== undefined)?.open
  return { name, schema: undefined, columns, open }
}

function subselect(g: Gathered, scope: Scope, inside: Part): Item {
  const { name, renames } = aliasOf(inside)
  // Without LATERAL it sees what is outside of the query, not its neighbours.
  const outer = inside.lateral === true ? scope : nested(scope.parent, scope.ctes)
  const select = isPart(inside.subquery) ? inside.subquery.SelectStmt : undefined
  if (!isPart(select)) {
    g.notUnderstood('A sub-select could not be read.')
    return derivedItem(name ?? '', undefined, renames)
  }
  return derivedItem(name ?? '', query(g, outer, select), renames)
}

function rangeFunction(inside: Part): Item {
  const { name, renames } = aliasOf(inside)
  const defined = Array.isArray(inside.coldeflist)
    ? inside.coldeflist.flatMap((one: unknown) =>
        isPart(one) && isPart(one.ColumnDef) ? [String(one.ColumnDef.colname ?? '')] : [],
      )
    : undefined
  return derivedItem(name ?? '', defined, renames)
}

/** Names that the columns of a plain SELECT get, as FigureColname gives them; undefined where a star is open. */
function outputsOf(scope: Scope, select: Part): Outputs {
  if (Array.isArray(select.valuesLists)) {
    const first: unknown = select.valuesLists[0]
    const row = isPart(first) && isPart(first.List) ? first.List.items : undefined
    return Array.isArray(row) ? row.map((_, at) => `column${at + 1}`) : undefined
  }
  const outputs: string[] = []
  for (const one of Array.isArray(select.targetList) ? select.targetList : []) {
    const target = isPart(one) && isPart(one.ResTarget) ? one.ResTarget : {}
    const names = typeof target.name === 'string' ? [target.name] : columnNames(scope, target.val)
    if (names === undefined) return undefined
    outputs.push(...names)
  }
  return outputs
}

function columnNames(scope: Scope, value: unknown): readonly string[] | undefined {
  if (!isPart(value)) return undefined
  if (isPart(value.ColumnRef)) {
    const fields = (value.ColumnRef.fields ?? []) as readonly Node[]
    const last = fields.at(-1)
    if (last === undefined || !('A_Star' in last)) return [stringOf(last) ?? '']
    if (fields.length > 1 || scope.items.some((item) => item.open !== undefined)) return undefined
    return scope.items.flatMap((item) => [...item.columns.keys()])
  }
  if (isPart(value.FuncCall))
    return [(dotted(value.FuncCall.funcname as Node[]) ?? []).at(-1) ?? '']
  if (isPart(value.TypeCast)) return columnNames(scope, value.TypeCast.arg)
  if (isPart(value.A_Const) || isPart(value.ParamRef) || isPart(value.A_Expr)) return ['?column?']
  return undefined
}

/** The literal of `FROM pg_settings WHERE name = 'literal'`, which is how pg_dump spells set_config. */
function settingName(g: Gathered, scope: Scope, select: Part): string | undefined {
  const from = Array.isArray(select.fromClause) ? select.fromClause : []
  const only: unknown = from[0]
  if (from.length !== 1 || !isPart(only) || !isPart(only.RangeVar)) return undefined
  const { schemaname, relname, alias } = only.RangeVar
  if (relname !== 'pg_settings' || alias !== undefined) return undefined
  if (schemaname !== 'pg_catalog' && schemaname !== undefined) return undefined
  // A CTE of that name may compute another `name` at each look.
  if (schemaname === undefined && cteNamed(scope, relname) !== undefined) return undefined
  if (placeNamed(g, schemaname, relname).name !== 'pg_catalog.pg_settings') return undefined
  const where = isPart(select.whereClause) ? select.whereClause.A_Expr : undefined
  if (!isPart(where) || where.kind !== 'AEXPR_OP') return undefined
  if ((dotted(where.name as Node[]) ?? []).join('.') !== '=' || !isPart(where.lexpr))
    return undefined
  const column = isPart(where.lexpr.ColumnRef) ? where.lexpr.ColumnRef.fields : undefined
  if ((dotted(column as Node[] | undefined) ?? []).join('.') !== 'name') return undefined
  return constantOf(where.rexpr) ?? undefined
}
