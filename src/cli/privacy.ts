/** IO. `sluice audit hold add | list | remove` and `sluice audit erase`. */
import { CliError } from './exit.ts'
import { ask, type Json, type Where } from './gateway.ts'
import { printList, rowsOf, say } from './output.ts'

export interface ScopeFlags extends Where {
  readonly json?: boolean
  readonly session?: string
  readonly job?: string
  readonly subject?: string
  readonly reason?: string
  readonly force?: boolean
}

const HOLDS = '/api/v1/audit/holds'

export async function addHold(flags: ScopeFlags): Promise<void> {
  const body = scopeOf(flags, ['session', 'job', 'subject'])
  const hold = await ask(flags, { method: 'POST', path: HOLDS, body })
  say(flags.json === true ? `${JSON.stringify(hold)}\n` : `${String(hold.id)}\n`)
}

export async function listHolds(flags: ScopeFlags): Promise<void> {
  const answer = await ask(flags, { method: 'GET', path: HOLDS })
  const columns = ['id', 'kind', 'name', 'reason', 'added_by', 'added_at']
  printList(rowsOf(answer.holds), columns, flags.json === true)
}

export async function removeHold(id: string, flags: ScopeFlags): Promise<void> {
  const query = new URLSearchParams({ reason: flags.reason ?? '' })
  await ask(flags, { method: 'DELETE', path: `${HOLDS}/${encodeURIComponent(id)}?${query}` })
  say(`hold ${id} is removed\n`)
}

/** Says on standard error what it could not reach. */
export async function erase(flags: ScopeFlags): Promise<void> {
  const scope = scopeOf(flags, ['session', 'subject'])
  const body = flags.force === true ? { ...scope, force: true } : scope
  const erased = await ask(flags, { method: 'POST', path: '/api/v1/audit/erasures', body })
  const { id, sessions, events, set_aside: aside, done } = erased
  if (flags.json === true) say(`${JSON.stringify(erased)}\n`)
  else if (done === true)
    say(`${String(id)}: ${events} events of ${sessions} sessions are erased\n`)
  else say(`${String(id)}: recorded, and gone on with until it is done\n`)
  if (Number(aside) > 0)
    say(`${aside} segments of the spool that were set aside (.bad) may hold more of it.\n`, 2)
}

function scopeOf(flags: ScopeFlags, kinds: readonly ('session' | 'job' | 'subject')[]): Json {
  const given = kinds.filter((kind) => flags[kind] !== undefined)
  if (given.length !== 1)
    throw new CliError(2, `Give one of ${kinds.map((kind) => `--${kind}`).join(', ')}.`)
  const [kind] = given
  return { [kind!]: flags[kind!], reason: flags.reason }
}
