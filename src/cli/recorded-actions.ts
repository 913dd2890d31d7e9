/** IO. Recorded actions of a running gateway: asked for over its API as an auditor asks. */
import {
  type Progress,
  type Query,
  recordedGroups,
  Unreadable,
  type Wanted,
} from '../policy/record-stream.ts'
import type { RecordedGroup } from '../policy/recorded.ts'
import { CliError } from './exit.ts'
import { ask, type Where } from './gateway.ts'
import { rowsOf } from './output.ts'

/** As `recordedGroups` of policy/record-stream.ts. Throws CliError where the gateway cannot be reached or refuses. */
export async function* actionsOf(
  where: Where,
  wanted: Wanted,
  progress: (progress: Progress) => void,
): AsyncGenerator<readonly RecordedGroup[]> {
  const groups = recordedGroups(queryOf(where), wanted, progress)
  for (let next = await readable(() => groups.next()); next.done !== true; ) {
    yield next.value
    next = await readable(() => groups.next())
  }
}

/** What cannot be read as it was asked for is the caller's to mend. */
export async function readable<Answer>(asking: () => Promise<Answer>): Promise<Answer> {
  try {
    return await asking()
  } catch (error) {
    throw error instanceof Unreadable ? new CliError(2, error.message) : error
  }
}

export function queryOf(where: Where): Query {
  return async (sql) => {
    const answer = await ask(where, { method: 'POST', path: '/api/v1/audit/query', body: { sql } })
    return { rows: rowsOf(answer.rows), cut: answer.cut === true }
  }
}
