/**
 * Pure. What each column of a view shows of the relations that the view reads, from the tree that the target keeps of
 * its query. Only what comes out counts: by which rows a view chooses is its maker's design (semantics §5, Predicates).
 *
 * What a node of an unknown kind holds, the column depends on in a way that nobody knows; a view that cannot be read at
 * all gives undefined, and depends on everything that it reads.
 */
import type { MaskableCatalogue } from '../../../../mask/resolve-masks.ts'
import { type Catalogue, type Column, FIRST_USER_OID, type Relation } from '../catalogue.ts'
import { castIsTotal, kindOf } from './kinds.ts'
import { isList, isNode, readTree, type Tree, type TreeNode } from './node-tree.ts'
import { castShows, chooses } from './sizes.ts'
import { totalCall, totalOperator } from './total-functions.ts'
import { columnValue, constant, derived, either, type Value } from './value.ts'

/** One column that a view's column shows. `same`: it is that column; `total`, `other`: computed from it. */
export interface ViewSource {
  readonly relation: number
  /** 0: the whole row. */
  readonly column: number
  readonly how: 'same' | 'total' | 'other'
}

/** Trees are read once: relations stay the same objects while they do not change. */
const READ = new WeakMap<Relation, { readonly columns: ViewColumns | undefined }>()

/** A catalogue that knows which columns its views show. */
export function maskable(catalogue: Catalogue): MaskableCatalogue {
  const routine = (oid: number) => {
    const found = oid < FIRST_USER_OID ? catalogue.routine(oid) : undefined
    return found?.schema === 'pg_catalog' ? found.name : undefined
  }
  return {
    epoch: catalogue.epoch,
    relation: (oid) => catalogue.relation(oid),
    relations: () => catalogue.relations(),
    shows: (oid) => {
      const view = catalogue.relation(oid)
      if (view?.tree === undefined) return undefined
      let read = READ.get(view)
      if (read === undefined) {
        read = { columns: viewColumns(view.tree, routine) }
        READ.set(view, read)
      }
      return read.columns
    },
    mayFail: (oid, number) => {
      const column = catalogue.relation(oid)?.columns.find((one) => one.number === number)
      if (column?.computed === undefined) return false
      let fails = FAILS.get(column)
      if (fails === undefined) {
        fails = !isTotalColumn(column.computed, oid, routine)
        FAILS.set(column, fails)
      }
      return fails
    },
  }
}

/** Of columns that are computed when they are read: nothing on the way may fail by what it is computed from. */
const FAILS = new WeakMap<Column, boolean>()

/** `text`: the tree of the expression, which stands alone and sees the columns of its own row. */
export function isTotalColumn(text: string, relation: number, routine: RoutineName): boolean {
  const tree = readTree(text)
  if (tree === 'unread' || !isNode(tree)) return false
  const own = new Map<string, Tree>([
    ['rtekind', '0'],
    ['relid', String(relation)],
  ])
  const row: TreeNode = { kind: 'RANGETBLENTRY', fields: own }
  const query: TreeNode = { kind: 'QUERY', fields: new Map([['rtable', [row]]]) }
  try {
    return new Reading(routine).expression(tree, query).how !== 'other'
  } catch (error) {
    if (error instanceof Unknown) return false
    throw error
  }
}

/** By attribute number of the view. */
export type ViewColumns = ReadonlyMap<number, readonly ViewSource[]>

/** Name of a built-in function by OID; undefined for all others. */
export type RoutineName = (oid: number) => string | undefined

export function viewColumns(text: string, routine: RoutineName): ViewColumns | undefined {
  const tree = readTree(text)
  const query = isList(tree as Tree) ? (tree as readonly Tree[])[0] : undefined
  if (query === undefined || !isNode(query) || query.kind !== 'QUERY') return undefined
  try {
    const found = new Map<number, readonly ViewSource[]>()
    for (const [at, value] of new Reading(routine).query(query).entries())
      found.set(at + 1, sourcesOf(value))
    return found
  } catch (error) {
    if (error instanceof Unknown) return undefined
    throw error
  }
}

function sourcesOf(value: Value): ViewSource[] {
  const how = value.how === 'identity' ? 'same' : value.how === 'other' ? 'other' : 'total'
  return value.columns.map(({ relation, column }) => ({ relation, column, how }))
}

/** Never leaves this file. */
class Unknown extends Error {}

/** A query and those around it. */
interface Level {
  readonly query: TreeNode
  readonly parent: Level | undefined
}

class Reading {
  readonly #routine: RoutineName
  readonly #known = new Map<Level, Map<string, Value>>()
  readonly #queries = new Map<TreeNode, Value[]>()
  /** Of queries by name that name themselves; undefined while it is worked out. */
  readonly #recursive = new Map<TreeNode, Value | undefined>()

  constructor(routine: RoutineName) {
    this.#routine = routine
  }

  /** What an expression over the tables of a query is. */
  expression(tree: Tree, query: TreeNode): Value {
    return this.#value(tree, { query, parent: undefined })
  }

  /** The columns of a query. */
  query(query: TreeNode, parent?: Level): Value[] {
    const known = this.#queries.get(query)
    if (known !== undefined) return known
    const values = this.#columns(query, { query, parent })
    this.#queries.set(query, values)
    return values
  }

  #columns(query: TreeNode, level: Level): Value[] {
    const targets = list(query, 'targetList').filter(
      (one): one is TreeNode => isNode(one) && one.fields.get('resjunk') === 'false',
    )
    const arms = query.fields.get('setOperations')
    if (arms === undefined) return targets.map((one) => this.#value(one.fields.get('expr'), level))
    // Columns of a set operation name its first arm only.
    const tables = this.#arms(arms)
    return targets.map((_, at) => either(tables.map((index) => this.#column(index, at + 1, level))))
  }

  #arms(tree: Tree): number[] {
    if (!isNode(tree)) throw new Unknown()
    if (tree.kind === 'RANGETBLREF') return [whole(tree, 'rtindex')]
    if (tree.kind !== 'SETOPERATIONSTMT') throw new Unknown()
    return [...this.#arms(tree.fields.get('larg')), ...this.#arms(tree.fields.get('rarg'))]
  }

  #value(tree: Tree, level: Level): Value {
    if (!isNode(tree)) return this.#anything(tree, level)
    const { fields } = tree
    const inner = (name: string) => this.#value(fields.get(name), level)
    const each = (name: string) => list(tree, name).map((one) => this.#value(one, level))
    switch (tree.kind) {
      case 'VAR':
        return this.#variable(tree, level)
      case 'CONST':
        return constant(kindOf(whole(tree, 'consttype')))
      case 'TARGETENTRY':
        return inner('expr')
      case 'RELABELTYPE':
        return derived([inner('arg')], { how: 'total', kind: kindOf(whole(tree, 'resulttype')) })
      case 'COERCEVIAIO': {
        const [value, kind] = [inner('arg'), kindOf(whole(tree, 'resulttype'))]
        const isTotal =
          castIsTotal(value.kind, kind, false) && !castShows(perhapsMasked(value), kind)
        const how = isTotal ? 'total' : 'other'
        return derived([value], { how, kind })
      }
      case 'COALESCEEXPR':
      case 'COALESCE': {
        const kind = kindOf(whole(tree, 'coalescetype'))
        return derived(each('args'), { how: 'total', kind })
      }
      case 'FUNCEXPR':
        return this.#call(tree, {
          values: each('args'),
          function: 'funcid',
          type: 'funcresulttype',
        })
      case 'OPEXPR':
        return this.#operation(tree, each('args'))
      case 'AGGREF': {
        const isPlain =
          list(tree, 'aggorder').length + list(tree, 'aggdistinct').length === 0 &&
          fields.get('aggfilter') === undefined &&
          list(tree, 'aggdirectargs').length === 0
        const values = each('args')
        if (!isPlain) return this.#anything(tree, level)
        return this.#call(tree, { values, function: 'aggfnoid', type: 'aggtype' })
      }
      default:
        return this.#anything(tree, level)
    }
  }

  #call(tree: TreeNode, call: { values: readonly Value[]; function: string; type: string }): Value {
    const kind = kindOf(whole(tree, call.type))
    const name = this.#routine(whole(tree, call.function))
    const values = call.values.map(perhapsMasked)
    const total = name === undefined || chooses(name, values) ? undefined : totalCall(name, values)
    if (total === undefined) return derived(call.values, { how: 'other', kind })
    return derived(call.values, {
      how: total.isAggregate ? 'aggregate' : 'total',
      kind,
      copies: total.copies,
    })
  }

  #operation(tree: TreeNode, values: readonly Value[]): Value {
    const kind = kindOf(whole(tree, 'opresulttype'))
    const isText = CONCATENATIONS.has(this.#routine(whole(tree, 'opfuncid')) ?? '')
    const [left, right] = values
    const total =
      isText && left !== undefined && right !== undefined
        ? totalOperator('||', perhapsMasked(left), perhapsMasked(right))
        : undefined
    if (total === undefined) return derived(values, { how: 'other', kind })
    return derived(values, { how: 'total', kind, copies: total.copies })
  }

  /** `levels` of queries further out than `level`. */
  #variable(tree: TreeNode, level: Level, levels = whole(tree, 'varlevelsup')): Value {
    let at: Level | undefined = level
    for (let up = levels; up > 0; up--) at = at?.parent
    if (at === undefined) throw new Unknown()
    const value = this.#column(whole(tree, 'varno'), whole(tree, 'varattno'), at)
    return { ...value, kind: kindOf(whole(tree, 'vartype')) }
  }

  #column(table: number, column: number, level: Level): Value {
    let known = this.#known.get(level)
    if (known === undefined) {
      known = new Map()
      this.#known.set(level, known)
    }
    const key = `${table}.${column}`
    const before = known.get(key)
    if (before !== undefined) return before
    const value = this.#columnOf(list(level.query, 'rtable')[table - 1], column, level)
    known.set(key, value)
    return value
  }

  #columnOf(entry: Tree, column: number, level: Level): Value {
    if (!isNode(entry)) throw new Unknown()
    const { fields } = entry
    const at = (values: readonly Value[]) =>
      column === 0 ? derived(values, { how: 'total', kind: undefined }) : values[column - 1]
    let found: Value | undefined
    switch (fields.get('rtekind')) {
      case '0': {
        // Places of rows and their like say nothing of what they hold.
        if (column < 0) return constant(undefined)
        const relation = whole(entry, 'relid')
        const label = `${relation}.${column}`
        const source = { label, relation, column, mask: undefined, unknown: false }
        // Its type stands in the view's own use of it, and not here.
        const value = columnValue(source, undefined)
        return column === 0 ? derived([value], { how: 'total', kind: undefined }) : value
      }
      case '1': {
        const query = fields.get('subquery')
        if (isNode(query)) found = at(this.query(query, level))
        break
      }
      case '2':
        found = at(list(entry, 'joinaliasvars').map((one) => this.#value(one, level)))
        break
      case '5':
        found = this.#anything(fields.get('values_lists'), level)
        break
      case '6':
        found = this.#cte(entry, column, { level, up: whole(entry, 'ctelevelsup') })
        break
      case '9':
        found = at(list(entry, 'groupexprs').map((one) => this.#value(one, level)))
        break
      default:
        found = this.#anything(entry, level)
    }
    if (found === undefined) throw new Unknown()
    return found
  }

  /** `from.up`: how many queries further out than `from.level` it is defined. */
  #cte(entry: TreeNode, column: number, from: { level: Level; up: number }): Value | undefined {
    let at: Level | undefined = from.level
    for (let up = from.up; up > 0; up--) at = at?.parent
    if (at === undefined) throw new Unknown()
    const name = entry.fields.get('ctename')
    const cte = list(at.query, 'cteList').find(
      (one): one is TreeNode => isNode(one) && one.fields.get('ctename') === name,
    )
    const query = cte?.fields.get('ctequery')
    if (cte === undefined || !isNode(query)) throw new Unknown()
    if (cte.fields.get('cterecursive') !== 'false') return this.#everything(query, at)
    const values = this.query(query, at)
    return column === 0 ? derived(values, { how: 'total', kind: undefined }) : values[column - 1]
  }

  /** Of one that names itself: all that it reads. What it says of itself adds nothing. */
  #everything(query: TreeNode, level: Level): Value {
    if (!this.#recursive.has(query)) {
      this.#recursive.set(query, undefined)
      this.#recursive.set(query, this.#inside(query, level))
    }
    return this.#recursive.get(query) ?? constant(undefined)
  }

  /** Whatever stands anywhere in this part of the tree. */
  #anything(tree: Tree, level: Level): Value {
    const values: Value[] = []
    const collect = (part: Tree): void => {
      if (isList(part)) part.forEach(collect)
      else if (isNode(part)) {
        if (part.kind === 'VAR') values.push(this.#variable(part, level))
        else if (part.kind === 'QUERY') values.push(this.#inside(part, level))
        else part.fields.forEach(collect)
      }
    }
    collect(tree)
    return derived(values, { how: 'other', kind: undefined })
  }

  /** All relations that stand anywhere inside a query, whole, and what it names and reads of the queries around it. */
  #inside(query: TreeNode, level: Level): Value {
    const values: Value[] = []
    const collect = (part: Tree, depth: number): void => {
      if (isList(part)) for (const one of part) collect(one, depth)
      else if (isNode(part)) {
        const inner = part.kind === 'QUERY' ? depth + 1 : depth
        const up = part.kind === 'VAR' ? whole(part, 'varlevelsup') - depth : -1
        if (up >= 0) values.push(this.#variable(part, level, up))
        // A query by name is no relation, and may be defined further out.
        const byName = part.fields.get('rtekind') === '6' ? whole(part, 'ctelevelsup') - depth : -1
        const read = byName >= 0 ? this.#cte(part, 0, { level, up: byName }) : undefined
        if (read !== undefined) values.push(read)
        const relation = part.fields.get('relid')
        if (relation !== undefined && relation !== '0') {
          const oid = whole(part, 'relid')
          const label = `${oid}.0`
          const source = { label, relation: oid, column: 0, mask: undefined, unknown: false }
          values.push(columnValue(source, undefined))
        }
        for (const field of part.fields.values()) collect(field, inner)
      }
    }
    collect(query, 0)
    return derived(values, { how: 'other', kind: undefined })
  }
}

/** Which columns a mask hides is not known yet. */
function perhapsMasked(value: Value): Value {
  return { ...value, marks: value.columns, fields: value.fields?.map(perhapsMasked) }
}

/** Functions behind `||` of texts. */
const CONCATENATIONS = new Set(['textcat', 'textanycat', 'anytextcat'])

function list(node: TreeNode, name: string): readonly Tree[] {
  const value = node.fields.get(name)
  return isList(value) ? value : []
}

function whole(node: TreeNode, name: string): number {
  const value = node.fields.get(name)
  const number = typeof value === 'string' ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new Unknown()
  return number
}
