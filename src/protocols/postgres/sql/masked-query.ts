/**
 * Pure. Walks queries and expressions, and judges every place in which a masked column is named.
 *
 * Before lineage exists (semantics §5) a masked column may come out of a statement in one way only: as a plain
 * column of an ordinary table, at the top level, so that the row description says which column it is. In every other
 * place it is a value inside an expression (refused), or decides which rows come out (refused unless the mask says
 * `in_predicates: allow`). Node kinds that are not known here are walked as expressions.
 *
 * Statements that are not queries stand in masked.ts and masked-ddl.ts.
 */

import { CARRIER_FUNCTIONS } from './masked-code.ts'
import { type Alias, columnsOf, isStarred, outputName, outputNames, union } from './masked-names.ts'
import {
  allMarks,
  clearItem,
  hideOrigin,
  type Item,
  isClear,
  itemOf,
  type Level,
  type Mark,
  meant,
  type Refusal,
  type World,
} from './masked-scope.ts'
import { dotted, isPart, stringOf } from './nodes.ts'
import type { JoinExpr, Node, SelectStmt, WithClause } from './parse.ts'

/** Where a masked column stands. */
export type Use = 'value' | 'predicate'

/** What becomes of a query's outputs: sent to the client, used inside the statement, not looked at (EXISTS). */
export type Role = 'top' | 'inner' | 'exists'

/** What is visible at one place of a statement. */
export interface Place {
  readonly level: Level | undefined
  readonly ctes: ReadonlyMap<string, ReadonlySet<string> | undefined>
}

/** A statement, or a part of one, to be walked. */
export interface At {
  readonly walk: QueryWalk
  readonly place: Place
  readonly role: Role
}

export const NOWHERE: Place = { level: undefined, ctes: new Map() }

/** Statements inside a query: data-modifying CTEs. */
export type Inner = (stmt: Node, place: Place, role: Role) => void

export class QueryWalk {
  touches = false
  refusal: Refusal | undefined
  readonly rules = new Set<string>()
  readonly world: World
  /** Walks a statement inside this one: a sub-query, a CTE, the body of PREPARE. */
  readonly inner: Inner

  constructor(world: World, inner: Inner) {
    this.world = world
    this.inner = inner
  }

  /** The first refusal stays: later ones are often only its consequences. */
  refuse(reason: string, hint: string): void {
    this.refusal ??= { reason, hint }
  }

  /** Notes that the statement names these columns, without judging it. */
  note(marks: readonly Mark[]): void {
    for (const mark of marks) {
      this.touches = true
      if (mark.mask !== undefined) this.rules.add(mark.mask.rule)
    }
  }

  judge(marks: readonly Mark[], use: Use): void {
    this.note(marks)
    for (const { label, mask } of marks) {
      if (mask?.monitor === true) continue
      if (mask === undefined)
        this.refuse(
          `The gateway does not know what ${label} holds while columns are masked.`,
          'Name columns of tables that exist; try again if it was just created.',
        )
      else if (use === 'value')
        this.refuse(
          `${label} is masked and cannot be part of an expression, sub-query or copy.`,
          'Select the column by itself at the top of the statement: it comes back masked. ' +
            'Leave it out of expressions, and name the columns you need instead of *.',
        )
      else if (mask.inPredicates !== 'allow')
        this.refuse(
          `${label} is masked and cannot decide which rows come out, or in which order.`,
          'Filter, join, group and sort by columns that are not masked.',
        )
    }
  }

  /** Outputs of a query or RETURNING: plain masked columns are good at the top, and nowhere else. */
  outputs(targets: readonly Node[] | undefined, place: Place, role: Role): void {
    for (const target of targets ?? []) {
      const value = 'ResTarget' in target ? target.ResTarget.val : target
      if (value === undefined || !('ColumnRef' in value)) {
        this.expression(value, place, 'value')
        continue
      }
      const fields = value.ColumnRef.fields
      const isStar = fields?.at(-1) !== undefined && 'A_Star' in fields.at(-1)!
      if (role === 'exists' && isStar) continue
      const { marks, exact } = meant(fields, place.level)
      const plain = role === 'top' && (exact || isStar)
      this.note(marks)
      this.judge(plain ? marks.filter((mark) => !mark.plain) : marks, 'value')
    }
  }

  select(select: SelectStmt, outer: Place, role: Role): void {
    const place = this.withClause(select.withClause, outer)
    if (select.op !== undefined && select.op !== 'SETOP_NONE') {
      if (select.larg !== undefined) this.select(select.larg, place, 'inner')
      if (select.rarg !== undefined) this.select(select.rarg, place, 'inner')
      this.#tail(select, { ...place, level: { items: [], definite: false, parent: place.level } })
      return
    }
    const items = this.from(select.fromClause, place, [])
    const inside = { ...place, level: { items, definite: true, parent: place.level } }
    const goesOut = select.intoClause === undefined ? role : 'inner'
    const grouped = select.distinctClause !== undefined || select.groupClause !== undefined
    this.outputs(select.targetList, inside, goesOut === 'exists' && grouped ? 'inner' : goesOut)
    this.expression(select.valuesLists, inside, 'value')
    this.expression(select.whereClause, inside, 'predicate')
    this.expression(select.havingClause, inside, 'predicate')
    this.expression(select.windowClause, inside, 'predicate')
    this.#keys(select.groupClause, select, inside)
    this.#distinct(select, inside)
    this.#tail(select, inside)
  }

  #distinct(select: SelectStmt, place: Place): void {
    const keys = select.distinctClause
    if (keys === undefined) return
    // Plain DISTINCT is written as one empty node: every output decides.
    const plain = keys.every((key) => Object.keys(key).length === 0)
    if (plain) for (const target of select.targetList ?? []) this.#output(target, place)
    else this.#keys(keys, select, place)
  }

  #tail(select: SelectStmt, place: Place): void {
    this.#keys(select.sortClause, select, place)
    this.expression(select.limitCount, place, 'predicate')
    this.expression(select.limitOffset, place, 'predicate')
  }

  /** ORDER BY, GROUP BY, DISTINCT ON: an expression, an output's position, or an output's name. */
  #keys(keys: readonly Node[] | undefined, select: SelectStmt, place: Place): void {
    for (const key of keys ?? []) {
      const node = 'SortBy' in key ? key.SortBy.node : key
      if (node === undefined) continue
      // Behind a set operation only outputs can be named, and those are judged in its arms.
      const combined = select.op !== undefined && select.op !== 'SETOP_NONE'
      if (combined && ('ColumnRef' in node || 'A_Const' in node)) continue
      if ('GroupingSet' in node) {
        this.#keys(node.GroupingSet.content, select, place)
        continue
      }
      // GROUP BY (1, 2) is GROUP BY 1, 2.
      if ('RowExpr' in node) {
        this.#keys(node.RowExpr.args, select, place)
        continue
      }
      const targets = select.targetList ?? []
      if ('A_Const' in node) {
        // A star before it shifts positions: then any output may be meant.
        const at = (node.A_Const.ival?.ival ?? 0) - 1
        const chosen = targets.some(isStarred) ? targets : targets.filter((_, one) => one === at)
        for (const target of chosen) this.#output(target, place)
        continue
      }
      const name = 'ColumnRef' in node ? dotted(node.ColumnRef.fields) : undefined
      const named = name?.length === 1 ? targets.filter((one) => outputName(one) === name[0]) : []
      for (const target of named) this.#output(target, place)
      const isAlias = named.some((one) => 'ResTarget' in one && one.ResTarget.name !== undefined)
      if (!isAlias || this.#isColumn(node, place)) this.expression(node, place, 'predicate')
    }
  }

  /** False where an output's name is no column, so that it can only mean the output. */
  #isColumn(node: Node, place: Place): boolean {
    const name = 'ColumnRef' in node ? dotted(node.ColumnRef.fields)?.[0] : undefined
    if (name === undefined) return true
    return (place.level?.items ?? []).some(
      (item) => item.columns === undefined || item.columns.has(name) || item.ref === name,
    )
  }

  #output(target: Node, place: Place): void {
    this.expression('ResTarget' in target ? target.ResTarget.val : target, place, 'predicate')
  }

  /** The place inside a statement with this WITH: its CTEs are visible in the order that RECURSIVE decides. */
  withClause(clause: WithClause | undefined, outer: Place): Place {
    if (clause === undefined) return outer
    const ctes = new Map(outer.ctes)
    const place = { level: outer.level, ctes }
    const list = (clause.ctes ?? []).flatMap((one) =>
      'CommonTableExpr' in one ? [one.CommonTableExpr] : [],
    )
    if (clause.recursive === true) for (const cte of list) ctes.set(cte.ctename ?? '', undefined)
    for (const cte of list) {
      if (cte.ctequery !== undefined)
        this.inner(cte.ctequery, { ...place, ctes: new Map(ctes) }, 'inner')
      const given = (cte.aliascolnames ?? []).map((one) => stringOf(one) ?? '')
      const special = cte.search_clause !== undefined || cte.cycle_clause !== undefined
      const names = given.length > 0 ? new Set(given) : outputNames(cte.ctequery)
      ctes.set(
        cte.ctename ?? '',
        special || (given.length > 0 && names === undefined) ? undefined : names,
      )
    }
    return place
  }

  /** Items of FROM in order; `beside`: those to the left, which LATERAL sees. */
  from(nodes: readonly Node[] | undefined, outer: Place, beside: readonly Item[]): Item[] {
    const items: Item[] = []
    for (const node of nodes ?? []) items.push(...this.#fromOne(node, outer, [...beside, ...items]))
    return items
  }

  #fromOne(node: Node, outer: Place, beside: readonly Item[]): Item[] {
    const lateral = { ...outer, level: { items: beside, definite: false, parent: outer.level } }
    if ('RangeVar' in node) {
      const range = node.RangeVar
      const name = range.relname ?? ''
      if (range.schemaname === undefined && outer.ctes.has(name))
        return [
          clearItem(range.alias?.aliasname ?? name, columnsOf(range.alias, outer.ctes.get(name))),
        ]
      return [this.relation(itemOf(range, this.world))]
    }
    if ('RangeSubselect' in node) {
      const { subquery, alias, lateral: sees } = node.RangeSubselect
      if (subquery !== undefined) this.inner(subquery, sees === true ? lateral : outer, 'inner')
      return [clearItem(alias?.aliasname ?? '', columnsOf(alias, outputNames(subquery)))]
    }
    if ('JoinExpr' in node) return this.#join(node.JoinExpr, outer, beside)
    if ('RangeTableSample' in node) {
      const { relation, args, repeatable } = node.RangeTableSample
      this.expression([args, repeatable], lateral, 'value')
      return relation === undefined ? [] : this.#fromOne(relation, outer, beside)
    }
    this.expression(node, lateral, 'value')
    const inside = Object.values(node)[0]
    const alias = isPart(inside) && isPart(inside.alias) ? (inside.alias as Alias) : undefined
    if (alias === undefined) return [clearItem('', undefined)]
    return [clearItem(alias.aliasname ?? '', columnsOf(alias, undefined))]
  }

  /** A view that reads masked columns is refused wherever it stands: any of its columns may show them. */
  relation(item: Item): Item {
    for (const mark of item.whole) {
      if (mark.mask === undefined || mark.mask.monitor) continue
      this.note([mark])
      this.refuse(
        `${mark.label} reads masked columns, and the gateway cannot tell yet which of its columns show them.`,
        'Select from the tables that the view reads: their masked columns come back masked.',
      )
    }
    return item
  }

  #join(join: JoinExpr, outer: Place, beside: readonly Item[]): Item[] {
    const left = join.larg === undefined ? [] : this.#fromOne(join.larg, outer, beside)
    const right =
      join.rarg === undefined ? [] : this.#fromOne(join.rarg, outer, [...beside, ...left])
    const items = [...left, ...right]
    const level = { items, definite: false, parent: outer.level }
    this.expression(join.quals, { ...outer, level }, 'predicate')
    for (const name of join.usingClause ?? []) this.#merged(stringOf(name) ?? '', items)
    if (join.isNatural === true) this.#natural(left, right)
    const using = join.join_using_alias?.aliasname
    const merged = using === undefined ? [] : [clearItem(using, undefined)]
    const alias = join.alias?.aliasname
    if (alias === undefined) return [...items, ...merged]
    if (items.every(isClear) && join.alias?.colnames === undefined)
      return [clearItem(alias, union(items)), ...merged]
    const marks = allMarks(items).map(hideOrigin)
    // Columns of a renamed join are not followed: any use of it may mean any of them.
    return [
      { ref: alias, qualified: undefined, columns: undefined, marks: new Map(), whole: marks },
      ...merged,
    ]
  }

  /** USING makes one column of two, which has no origin left: refused for masked ones whatever policy allows. */
  #merged(name: string, items: readonly Item[]): void {
    for (const item of items) {
      const mark = item.marks.get(name)
      this.judge(mark === undefined ? item.whole : [mark, ...item.whole], 'value')
    }
  }

  #natural(left: readonly Item[], right: readonly Item[]): void {
    const sides = [left, right]
    for (const [at, side] of sides.entries()) {
      const other = sides[1 - at]!
      const names = union(other)
      for (const item of side)
        for (const [name, mark] of item.marks)
          if (names === undefined || names.has(name)) this.judge([mark], 'value')
    }
    this.judge(
      [...left, ...right].flatMap((item) => item.whole),
      'value',
    )
  }

  /** Any part of a tree in which columns are read. */
  expression(part: unknown, place: Place, use: Use): void {
    if (Array.isArray(part)) {
      for (const one of part) this.expression(one, place, use)
      return
    }
    if (!isPart(part)) return
    for (const key in part) this.#one(key, part[key], { place, use })
  }

  #one(key: string, inside: unknown, { place, use }: { place: Place; use: Use }): void {
    if (!isPart(inside)) {
      this.expression(inside, place, use)
      return
    }
    switch (key) {
      case 'ColumnRef':
        this.judge(meant(inside.fields as Node[] | undefined, place.level).marks, use)
        return
      case 'SubLink': {
        this.expression(inside.testexpr, place, use)
        const role = inside.subLinkType === 'EXISTS_SUBLINK' ? 'exists' : 'inner'
        this.inner(inside.subselect as Node, place, role)
        return
      }
      case 'SelectStmt':
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
      case 'MergeStmt':
        this.inner({ [key]: inside } as unknown as Node, place, 'inner')
        return
      case 'NullTest':
        if (!this.#isNullTestOfOne(inside.arg, place)) this.expression(inside.arg, place, use)
        return
      case 'FuncCall':
        this.#call(inside, { place, use })
        return
      case 'WindowDef':
        this.expression(Object.values(inside), place, 'predicate')
        return
      case 'RangeVar':
        this.judge(allMarks([itemOf(inside, this.world)]), 'value')
        return
      default:
        this.expression(inside, place, use)
    }
  }

  /** NULL or not NULL stays visible unless the mask is `null` (semantics §5, Predicates). */
  #isNullTestOfOne(arg: unknown, place: Place): boolean {
    if (!isPart(arg) || !isPart(arg.ColumnRef)) return false
    const { marks, exact } = meant(arg.ColumnRef.fields as Node[] | undefined, place.level)
    if (!exact || !marks.every((mark) => mark.mask && mark.mask.transform.type !== 'null'))
      return false
    this.note(marks)
    return true
  }

  #call(call: Readonly<Record<string, unknown>>, { place, use }: { place: Place; use: Use }): void {
    const name = dotted(call.funcname as Node[] | undefined)?.at(-1) ?? ''
    const inner = CARRIER_FUNCTIONS.test(name) ? 'value' : use
    this.expression(call.args, place, inner)
    // WITHIN GROUP (ORDER BY x) hands x on; ORDER BY in an ordinary aggregate only sorts.
    this.expression(call.agg_order, place, call.agg_within_group === true ? inner : 'predicate')
    this.expression(call.agg_filter, place, 'predicate')
    if (isPart(call.over)) this.expression(Object.values(call.over), place, 'predicate')
  }
}
