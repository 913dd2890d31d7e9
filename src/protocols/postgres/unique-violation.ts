/**
 * Pure apart from what it is handed. A unique violation on a masked column says that a value exists: who may insert can
 * guess by it, and what the error quotes is not even needed. So it counts among the session's masked values, stands in the
 * record as a moment of its own, and raises a signal (semantics §5, "Pseudonyms"). A foreign key onto a masked column
 * answers the same question with the opposite word: its violation is a guess that missed.
 *
 * A key that is DEFERRABLE asks only later, but whoever then tries to empty or alter the table hears at once whether there is
 * something to be asked (55006), and may take all of it back: that counts too.
 *
 * The target names the table, and not the columns: each key of a table of whose keys one holds a masked column counts.
 */

import type { MaskedColumns } from '../../mask/plan.ts'
import { count } from '../../mask/spans.ts'
import type { Conversation } from './conversation.ts'
import type { Catalogue } from './sql/catalogue.ts'
import { relationOf } from './sql/resolve.ts'

export const SIGNAL = 'masked_unique_violation'

const UNIQUE = '23505'
/** An exclusion constraint with `=` is one, too. */
const EXCLUSION = '23P01'
const FOREIGN = '23503'
/** Object in use, among others by changes that wait for a deferred check. */
const IN_USE = '55006'
/** By SQLSTATE: what it is called, and what it tells. */
const TELLING: ReadonlyMap<string, readonly [kind: string, told: (column: string) => string]> =
  new Map([
    [UNIQUE, ['unique violation', existing]],
    [EXCLUSION, ['unique violation', existing]],
    [
      FOREIGN,
      [
        'foreign key violation',
        (column) =>
          `A foreign key onto the masked column ${column} was violated: it tells that a value does not exist.`,
      ],
    ],
    [
      IN_USE,
      [
        'deferred check',
        () =>
          'An object was in use: by a change that waits for a deferred check, it tells that this has something to check.',
      ],
    ],
  ])

function existing(column: string): string {
  return `A unique key with the masked column ${column} was violated: it tells that a value exists.`
}

/** Before the action that failed is closed. `fields`: of the error, by letter. */
export function noteViolation(
  talk: Conversation,
  code: string,
  fields: ReadonlyMap<string, string>,
): void {
  const telling = TELLING.get(code)
  if (telling === undefined) return
  const { now } = talk.results.masks
  if (!now.hides) return
  const column = guessed(talk, code, fields)
  if (column === undefined) return
  const { recording, worker } = talk.parts
  const [kind, told] = telling
  count(talk.results.actions.tally, `${column} (${kind})`)
  worker.count.signal(SIGNAL)
  recording.moment({ kind: 'notice', status: SIGNAL, text: told(column) })
}

/** The masked column by which a value may have been guessed; in doubt there is one. */
function guessed(
  talk: Conversation,
  code: string,
  fields: ReadonlyMap<string, string>,
): string | undefined {
  const [schema, table] = [fields.get('s'), fields.get('t')]
  const { names } = talk.keeper
  const relation =
    names === undefined || table === undefined ? undefined : relationOf(names, schema, table)
  if (code === FOREIGN) {
    const enforced = talk.results.masks.now.enforced?.byRelation ?? new Map()
    return names === undefined
      ? 'of an unknown table'
      : referenced(names.catalogue, enforced, relation?.oid)
  }
  if (relation === undefined) return 'of an unknown table'
  const masks = talk.results.masks.now.enforced?.byRelation.get(relation.oid)
  const keys = new Set(relation.uniqueKeys.flat())
  // Of an expression, a predicate or an exclusion it is not known which columns decide.
  const isAny = code === EXCLUSION || keys.has(0)
  for (const [column, mask] of masks ?? [])
    if (!mask.monitor && (isAny || keys.has(column))) return mask.name
  return undefined
}

/** A masked column of a key that foreign keys of this table refer to; of a table that is not known, any table's. */
export function referenced(
  catalogue: Pick<Catalogue, 'relation'>,
  enforced: MaskedColumns['byRelation'],
  table: number | undefined,
): string | undefined {
  for (const [oid, masks] of enforced) {
    const relation = catalogue.relation(oid)
    const referrers = relation?.referencedBy ?? []
    if (table === undefined ? referrers.length === 0 : !referrers.includes(table)) continue
    const keys = new Set(relation?.uniqueKeys.flat())
    for (const [column, mask] of masks) if (!mask.monitor && keys.has(column)) return mask.name
  }
  return undefined
}
