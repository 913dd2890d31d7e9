/**
 * Pure. Whether an update of a relation tells what was equal already: a built-in trigger skips rows that it would leave as they are,
 * and the number of updated rows says so. What triggers of users' own compare nobody sees.
 * https://www.postgresql.org/docs/18/functions-trigger.html
 */
import type { Relation } from '../catalogue.ts'
import type { RangeVar } from '../parse.ts'
import { reach, readByView } from './reach.ts'
import type { World } from './walk.ts'

/** Rows may lie in partitions and children, triggers come from above (internal ones before PostgreSQL 15), a view writes to what it reads. */
export function skipsEqual(range: RangeVar | undefined, world: World): boolean {
  const written = world.relationOf(range?.schemaname, range?.relname ?? '')
  const near = (one: Relation) => [...one.children, ...one.parents, ...readByView(one)]
  return [...reach(written, near, world)].some((one) => one.skipsEqual === true)
}
