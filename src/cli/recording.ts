/** IO. A session's recording as it comes from the gateway: rows, and the items of its timeline. */
import { formOf } from '../replay/forms.ts'
import type { SessionRow } from '../replay/read.ts'
import type { RecordedRow } from '../replay/recorded.ts'
import { type Item, Timeline } from '../replay/timeline.ts'
import { CliError } from './exit.ts'
import { ask, askLines, type Json, type Where } from './gateway.ts'
import { pathOf } from './sessions.ts'

/** What is asked for at once. */
const PORTION_BYTES = 4 << 20

export interface Step {
  /** undefined: the recording is over, and these are the last items. */
  readonly row: RecordedRow | undefined
  readonly items: readonly Item[]
}

export interface Part {
  /** Begin with this event. */
  readonly from?: number
  /** Or leave out so many microseconds. */
  readonly offset?: number
  readonly follow?: boolean
}

export async function sessionOf(id: string, where: Where): Promise<SessionRow> {
  const found = await ask(where, { method: 'GET', path: pathOf(id) })
  return found as unknown as SessionRow
}

/** Microseconds since 1970. `started` is written in UTC, with a blank in place of the T. */
export function startOf({ started }: SessionRow): number {
  const [whole = '', fraction = ''] = started.split('.')
  const ms = Date.parse(`${whole.replace(' ', 'T')}Z`)
  if (Number.isNaN(ms)) throw new CliError(3, 'The gateway gave a time that is none.')
  return ms * 1000 + Number(fraction.padEnd(6, '0').substring(0, 6) || 0)
}

export async function* stepsOf(
  session: SessionRow,
  where: Where,
  { from, offset, follow }: Part,
): AsyncGenerator<Step> {
  const isPart = (from ?? 1) > 1 || (offset ?? 0) > 0
  const began = startOf(session)
  const timeline = new Timeline(formOf(session.protocol).reader(), isPart ? { began } : {})
  let query = new URLSearchParams({
    ...(from === undefined ? {} : { from: String(from) }),
    ...(offset === undefined ? {} : { offset: String(offset) }),
    ...(follow === true ? { follow: '1' } : { bytes: String(PORTION_BYTES) }),
  })
  for (;;) {
    const lines = askLines(where, `${pathOf(session.session_id)}/replay?${query}`)
    let next: string | undefined
    for await (const line of follow === true ? lines : await portion(lines)) {
      if (typeof line.end === 'string') {
        yield { row: undefined, items: timeline.end(line.end) }
        return
      }
      if (typeof line.failed === 'string') throw new CliError(3, line.failed)
      if (typeof line.next === 'string') next = line.next
      else {
        const row = line as unknown as RecordedRow
        yield { row, items: timeline.push(row) }
      }
    }
    if (next === undefined)
      throw new CliError(3, 'The gateway ended in the middle of the recording.')
    query = new URLSearchParams({ cursor: next, bytes: String(PORTION_BYTES) })
  }
}

/** All of it before any of it is shown: a gateway does not wait as long as somebody looks at a pause. */
async function portion(lines: AsyncIterable<Json>): Promise<Json[]> {
  const all: Json[] = []
  for await (const line of lines) all.push(line)
  return all
}
