/**
 * Pure. SELECT, VALUES and TABLE: what each output depends on, and what decides which rows there are.
 * https://www.postgresql.org/docs/current/sql-select.html
 */
import { dotted } from '../nodes.ts'
import type { Node, SelectStmt } from '../parse.ts'
import { window } from './calls.ts'
import { withClause } from './ctes.ts'
import { from } from './from.ts'
import { all, distinct, keys } from './keys.ts'
import { unified } from './kinds.ts'
import { isStar, nameOf } from './names.ts'
import { type Level, type Named, NO_OUTPUTS, type Outputs, starred, steady } from './scope.ts'
import { meeting } from './spot.ts'
import { CLEAR, constant } from './value.ts'
import type { Place, Role, Walk } from './walk.ts'
import { wholeRows } from './whole-rows.ts'

export function select(
  walk: Walk,
  part: SelectStmt,
  { place: outer, role }: { place: Place; role: Role },
): Outputs {
  if (!walk.step()) return NO_OUTPUTS
  const place = withClause(walk, part.withClause, outer)
  const isCombined = part.larg !== undefined && part.rarg !== undefined
  const outputs = isCombined ? combined(walk, part, place) : single(walk, part, place)
  if (role === 'stored' || goesInto(part)) stored(walk, outputs)
  else if (role !== 'top' || isCombined || hasOrder(part)) many(walk, outputs)
  if (role !== 'top') walk.compute(outputs)
  return outputs
}

/** There may be several rows, and they come in an order that the room they take can change. */
function hasOrder(part: SelectStmt): boolean {
  return part.groupClause !== undefined || part.sortClause !== undefined
}

/** What tells by its length stands in a result of one row alone, where nothing shows it. */
function many(walk: Walk, { list, open }: Outputs): void {
  for (const value of [...list.map((one) => one.value), ...(open === undefined ? [] : [open])]) {
    if (!value.weighs) continue
    const marks = value.marks.filter(({ mask }) => mask?.inPredicates !== 'allow')
    const told = marks.find(({ mask }) => mask?.monitor === false && mask.fallible !== true)
    if (told !== undefined)
      walk.refuse(
        `${told.label} is masked, and the length of such an aggregate would tell what it holds.`,
        'Ask for it in a statement of one row, without GROUP BY, ORDER BY and sub-selects; or leave it out.',
      )
    walk.forbid(marks)
  }
}

/** INTO stands in the first arm of a set operation, and takes the rows of all. */
function goesInto(part: SelectStmt): boolean {
  return part.intoClause !== undefined || (part.larg !== undefined && goesInto(part.larg))
}

function single(walk: Walk, part: SelectStmt, place: Place): Outputs {
  const { items, star } = from(walk, part.fromClause, { outer: place, beside: [] })
  if (part.lockingClause !== undefined) wholeRows(walk, part.fromClause)
  const level: Level = { items, star, definite: true, parent: place.level }
  const inside = { ...place, level }
  const outputs =
    part.valuesLists === undefined
      ? targets(walk, part.targetList, inside)
      : values(walk, part.valuesLists, inside)
  walk.decide(part.whereClause, inside)
  walk.decide(part.havingClause, inside)
  for (const one of part.windowClause ?? [])
    if ('WindowDef' in one) window(walk, one.WindowDef, inside)
  const at = { outputs, place: inside, combined: false }
  keys(walk, part.groupClause, at)
  distinct(walk, part, at)
  tail(walk, part, at)
  return outputs
}

/** What comes out is stored where no mask covers it. */
export function stored(walk: Walk, { list, open }: Outputs): void {
  for (const { value } of list) walk.forbid(value.marks)
  if (open !== undefined) walk.forbid(open.marks)
}

function tail(
  walk: Walk,
  part: SelectStmt,
  at: { outputs: Outputs; place: Place; combined: boolean },
): void {
  keys(walk, part.sortClause, at)
  walk.decide(part.limitCount, at.place)
  walk.decide(part.limitOffset, at.place)
}

/** Outputs of a SELECT or RETURNING. */
export function targets(walk: Walk, nodes: readonly Node[] | undefined, place: Place): Outputs {
  const list: Named[] = []
  let open: Outputs['open']
  let shaky = false
  for (const node of nodes ?? []) {
    const value = 'ResTarget' in node ? node.ResTarget.val : node
    if (isStar(value) && value !== undefined && 'ColumnRef' in value) {
      const path = dotted((value.ColumnRef.fields ?? []).toSpliced(-1))
      const star = starred(path, place.level)
      list.push(...star.list)
      if (star.open !== undefined) open = star.open
      shaky ||= star.shaky
    } else {
      const name = 'ResTarget' in node ? node.ResTarget.name : undefined
      const found = walk.value(value, place)
      // `(row).*` makes as many outputs as the row has columns.
      if (isExpanded(value)) {
        open = found
        shaky = true
      } else list.push({ name: name ?? nameOf(value), value: found })
    }
  }
  return { list, open, shaky }
}

function isExpanded(value: Node | undefined): boolean {
  const last =
    value !== undefined && 'A_Indirection' in value
      ? value.A_Indirection.indirection?.at(-1)
      : undefined
  return last !== undefined && 'A_Star' in last
}

function values(walk: Walk, rows: readonly Node[], place: Place): Outputs {
  const lists = rows.map((row) => {
    const items = 'List' in row ? (row.List.items ?? []) : []
    return items.map((item) => walk.value(item, place))
  })
  const width = Math.max(0, ...lists.map((list) => list.length))
  const list: Named[] = []
  for (let at = 0; at < width; at++) {
    const column = lists.map((row) => row[at] ?? CLEAR)
    const isPlain = column.every((one) => one.how === 'constant')
    const value = isPlain
      ? constant(unified(column.map((one) => one.kind)))
      : meeting(walk, column, { place, use: 'value' })
    list.push({ name: `column${at + 1}`, value })
  }
  return { list, open: undefined, shaky: false }
}

/** UNION, INTERSECT, EXCEPT: columns meet by place. */
function combined(walk: Walk, part: SelectStmt, place: Place): Outputs {
  const arms = [part.larg, part.rarg].map((arm) => {
    const made = arm === undefined ? NO_OUTPUTS : walk.select(arm, place, 'inner')
    const outputs = steady(made)
    if (part.op !== 'SETOP_UNION' || part.all !== true) all(walk, outputs)
    return outputs
  })
  const [left, right] = arms as [Outputs, Outputs]
  const list = left.list.map(({ name, value }, at) => {
    const other = right.list[at]?.value ?? CLEAR
    return { name, value: meeting(walk, [value, other], { place, use: 'value' }) }
  })
  const opens = [left.open, right.open].filter((one) => one !== undefined)
  const open =
    opens.length === 0
      ? undefined
      : meeting(walk, [...opens, ...[...left.list, ...right.list].map((one) => one.value)], {
          place,
          use: 'value',
        })
  const outputs = { list, open, shaky: left.shaky || right.shaky }
  const level = { items: [], star: NO_OUTPUTS, definite: false, parent: place.level }
  tail(walk, part, { outputs, place: { ...place, level }, combined: true })
  return outputs
}
