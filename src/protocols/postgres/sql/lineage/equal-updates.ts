/**
 * Pure. Whether an update of a relation tells what was equal already: a built-in trigger skips rows that it would leave as they are,
 * and the number of updated rows says so. What triggers of users' own compare nobody sees.
 * https://www.postgresql.org/docs/18/functions-trigger.html
 */
import type { Relation } from '../catalogue.ts'
import type { RangeVar } from '../parse.ts'
import type { World } from './walk.ts'

/** Rows may lie in partitions and children, triggers come from above (internal ones before PostgreSQL 15), a view writes to what it reads. */
export function skipsEqual(range: RangeVar | undefined, world: World): boolean {
  const first = world.relationOf(range?.schemaname, range?.relname ?? '')
  const seen = new Set<Relation>()
  const next = first === undefined ? [] : [first]
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    if (seen.has(one)) continue
    seen.add(one)
    if (one.skipsEqual === true) return true
    const read = one.kind === 'v' ? one.reads.map(({ relation }) => relation) : []
    for (const oid of [...one.children, ...one.parents, ...read]) {
      const other = world.relation(oid)
      if (other !== undefined) next.push(other)
    }
  }
  return false
}
