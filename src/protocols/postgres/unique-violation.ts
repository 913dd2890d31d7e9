/**
 * Pure apart from what it is handed. A unique violation on a masked column says that a value exists: who may insert can
 * guess by it, and what the error quotes is not even needed. So it counts among the session's masked values, stands in the
 * record as a moment of its own, and raises a signal (semantics §5, "Pseudonyms").
 *
 * The target names the table, and not the columns: each key of a table of whose keys one holds a masked column counts.
 */
import { count } from '../../mask/spans.ts'
import type { Conversation } from './conversation.ts'
import { relationOf } from './sql/resolve.ts'

export const SIGNAL = 'masked_unique_violation'

const UNIQUE = '23505'
/** An exclusion constraint with `=` is one, too; no catalogue says of which columns it is. */
const EXCLUSION = '23P01'

/** Before the action that failed is closed. `fields`: of the error, by letter. */
export function noteViolation(
  talk: Conversation,
  code: string,
  fields: ReadonlyMap<string, string>,
): void {
  if (code !== UNIQUE && code !== EXCLUSION) return
  const { now } = talk.results.masks
  if (!now.hides) return
  const column = guessed(talk, code, fields)
  if (column === undefined) return
  const { recording, worker } = talk.parts
  count(talk.results.actions.tally, `${column} (unique violation)`)
  worker.count.signal(SIGNAL)
  recording.moment({
    kind: 'notice',
    status: SIGNAL,
    text: `A unique key with the masked column ${column} was violated: it tells that a value exists.`,
  })
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
  if (relation === undefined) return 'of an unknown table'
  const masks = talk.results.masks.now.enforced?.byRelation.get(relation.oid)
  const keys = new Set(relation.uniqueKeys.flat())
  for (const [column, mask] of masks ?? [])
    if (!mask.monitor && (code === EXCLUSION || keys.has(column))) return mask.name
  return undefined
}
