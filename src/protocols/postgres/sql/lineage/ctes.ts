/**
 * Pure. WITH: queries under a name. Under RECURSIVE one may name itself; what its columns depend on is then worked out
 * again and again until nothing is added, which it soon is: each round only adds.
 */
import { dotted, stringOf } from '../nodes.ts'
import type { CommonTableExpr, WithClause } from '../parse.ts'
import { everything, type Named, type Outputs, renamed, steady } from './scope.ts'
import { CLEAR, derived, either, HOWS, type Value } from './value.ts'
import type { Cte, Place, Walk } from './walk.ts'

const ROUNDS_MAX = 8

/** The place inside a statement with this WITH. */
export function withClause(walk: Walk, clause: WithClause | undefined, outer: Place): Place {
  if (clause === undefined) return outer
  const ctes = new Map(outer.ctes)
  const place = { level: outer.level, ctes }
  const list = (clause.ctes ?? []).flatMap((one) =>
    'CommonTableExpr' in one ? [one.CommonTableExpr] : [],
  )
  if (clause.recursive === true) {
    const made = list.map((cte) => new Recursive(walk, cte, place))
    for (const one of made) ctes.set(one.name, one)
    // One that nobody names may still change data.
    for (const one of made) one.outputs()
    return place
  }
  for (const cte of list) {
    const inside = { ...place, ctes: new Map(ctes) }
    const query = cte.ctequery
    const outputs = query === undefined ? undefined : walk.statement(query, inside, 'inner')
    const named = withNames(outputs ?? { list: [], open: CLEAR, shaky: false }, cte)
    ctes.set(cte.ctename ?? '', { outputs: () => named })
  }
  return place
}

function withNames(outputs: Outputs, cte: CommonTableExpr): Outputs {
  return renamed(
    outputs,
    (cte.aliascolnames ?? []).map((one) => stringOf(one) ?? ''),
  )
}

class Recursive implements Cte {
  readonly name: string
  readonly #walk: Walk
  readonly #cte: CommonTableExpr
  readonly #place: Place
  #known: Outputs | undefined
  #isBusy = false
  #namesItself = false

  constructor(walk: Walk, cte: CommonTableExpr, place: Place) {
    this.name = cte.ctename ?? ''
    this.#walk = walk
    this.#cte = cte
    this.#place = place
  }

  outputs(): Outputs {
    if (this.#isBusy) {
      this.#namesItself = true
      // Before anything is known of it: whatever can be reached.
      return this.#known ?? { list: [], open: everything(this.#place.level), shaky: true }
    }
    this.#known ??= this.#worked()
    return this.#known
  }

  #worked(): Outputs {
    this.#isBusy = true
    const query = this.#cte.ctequery
    if (query === undefined) return { list: [], open: CLEAR, shaky: false }
    const select = 'SelectStmt' in query ? query.SelectStmt : undefined
    if (select?.larg !== undefined) {
      const place = this.#inside(select.withClause)
      this.#known = withNames(this.#walk.select(select.larg, place, 'inner'), this.#cte)
    }
    for (let round = 0; ; round++) {
      this.#namesItself = false
      const outputs = withNames(this.#walk.statement(query, this.#place, 'inner'), this.#cte)
      const isDone =
        !this.#namesItself || (this.#known !== undefined && covers(this.#known, outputs))
      this.#known = outputs
      if (isDone) break
      if (round === ROUNDS_MAX) {
        this.#known = { list: [], open: all(outputs), shaky: true }
        break
      }
    }
    this.#isBusy = false
    return this.#cycles(this.#known)
  }

  #inside(clause: WithClause | undefined): Place {
    return withClause(this.#walk, clause, this.#place)
  }

  /** SEARCH and CYCLE add columns, and go by the columns that they name. */
  #cycles(outputs: Outputs): Outputs {
    const { search_clause: search, cycle_clause: cycle } = this.#cte
    if (search === undefined && cycle === undefined) return outputs
    const named = [
      ...(dotted(search?.search_col_list) ?? []),
      ...(dotted(cycle?.cycle_col_list) ?? []),
    ]
    const values = steady(outputs).list.filter((one) => named.includes(one.name ?? ''))
    for (const { value } of values) this.#walk.decides(value)
    const value = derived(
      values.map((one) => one.value),
      { how: 'other', kind: undefined },
    )
    const added = [search?.search_seq_column, cycle?.cycle_mark_column, cycle?.cycle_path_column]
    const list: Named[] = added.flatMap((name) => (name === undefined ? [] : [{ name, value }]))
    return { ...outputs, list: [...outputs.list, ...list] }
  }
}

/** Nothing of `now` is not in `before`. */
function covers(before: Outputs, now: Outputs): boolean {
  return (
    before.list.length === now.list.length &&
    now.list.every(({ value }, at) => within(value, before.list[at]!.value)) &&
    (now.open === undefined || (before.open !== undefined && within(now.open, before.open)))
  )
}

function within(value: Value, other: Value): boolean {
  return (
    HOWS.indexOf(value.how) <= HOWS.indexOf(other.how) &&
    value.kind === other.kind &&
    value.columns.length <= other.columns.length &&
    value.copies <= other.copies
  )
}

function all({ list, open }: Outputs): Value {
  const values = list.map((one) => one.value)
  return derived([either(values), ...(open === undefined ? [] : [open])], {
    how: 'other',
    kind: undefined,
  })
}
