/**
 * Pure apart from what it is handed. What the target sends: each frame is paired with what is owed, masked where a
 * plan says so, and passed on, or kept back when it answers the gateway itself.
 *
 * A target is not trusted to keep to the protocol: a reply that nothing is owed for ends the session.
 */
import { GatewayError } from '../../base/errors.ts'
import { FORWARD, type Held, type LaneHandler, STOP, TAKEN } from '../../relay/lane.ts'
import type { Conversation } from './conversation.ts'
import {
  BIND,
  CLOSE,
  copyOf,
  DESCRIBE,
  type Entry,
  EXECUTE,
  FUNCTION,
  OWN,
  PARSE,
  QUERY,
  REPLICATION,
  type Running,
  SYNC,
} from './entry.ts'
import { DOWN, IDLE, isStatus } from './frame.ts'
import { readFields, readRows, readTextRow } from './read.ts'
import { replicated, replicationOver } from './replication.ts'
import { noteViolation } from './unique-violation.ts'
import * as write from './write.ts'

const QUERY_CANCELED = '57014'
/** Answers that hold no value, recorded as they are so that the record is what the client received. */
const KEPT = new Uint8Array(256)
for (const kind of [
  ...[DOWN.parseComplete, DOWN.bindComplete, DOWN.closeComplete, DOWN.parameterDescription],
  ...[DOWN.noData, DOWN.readyForQuery, DOWN.copyIn, DOWN.copyDone],
])
  KEPT[kind] = 1

/** What the client reads of a statement that the gateway has stopped. */
export function overdue(connection: string): GatewayError {
  return new GatewayError('GW_STATEMENT_TIMEOUT', 'statement_timeout', {
    say: `The statement ran longer than connections.${connection}.statement_timeout.`,
  })
}

export class Replies implements LaneHandler {
  readonly #talk: Conversation
  #own: string | undefined

  constructor(talk: Conversation) {
    this.#talk = talk
  }

  pass(bytes: Buffer, start: number, end: number): void {
    const { turn, client } = this.#talk.parts
    turn.send(client.wire, bytes, start, end)
  }

  note(bytes: Buffer, start: number, end: number, first: boolean): void {
    this.#talk.results.note(bytes, start, end, first)
  }

  heldBytesMax(): number {
    return this.#talk.rowBytesMax
  }

  oversize(): boolean {
    return false
  }

  broken(problem: 'malformed' | 'unknown' | 'too-large', kind: number): void {
    const say =
      problem === 'too-large' ? 'A row to be masked is larger than the gateway holds.' : undefined
    this.#talk.fail(
      new GatewayError('GW_UPSTREAM_MALFORMED', `${problem} message ${kind} from the target`, {
        ...(say === undefined ? {} : { say }),
      }),
    )
  }

  held(kind: number, bytes: Buffer, start: number, end: number): Held {
    switch (kind) {
      case DOWN.notice:
        return this.#talk.results.notice(bytes, start, end)
      case DOWN.parameterStatus:
        return this.#parameter(bytes, start, end)
      case DOWN.notification:
        return this.#talk.results.notification(bytes, start, end)
      case DOWN.error:
        return this.#error(bytes, start, end)
      default: {
        const first = this.#talk.ledger.first()
        if (first === undefined) return this.#unexpected(kind)
        if (first.kind >= OWN) {
          return first.kind === OWN
            ? this.#ofOwn(first, kind, bytes, start, end)
            : this.#ofReplication(first, kind, bytes, start, end)
        }
        const held = this.#reply(first, kind, bytes, start, end)
        if (KEPT[kind] === 1 && held === FORWARD) this.#keep(bytes, start, end)
        return held
      }
    }
  }

  #reply(first: Entry, kind: number, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    switch (kind) {
      case DOWN.dataRow:
        if (first.kind !== QUERY && first.kind !== EXECUTE) return this.#unexpected(kind)
        return talk.results.rows(bytes, start, end)
      case DOWN.parseComplete:
        return this.#completed(first, PARSE, kind)
      case DOWN.bindComplete:
        return this.#completed(first, BIND, kind)
      case DOWN.closeComplete:
        return this.#completed(first, CLOSE, kind)
      case DOWN.parameterDescription:
        if (first.kind !== DESCRIBE) return this.#unexpected(kind)
        return first.silent ? TAKEN : FORWARD
      case DOWN.rowDescription:
      case DOWN.noData:
        return this.#described(first, kind, bytes, start, end)
      case DOWN.commandComplete:
      case DOWN.emptyQuery:
      case DOWN.portalSuspended:
        return this.#finished(first, kind, bytes, start, end)
      case DOWN.readyForQuery:
        return this.#ready(first, bytes, start, end)
      case DOWN.functionResult:
        return this.#functionResult(first, bytes, start, end)
      case DOWN.copyIn:
        return this.#copyIn(first, kind)
      case DOWN.copyOut:
        return talk.results.copyOut(first, bytes, start, end) ? FORWARD : STOP
      case DOWN.copyData:
        return talk.results.copyData(bytes, start, end)
      case DOWN.copyDone:
        return talk.results.copyDone()
      default:
        return this.#unexpected(kind)
    }
  }

  #completed(first: Entry, kind: number, message: number): Held {
    const talk = this.#talk
    if (first.kind !== kind || first.refusal !== undefined) return this.#unexpected(message)
    talk.paid()
    if (first.prepared !== undefined) talk.prepared.confirm(first.prepared.name, first.prepared)
    else if (first.portal !== undefined) talk.portals.confirm(first.portal.name, first.portal)
    else if (first.closes !== undefined) {
      const names = first.closes.of === 'statement' ? talk.prepared : talk.portals
      names.delete(first.closes.name)
    }
    return first.silent ? TAKEN : FORWARD
  }

  #described(first: Entry, kind: number, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    if (first.kind === QUERY && kind === DOWN.rowDescription) {
      return talk.results.queryDescribed(first, bytes, start, end) ? FORWARD : STOP
    }
    if (first.kind !== DESCRIBE) return this.#unexpected(kind)
    if (kind === DOWN.rowDescription) {
      if (!talk.results.described(first, bytes, start, end)) return STOP
      if (!first.silent) this.#keep(bytes, start, end)
    }
    talk.paid()
    return first.silent ? TAKEN : FORWARD
  }

  /** A statement came to its end, or for `portalSuspended` to the row that was asked for last. */
  #finished(first: Entry, kind: number, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    if (first.kind !== QUERY && first.kind !== EXECUTE) return this.#unexpected(kind)
    if (first.failed || first.refusal !== undefined) return this.#unexpected(kind)
    talk.results.noteEnd(bytes, start, end)
    const running = first.running[first.done]
    if (running !== undefined) {
      const rows = kind === DOWN.commandComplete ? readRows(bytes, start, end) : 0
      if (rows === undefined) return this.#unexpected(kind)
      this.#copyOver(first, running)
      if (kind !== DOWN.portalSuspended) this.#settle(running)
      const status = kind === DOWN.portalSuspended ? 'suspended' : 'ok'
      talk.results.actions.close(running, { status, error: '', rows })
      first.done += 1
    } else if (kind === DOWN.commandComplete) {
      // More answers than statements: what answered was not what was judged.
      return this.#unexpected(kind)
    }
    if (first.kind === EXECUTE) talk.paid()
    else talk.results.headChanged(first)
    return FORWARD
  }

  #functionResult(first: Entry, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const running = first.running[first.done]
    if (first.kind !== FUNCTION || first.failed || running === undefined) {
      return this.#unexpected(DOWN.functionResult)
    }
    talk.results.note(bytes, start, end, true)
    talk.results.actions.close(running, { status: 'ok', error: '', rows: 0 })
    first.done += 1
    return FORWARD
  }

  /** A statement that could ask for data is over without having asked, or with its data read. */
  #copyOver(first: Entry, running: Running): void {
    const talk = this.#talk
    if (running.effect.copy?.direction !== 'in') return
    if (!first.copyTold && talk.copyAsked > 0) talk.copyAsked -= 1
    first.copyTold = false
    if (talk.copying) talk.setCopying(false)
  }

  /** Names that the statement made or let go, now that it has run. */
  #settle(running: Running): void {
    const talk = this.#talk
    const { closes, discardsAll } = running.effect
    const { prepared, portal } = running.made ?? {}
    if (prepared !== undefined) talk.prepared.confirm(prepared.name, prepared)
    if (portal !== undefined) talk.portals.confirm(portal.name, portal)
    if (discardsAll) {
      talk.prepared.clear()
      talk.portals.clear()
    } else if (closes !== undefined) {
      const names = closes.kind === 'prepared' ? talk.prepared : talk.portals
      if (closes.name === undefined) names.clear()
      else names.delete(closes.name)
    }
  }

  #ready(first: Entry, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const isEnd = first.kind === QUERY || first.kind === SYNC || first.kind === FUNCTION
    if (!isEnd) return this.#unexpected(DOWN.readyForQuery)
    if (!this.#told(bytes, start, end)) return this.#unexpected(DOWN.readyForQuery)
    // It must have failed: who takes it is no PostgreSQL.
    if (first.refusal !== undefined && !first.failed) return this.#unexpected(DOWN.readyForQuery)
    talk.abandon(first, 'skipped')
    if (first.kind === QUERY) talk.copyAsked = 0
    if (talk.status === IDLE) talk.portals.keepOnly((portal) => portal.outlives)
    talk.paid()
    if (talk.keeper.ready(talk.status, talk.ledger.size === 0)) {
      const { connection, database } = talk.parts.grant
      talk.parts.worker.catalogueChanged(connection.name, database)
    }
    return FORWARD
  }

  #told(bytes: Buffer, start: number, end: number): boolean {
    if (!isStatus(bytes, start, end)) return false
    this.#talk.status = bytes[start + 5]!
    return true
  }

  #copyIn(first: Entry, kind: number): Held {
    const talk = this.#talk
    if (copyOf(first)?.direction !== 'in' || talk.copyAsked === 0) return this.#unexpected(kind)
    if (first.copyTold || first.failed) return this.#unexpected(kind)
    first.copyTold = true
    talk.copyAsked -= 1
    talk.setCopying(true)
    return FORWARD
  }

  #error(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const first = talk.ledger.first()
    const fields = readFields(bytes, start, end)
    if (fields === undefined) return this.#unexpected(DOWN.error)
    const severity = fields.get('V') ?? fields.get('S')
    if (severity === 'FATAL' || severity === 'PANIC') talk.targetSaidWhy = true
    // An error that nothing is owed for announces the end of the connection.
    if (first === undefined) return talk.results.notice(bytes, start, end)
    // Last words are the client's too, whatever they answer.
    const isLast = talk.targetSaidWhy && (first.kind === OWN || first.refusal !== undefined)
    if (isLast) return talk.results.notice(bytes, start, end)
    if (first.kind === OWN) {
      first.failed = true
      first.cancelled = fields.get('C') === '57014'
      this.#own = undefined
      return TAKEN
    }
    const error = fields.get('C') ?? ''
    if (first === talk.overdue && error === QUERY_CANCELED && !talk.targetSaidWhy) {
      talk.overdue = undefined
      this.#failed(first, error)
      talk.tell(write.fatalFrame(overdue(talk.parts.grant.connection.name), 'ERROR'))
      return TAKEN
    }
    if (first.refusal === undefined) {
      const held = talk.results.notice(bytes, start, end)
      noteViolation(talk, error, fields)
      this.#failed(first, error)
      return held
    }
    this.#failed(first, error)
    talk.tell(first.refusal)
    return TAKEN
  }

  /** What the error takes along: the rest of a simple query, or of the segment up to its Sync. */
  #failed(first: Entry, error: string): void {
    const talk = this.#talk
    if (talk.copying) talk.setCopying(false)
    const running = first.running[first.done]
    if (running !== undefined) {
      talk.results.actions.close(running, { status: 'error', error, rows: 0 })
      first.done += 1
    }
    if (first.kind === QUERY || first.kind === FUNCTION || first.kind === REPLICATION) {
      first.failed = true
      talk.copyAsked = 0
      talk.abandon(first, 'skipped')
      talk.results.headChanged(first)
      return
    }
    if (first.kind === SYNC) return
    let one: Entry | undefined = first
    while (one !== undefined && one.kind !== SYNC) {
      this.#forget(one)
      talk.paid()
      one = talk.ledger.first()
    }
    talk.copyAsked = 0
    if (one === undefined) talk.skipping = 'by target'
  }

  #forget(one: Entry): void {
    const talk = this.#talk
    talk.abandon(one, 'skipped')
    if (one.kind === PARSE && one.prepared !== undefined) {
      talk.prepared.forget(one.prepared.name, one.prepared)
    } else if (one.kind === BIND && one.portal !== undefined) {
      talk.portals.forget(one.portal.name, one.portal)
    } else if (one.kind === DESCRIBE) {
      const described = one.portal ?? one.prepared
      if (described?.result === undefined && described !== undefined) described.described = false
    }
  }

  /** Answers to what the gateway itself asked; none of it is the client's. */
  #ofOwn(first: Entry, kind: number, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    switch (kind) {
      case DOWN.rowDescription:
      case DOWN.commandComplete:
        return TAKEN
      case DOWN.dataRow: {
        const row = readTextRow(bytes, start, end)
        if (row === undefined) return this.#unexpected(kind)
        this.#own = row[0] ?? undefined
        return TAKEN
      }
      case DOWN.readyForQuery: {
        if (!this.#told(bytes, start, end)) return this.#unexpected(kind)
        talk.paid()
        const value = first.failed ? undefined : this.#own
        this.#own = undefined
        first.own?.(value, first.cancelled)
        return TAKEN
      }
      default:
        return this.#unexpected(kind)
    }
  }

  #ofReplication(first: Entry, kind: number, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    if (kind !== DOWN.readyForQuery) return replicated(talk, kind, { bytes, start, end })
    if (!this.#told(bytes, start, end)) return this.#unexpected(kind)
    replicationOver(talk, first)
    talk.paid()
    this.#keep(bytes, start, end)
    return FORWARD
  }

  #parameter(bytes: Buffer, start: number, end: number): Held {
    const [name] = bytes.toString('latin1', start + 5, end).split('\0')
    // What decides how texts are read; the gateway's own statement of it is the target's answer.
    if (name === 'client_encoding' || name === 'standard_conforming_strings') {
      this.#talk.keeper.soil()
    }
    // Where the record hides more than the client is denied, a parameter may hold what it hides.
    if (!this.#talk.results.masks.now.monitors) this.#keep(bytes, start, end)
    return FORWARD
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#talk.results.actions.keep(bytes, start, end)
  }

  #unexpected(kind: number): Held {
    this.#talk.malformed('target', `message ${kind} that nothing is owed for`)
    return STOP
  }
}
