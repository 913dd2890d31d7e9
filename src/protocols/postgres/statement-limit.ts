/**
 * IO (timers). `statement_timeout` by our clock: what runs too long is cancelled, and a target that does not obey loses its session.
 */
import { GatewayError } from '../../base/errors.ts'
import { StatementClock } from '../../relay/statement-clock.ts'
import type { RelayParts } from '../protocol.ts'
import type { Conversation } from './conversation.ts'
import type { PostgresUpstream } from './dial.ts'
import { CLOSE, type Entry, REPLICATION } from './entry.ts'
import { overdue } from './replies.ts'
import * as write from './write.ts'

/** How long a target may take to obey a cancel. */
const GRACE_MS = 5_000

export interface LimitedSession {
  readonly parts: RelayParts<PostgresUpstream>
  readonly talk: Conversation
  /** Its first question has a limit of its own: a catalogue may take longer than a statement. */
  readonly isStarting: () => boolean
  readonly cancel: () => void
  readonly finish: (error: GatewayError) => void
}

export function limitStatements(limitMs: number, session: LimitedSession): StatementClock<Entry> {
  const { parts, talk } = session
  const { name } = parts.grant.connection
  return new StatementClock({
    limitMs,
    graceMs: GRACE_MS,
    first: () => {
      if (session.isStarting()) return undefined
      const first = talk.ledger.first()
      // Replication is no statement: PostgreSQL does not limit its time either.
      return first?.kind === REPLICATION ? undefined : first
    },
    onLate: (entry) => {
      talk.overdue = entry
      // Without a Sync the target keeps its answers back: a Flush shows whether anything still runs.
      const last = talk.ledger.last()
      if (last !== undefined && last.kind <= CLOSE && !talk.up.isWithinFrame) {
        talk.toTarget(write.FLUSH)
      }
      parts.recording.moment({ kind: 'own', status: 'cancel', text: 'GW_STATEMENT_TIMEOUT' })
      parts.turn.schedule()
      session.cancel()
    },
    onDeaf: () => {
      // Who waits for the client, for its data or until it reads, is not the one at fault.
      const isClient = talk.copying || parts.client.wire.isFull
      const deaf = new GatewayError('GW_UPSTREAM_LOST', 'no answer to a cancel', {
        say: `The target of "${name}" answers neither within statement_timeout nor to a cancel.`,
      })
      session.finish(isClient ? overdue(name) : deaf)
    },
  })
}
