/**
 * Pure apart from what it is handed. A replication connection: its commands on their way up, and all that may answer
 * one. The target streams for as long as it likes, and client and target both send data meanwhile (CopyBoth).
 *
 * While any mask applies every command is refused, and one that runs is ended: the WAL holds what masks hide.
 */
import { GatewayError } from '../../base/errors.ts'
import { FORWARD, type Held, NOTE, STOP, TAKEN, WAIT } from '../../relay/lane.ts'
import type { Conversation } from './conversation.ts'
import { Entry, REPLICATION } from './entry.ts'
import { DOWN } from './frame.ts'
import type { ReplicationCommand } from './sql/replication.ts'

/** One command. `bytesUp`: of its message. */
export function replicate(
  talk: Conversation,
  { statement, takesData }: ReplicationCommand,
  asked: { readonly text: string; readonly bytesUp: number },
): Held {
  // What answers it has no form of its own: it must be the only one that is owed.
  if (talk.ledger.size > 0) return WAIT
  const { text, bytesUp } = asked
  const mask = isMasked(talk) ? { touches: true, refusal: REFUSAL, rules: [] } : statement.mask
  const about = { params: [], bytesUp }
  const running = talk.reader.admitCall({ ...statement, mask }, text, about)
  if (running === undefined) return TAKEN
  const one = new Entry(REPLICATION)
  one.running = running
  talk.owe(one)
  // Nothing is masked: rows and data go by and are recorded up to the cap.
  talk.down.setCourse(DOWN.dataRow, NOTE)
  talk.down.setCourse(DOWN.copyData, NOTE)
  // What the client sends next is data, if the target asks for any.
  if (takesData) talk.copyAsked += 1
  talk.endSegment()
  return FORWARD
}

/** What answers a command: any number of results and copies, up to ReadyForQuery, which the caller reads. */
export function replicated(
  talk: Conversation,
  kind: number,
  span: { readonly bytes: Buffer; readonly start: number; readonly end: number },
): Held {
  switch (kind) {
    case DOWN.rowDescription:
    case DOWN.commandComplete:
    case DOWN.copyOut:
    case DOWN.copyDone:
      talk.results.noteEnd(span.bytes, span.start, span.end)
      return FORWARD
    case DOWN.copyIn:
    case DOWN.copyBoth:
      if (talk.copyAsked === 0) break
      talk.copyAsked = 0
      talk.setCopying(true)
      talk.results.actions.keep(span.bytes, span.start, span.end)
      return FORWARD
    default:
  }
  talk.malformed('target', `message ${kind} in answer to a command of replication`)
  return STOP
}

/** A mask was loaded while a command runs: what it would still send may be what the mask hides. False: it is over. */
export function mayGoOn(talk: Conversation): boolean {
  if (talk.ledger.first()?.kind !== REPLICATION || !isMasked(talk)) return true
  talk.fail(
    new GatewayError('GW_POLICY_DENIED', 'a mask was loaded during a command of replication', {
      say: `${REFUSAL.reason} One was loaded while this command ran.`,
    }),
  )
  return false
}

/** The WAL is the whole server's: a mask that meets no column of this database meets one of another. */
function isMasked(talk: Conversation): boolean {
  const { columns, detectors } = talk.guard.masks
  return columns.length > 0 || detectors.length > 0
}

/** ReadyForQuery has come: the command is over, and so is what it copied. */
export function replicationOver(talk: Conversation, first: Entry): void {
  const running = first.running[first.done]
  if (running !== undefined) {
    talk.results.actions.close(running, { status: 'ok', error: '', rows: 0 })
    first.done += 1
  }
  talk.copyAsked = 0
  if (talk.copying) talk.setCopying(false)
}

const REFUSAL = {
  reason: 'While a mask applies, replication is refused.',
  hint: 'The WAL holds what masks hide; use a role that no mask applies to.',
}
