/**
 * Pure. Views whose rows the target computes whole, whatever is read of them: it may have to look at them again when a row that it
 * changes or locks has changed meanwhile. A view that is planned by itself (security_barrier, DISTINCT, UNION, OFFSET) tells by
 * an error then what its columns are computed from.
 */
import type { Node, RangeVar } from '../parse.ts'
import { marksOf, rangeItem } from './relation-item.ts'
import type { Walk } from './walk.ts'

/** `sources`: what stands in FROM or USING beside the rows that are changed, or is locked; sub-selects are locked with it. */
export function wholeRows(walk: Walk, sources: readonly (Node | undefined)[] | undefined): void {
  for (const range of rangesIn(sources)) {
    const told = marksOf(rangeItem(range, walk.world)).filter(
      ({ mask, relation }) =>
        mask?.fallible === true && !mask.monitor && walk.world.relation(relation)?.kind === 'v',
    )
    walk.forbid(told)
  }
}

function rangesIn(part: unknown): RangeVar[] {
  if (typeof part !== 'object' || part === null) return []
  return Object.entries(part).flatMap(([key, field]: [string, unknown]) =>
    key === 'RangeVar' ? [field as RangeVar] : rangesIn(field),
  )
}
