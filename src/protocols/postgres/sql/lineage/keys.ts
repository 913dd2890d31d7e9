/**
 * Pure. ORDER BY, GROUP BY and DISTINCT: an expression, an output's place, or an output's name. Each decides by what it
 * means; where it may mean several, by all of them.
 */
import { dotted } from '../nodes.ts'
import type { Node, SelectStmt } from '../parse.ts'
import type { Outputs } from './scope.ts'
import type { Place, Walk } from './walk.ts'

export interface Keyed {
  readonly outputs: Outputs
  readonly place: Place
  /** Behind a set operation only outputs can be named. */
  readonly combined: boolean
}

export function keys(walk: Walk, nodes: readonly Node[] | undefined, at: Keyed): void {
  for (const one of nodes ?? []) {
    const node = 'SortBy' in one ? one.SortBy.node : one
    if (node === undefined) continue
    if ('GroupingSet' in node) keys(walk, node.GroupingSet.content, at)
    // GROUP BY (1, 2) is GROUP BY 1, 2.
    else if ('RowExpr' in node) keys(walk, node.RowExpr.args, at)
    else if ('A_Const' in node) position(walk, (node.A_Const.ival?.ival ?? 0) - 1, at.outputs)
    else key(walk, node, at)
  }
}

/** Everything that comes out decides: DISTINCT, UNION, INTERSECT, EXCEPT. */
export function all(walk: Walk, { list, open }: Outputs): void {
  for (const { value } of list) walk.decides(value)
  if (open !== undefined) walk.decides(open)
}

export function distinct(walk: Walk, select: SelectStmt, at: Keyed): void {
  const nodes = select.distinctClause
  if (nodes === undefined) return
  // Plain DISTINCT is written as one empty node.
  if (nodes.every((node) => Object.keys(node).length === 0)) all(walk, at.outputs)
  else keys(walk, nodes, at)
}

/** A star before it shifts places: then any output may be meant. */
function position(walk: Walk, at: number, outputs: Outputs): void {
  const { list, open, shaky } = outputs
  if (shaky || open !== undefined) all(walk, outputs)
  else if (list[at] !== undefined) walk.decides(list[at].value)
}

function key(walk: Walk, node: Node, { outputs, place, combined }: Keyed): void {
  const name = 'ColumnRef' in node ? dotted(node.ColumnRef.fields) : undefined
  const only = name?.length === 1 ? name[0] : undefined
  let isOutput = false
  if (only !== undefined) {
    for (const { name: own, value } of outputs.list) {
      if (own !== only && own !== undefined) continue
      isOutput ||= own === only
      walk.decides(value)
    }
    if (outputs.open !== undefined) walk.decides(outputs.open)
  }
  if (combined && only !== undefined) return
  // An output's name that is no column can only mean the output.
  if (!isOutput || mayBeColumn(only, place)) walk.decide(node, place)
}

function mayBeColumn(name: string | undefined, place: Place): boolean {
  if (name === undefined) return true
  return (place.level?.items ?? []).some(
    (item) => item.outputs.open !== undefined || item.byName.has(name) || item.ref === name,
  )
}
