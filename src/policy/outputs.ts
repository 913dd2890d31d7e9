/** Pure. What each result column of a tried statement comes from, and what masks make of it. */
import { pathText, type Transform } from '../mask/transform-spec.ts'
import type { Tried } from './trial.ts'

/** Names of the result columns that the client gets masked; a column without a name counts by its place, `$2`. */
export function maskedOutputs({ lineage: all, masks }: Tried): string[] {
  if (masks?.enforced === undefined) return []
  return (all ?? []).flatMap(({ outputs }) =>
    (outputs ?? []).flatMap(({ name, masked }, at) =>
      masked === undefined ? [] : [name ?? `$${at + 1}`],
    ),
  )
}

/** As it stands in a policy. */
export function transformText(transform: Transform): string {
  switch (transform.type) {
    case 'fixed':
      return `fixed ${JSON.stringify(transform.value)}`
    case 'partial':
      return transform.keepFirst > 0
        ? `partial, first ${transform.keepFirst} kept`
        : `partial, last ${transform.keepLast} kept`
    case 'paths':
      return transform.paths
        .map((one) => `${pathText(one.path) || 'all'} ${transformText(one.transform)}`)
        .join(', ')
    case 'pseudonym':
      return transform.domain === '' ? 'pseudonym' : `pseudonym, domain ${transform.domain}`
    default:
      return transform.type
  }
}
