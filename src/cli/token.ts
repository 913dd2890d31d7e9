/** IO. `sluice token issue | list | revoke`. */
import { CliError } from './exit.ts'
import { ask, type Json, type Where } from './gateway.ts'
import { printList, printRecord, rowsOf, say } from './output.ts'

export interface IssueFlags extends Where {
  readonly json?: boolean
  readonly [flag: string]: unknown
}

const TEXTS = ['subject', 'kind', 'job', 'run', 'agent', 'owner', 'from', 'ttl'] as const
const LISTS = ['roles', 'groups', 'connections'] as const

/** The token and nothing else on standard output. */
export async function issueToken(flags: IssueFlags): Promise<void> {
  const body: Record<string, unknown> = {}
  for (const name of TEXTS) if (flags[name] !== undefined) body[name] = flags[name]
  for (const name of LISTS) {
    const text = flags[name]
    // `--roles ""` narrows to nothing, and that is what it sends.
    if (typeof text === 'string') body[name] = text.split(',').filter((one) => one !== '')
  }
  const issued = await ask(flags, { method: 'POST', path: '/api/v1/tokens', body })
  if (typeof issued.token !== 'string')
    throw new CliError(3, 'The gateway answered without a token.')
  if (flags.json === true) printRecord(issued, true)
  else say(`${issued.token}\n`)
}

export async function listTokens(flags: Where & { json?: boolean }): Promise<void> {
  const rows: Json[] = []
  let cursor = ''
  do {
    const path = `/api/v1/tokens${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`
    const page = await ask(flags, { method: 'GET', path })
    rows.push(...rowsOf(page.tokens))
    cursor = typeof page.next === 'string' ? page.next : ''
  } while (cursor !== '')
  printList(
    rows,
    ['id', 'subject', 'kind', 'job', 'expires_at', 'revoked_at', 'issued_by'],
    flags.json === true,
  )
}

export async function revokeToken(id: string, flags: Where & { json?: boolean }): Promise<void> {
  // Whoever revokes in a hurry may paste the whole token; only its name is sent.
  const name = /^slc_([^_]+)_/.exec(id)?.[1] ?? id
  const path = `/api/v1/tokens/${encodeURIComponent(name)}`
  const answer = await ask(flags, { method: 'DELETE', path })
  if (flags.json === true) printRecord(answer, true)
}
