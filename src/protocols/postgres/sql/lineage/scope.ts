/**
 * Pure. What a name in a query means: the columns that FROM offers, nested as queries are.
 *
 * The rule throughout: a name means everything that it could mean. Between verdict and run another session may drop a
 * column, so that a name means what stands behind it, and a position the next column: both are counted in wherever
 * something masked is near.
 */

import { dotted } from '../nodes.ts'
import type { Node } from '../parse.ts'
import { CLEAR, derived, record, type Value } from './value.ts'

export interface Named {
  /** undefined: it has a name, but it is not known which. */
  readonly name: string | undefined
  readonly value: Value
}

/** Columns in order, of a query or of something in FROM. */
export interface Outputs {
  readonly list: readonly Named[]
  /** There may be more columns, at any place, which depend on this. */
  readonly open: Value | undefined
  /** Some stand for `*` or are a relation's own: which one stands at which place may change before it runs. */
  readonly shaky: boolean
}

/** One thing that FROM offers columns of. */
export interface Item {
  readonly ref: string
  /** `schema.name` may qualify it: it is a relation without an alias. */
  readonly schema: string | undefined
  readonly outputs: Outputs
  readonly byName: ReadonlyMap<string, Value>
  readonly hasMarks: boolean
}

export interface Level {
  readonly items: readonly Item[]
  /** What `*` stands for. */
  readonly star: Outputs
  /** A column found here hides those of the levels above. False where only a part of `items` may be visible. */
  readonly definite: boolean
  readonly parent: Level | undefined
}

export const NO_OUTPUTS: Outputs = { list: [], open: undefined, shaky: false }

const SYSTEM_COLUMNS = new Set(['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax'])

/** Functions that take any row: `t.f` is `f(t)` as soon as the column f is gone. */
const ROW_FUNCTIONS = new Set(
  (
    'row_to_json to_json to_jsonb json_agg jsonb_agg array_agg quote_literal quote_nullable hash_record record_out ' +
    'record_send concat format max min any_value first_value last_value lag lead num_nulls num_nonnulls count ' +
    'pg_column_size json_build_array jsonb_build_array row_to_json_pretty hstore'
  ).split(' '),
)

export function itemOf(ref: string, outputs: Outputs, schema?: string): Item {
  const byName = new Map<string, Value>()
  const unnamed: Value[] = outputs.open === undefined ? [] : [outputs.open]
  let hasMarks = outputs.open !== undefined && outputs.open.marks.length > 0
  for (const { name, value } of outputs.list) {
    hasMarks ||= value.marks.length > 0
    if (name === undefined) unnamed.push(value)
    else {
      const before = byName.get(name)
      byName.set(name, before === undefined ? value : mixture([before, value]))
    }
  }
  const open = unnamed.length === 0 ? undefined : mixture(unnamed)
  return { ref, schema, outputs: { ...outputs, open }, byName, hasMarks }
}

/** Columns under the names of an alias. */
export function renamed(outputs: Outputs, names: readonly string[]): Outputs {
  if (names.length === 0) return outputs
  const list = steady(outputs).list.map((one, at) => ({
    name: names[at] ?? one.name,
    value: one.value,
  }))
  return { ...outputs, list }
}

/** Columns that are used by their place: where places may shift, each may be any that is masked. */
export function steady(outputs: Outputs): Outputs {
  const { list, open, shaky } = outputs
  const hidden = list.map((one) => one.value).filter((value) => value.marks.length > 0)
  if (open !== undefined && open.marks.length > 0) hidden.push(open)
  if (hidden.length === 0 || (!shaky && open === undefined)) return outputs
  return {
    list: list.map(({ name, value }) => ({ name, value: mixture([value, ...hidden]) })),
    open,
    shaky: true,
  }
}

/** Everything that these columns hold. */
export function whole(outputs: Outputs): Value {
  const values = outputs.list.map((one) => one.value)
  return record(outputs.open === undefined ? values : [...values, outputs.open])
}

/** One of these; nobody knows which. */
export function mixture(values: readonly Value[]): Value {
  const first = values[0]
  if (first === undefined) return CLEAR
  if (values.every((value) => value === first)) return first
  const kind = values.every((value) => value.kind === first.kind) ? first.kind : undefined
  return derived(values, { how: 'total', kind })
}

/** Everything that a name could mean of which nobody knows what it is. */
export function everything(level: Level | undefined): Value {
  const values: Value[] = []
  for (let at = level; at !== undefined; at = at.parent)
    for (const item of at.items) values.push(whole(item.outputs))
  return derived(values, { how: 'other', kind: undefined })
}

/** What a column reference without a star means. */
export function columnRef(fields: readonly Node[] | undefined, level: Level | undefined): Value {
  const parts = dotted(fields)
  if (parts === undefined || parts.length === 0) return everything(level)
  return parts.length === 1 ? unqualified(parts[0]!, level) : qualified(parts, level)
}

/** What `*` or `t.*` stands for. */
export function starred(path: readonly string[] | undefined, level: Level | undefined): Outputs {
  if (path?.length === 0) return level?.star ?? NO_OUTPUTS
  const items = path === undefined ? [] : itemsNamed(path.at(-1)!, path.at(-2), level)
  if (items.length === 1) return items[0]!.outputs
  return { list: [], open: everything(level), shaky: true }
}

function unqualified(name: string, level: Level | undefined): Value {
  const rows: Value[] = []
  const perhaps: Value[] = []
  for (let at = level; at !== undefined; at = at.parent) {
    const found: Value[] = []
    for (const item of at.items) {
      const value = item.byName.get(name)
      if (value !== undefined) found.push(value)
      else if (item.outputs.open !== undefined) perhaps.push(item.outputs.open)
      if (item.ref === name) rows.push(whole(item.outputs))
    }
    if (found.length === 0) continue
    if (!at.definite) {
      perhaps.push(...found)
      continue
    }
    const others = [...perhaps, ...rows, ...behind(name, at.parent)]
    return alternatives(found, others)
  }
  if (rows.length > 0) return alternatives(rows, perhaps)
  if (perhaps.length > 0) return alternatives(perhaps, [])
  return SYSTEM_COLUMNS.has(name) ? CLEAR : everything(level)
}

/** `others` count only where a mask hides something of them; their types count in any case. */
function alternatives(found: readonly Value[], others: readonly Value[]): Value {
  if (others.length === 0) return mixture(found)
  const hidden = others.filter((one) => one.marks.length > 0)
  const value = mixture([...found, ...hidden])
  return others.every((one) => one.kind === value.kind) ? value : { ...value, kind: undefined }
}

/** What a name means further out. */
function behind(name: string, from: Level | undefined): Value[] {
  const values: Value[] = []
  for (let at = from; at !== undefined; at = at.parent)
    for (const item of at.items) {
      if (!item.hasMarks) continue
      if (item.ref === name) values.push(whole(item.outputs))
      const value = item.byName.get(name) ?? item.outputs.open
      if (value !== undefined) values.push(value)
    }
  return values
}

function itemsNamed(ref: string, schema: string | undefined, level: Level | undefined): Item[] {
  const found: Item[] = []
  for (let at = level; at !== undefined; at = at.parent) {
    for (const item of at.items)
      if (item.ref === ref && (schema === undefined || fits(item, schema))) found.push(item)
    if (found.length > 0 && at.definite) return found
  }
  return found
}

/** An unknown relation carries only what the text called it. */
function fits(item: Item, schema: string): boolean {
  return (
    item.schema === schema || (item.outputs.open !== undefined && item.outputs.list.length === 0)
  )
}

function qualified(parts: readonly string[], level: Level | undefined): Value {
  const column = parts.at(-1)!
  const items = itemsNamed(parts.at(-2)!, parts.at(-3), level)
  if (items.length === 0) return everything(level)
  const values = items.map((item) => inItem(item, column))
  return values.length === 1 ? values[0]! : mixture(values)
}

function inItem(item: Item, column: string): Value {
  const value = item.byName.get(column)
  if (value !== undefined)
    return item.hasMarks && ROW_FUNCTIONS.has(column)
      ? mixture([value, whole(item.outputs)])
      : value
  if (SYSTEM_COLUMNS.has(column)) return CLEAR
  if (item.outputs.open !== undefined && !item.hasMarks) return item.outputs.open
  // `c.f` is f(c) where c has no column f: the whole row.
  return derived([whole(item.outputs)], { how: 'other', kind: undefined })
}
