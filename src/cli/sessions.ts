/** IO. `sluice sessions list | show | kill`; the other verbs are replay.ts and export.ts. */
import { CliError } from './exit.ts'
import { ask, type Where } from './gateway.ts'
import { printList, printRecord, rowsOf, say } from './output.ts'

export interface SessionFlags extends Where {
  readonly json?: boolean
  readonly limit?: string
}

const COLUMNS = [
  'session_id',
  'started',
  'status',
  'protocol',
  'connection',
  'subject',
  'job',
  'actions',
  'refused',
  'masked_values',
]

export async function listSessions(flags: SessionFlags): Promise<void> {
  const limit = Number(flags.limit ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new CliError(2, '--limit: expected a number from 1 to 500.')
  const page = await ask(flags, { method: 'GET', path: `/api/v1/sessions?limit=${limit}` })
  printList(rowsOf(page.sessions), COLUMNS, flags.json === true)
}

export async function showSession(id: string, flags: SessionFlags): Promise<void> {
  printRecord(await ask(flags, { method: 'GET', path: pathOf(id) }), flags.json === true)
}

/** Ends it wherever it runs. The gateway does not say whether there was one. */
export async function killSession(id: string, flags: SessionFlags): Promise<void> {
  const answer = await ask(flags, { method: 'DELETE', path: pathOf(id) })
  if (flags.json === true) printRecord(answer, true)
  else say(`${id} ends.\n`, 2)
}

export function pathOf(id: string): string {
  return `/api/v1/sessions/${encodeURIComponent(id)}`
}
