/** Pure. Relations behind a relation: children, parents, what views read. */
import type { Relation } from '../catalogue.ts'
import type { World } from './walk.ts'

/** `first` and what `next` leads to by OID from each, once each; what the catalogue does not know is left out. */
export function reach(
  first: Relation | undefined,
  next: (one: Relation) => Iterable<number>,
  world: Pick<World, 'relation'>,
): Set<Relation> {
  const found = new Set<Relation>()
  const left = [first]
  while (left.length > 0) {
    const one = left.pop()
    if (one === undefined || found.has(one)) continue
    found.add(one)
    for (const oid of next(one)) left.push(world.relation(oid))
  }
  return found
}

/** What a view reads directly; other relations read nothing. */
export function readByView(one: Relation): number[] {
  return one.kind === 'v' ? one.reads.map(({ relation }) => relation) : []
}
