/**
 * Pure. Views whose rows the target computes whole, whatever is read of them: it may have to look at them again when a row that it
 * changes or locks has changed meanwhile. A view that is planned by itself (security_barrier, DISTINCT, UNION, OFFSET) tells by
 * an error then what its columns are computed from.
 */
import type { Relation } from '../catalogue.ts'
import type { Node, RangeVar } from '../parse.ts'
import { relationOutputs } from './relation-item.ts'
import type { Walk, World } from './walk.ts'

/** `sources`: what stands in FROM or USING beside the rows that are changed, or is locked; sub-selects are locked with it. */
export function wholeRows(walk: Walk, sources: readonly (Node | undefined)[] | undefined): void {
  const { world } = walk
  for (const range of rangesIn(sources)) {
    const named = world.relationOf(range.schemaname, range.relname ?? '')
    for (const view of viewsBelow(named, world)) {
      const told = relationOutputs(view, world).list.flatMap(({ value }) => value.marks)
      walk.forbid(told.filter(({ mask }) => mask?.fallible === true && !mask.monitor))
    }
  }
}

/** The view, if it is one, and those that it reads: locks and second looks go through. */
function viewsBelow(relation: Relation | undefined, world: World): Set<Relation> {
  const found = new Set<Relation>()
  const next = [relation]
  while (next.length > 0) {
    const one = next.pop()
    if (one?.kind !== 'v' || found.has(one)) continue
    found.add(one)
    for (const read of one.reads) next.push(world.relation(read.relation))
  }
  return found
}

function rangesIn(part: unknown): RangeVar[] {
  if (typeof part !== 'object' || part === null) return []
  return Object.entries(part).flatMap(([key, field]: [string, unknown]) =>
    key === 'RangeVar' ? [field as RangeVar] : rangesIn(field),
  )
}
