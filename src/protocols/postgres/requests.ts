/**
 * Pure apart from what it is handed. What the client sends: each frame is understood, judged, and forwarded as it
 * is, refused, or made to wait. Nothing is forwarded before its action is in the recorder's buffer.
 */
import { GatewayError } from '../../base/errors.ts'
import { FORWARD, type Held, type LaneHandler, STOP, TAKEN, WAIT } from '../../relay/lane.ts'
import type { Conversation } from './conversation.ts'
import { withTypes } from './declared-parameters.ts'
import { ASKING, BIND, CLOSE, DESCRIBE, Entry, EXECUTE, PARSE, QUERY, SYNC } from './entry.ts'
import { IDLE, UP } from './frame.ts'
import { FunctionCalls } from './function-call.ts'
import { readBind, readExecute, readParse, readQuery, readTarget } from './read.ts'
import { replicate } from './replication.ts'
import { replicationCommand } from './sql/replication.ts'
import type { Trust } from './sql/resolve.ts'
import type { Portal, Prepared } from './statements.ts'
import * as write from './write.ts'

/** Most bytes of a message that holds parameters, or of anything else that is held whole. */
const HELD_BYTES_MAX = 64 << 20
/** A message that is nothing but its header. */
const BARE_BYTES = 5
/** Room for names around a statement's text. */
const AROUND_TEXT_BYTES = 4096

export class Requests implements LaneHandler {
  readonly #talk: Conversation
  readonly #calls: FunctionCalls
  /** Names were asked for on behalf of the frame that is offered now. */
  #refreshed = false

  constructor(talk: Conversation) {
    this.#talk = talk
    this.#calls = new FunctionCalls(talk)
  }

  pass(bytes: Buffer, start: number, end: number): void {
    const { turn, upstream } = this.#talk.parts
    turn.send(upstream.wire, bytes, start, end)
  }

  note(): void {}

  heldBytesMax(kind: number): number {
    if (kind === UP.query || kind === UP.parse) {
      return this.#talk.parts.worker.statementBytesMax + AROUND_TEXT_BYTES
    }
    return HELD_BYTES_MAX
  }

  oversize(kind: number, _size: number): boolean | typeof WAIT {
    const talk = this.#talk
    if (kind === UP.copyData) return talk.copyAsked === 0
    if (kind !== UP.query && kind !== UP.parse) return false
    if (talk.blocked !== 0 || talk.ledger.isFull) return WAIT
    // Whether the target takes the next bytes as data or as messages cannot be waited for with all of them.
    if (talk.copying || talk.copyAsked > 0) return false
    if (talk.skipping === 'no') talk.reader.refuseOversize(kind === UP.query)
    return true
  }

  broken(problem: 'malformed' | 'unknown' | 'too-large', kind: number): void {
    const code = problem === 'too-large' ? 'GW_FRAME_TOO_LARGE' : 'GW_MALFORMED'
    this.#talk.fail(new GatewayError(code, `${problem} message ${kind} from the client`))
  }

  held(kind: number, bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    if (kind === UP.terminate) {
      talk.leave()
      return STOP
    }
    const isBare = kind === UP.sync || kind === UP.flush || kind === UP.copyDone
    // PostgreSQL answers bytes in them with an error of its own.
    if (isBare && end - start !== BARE_BYTES) return this.#malformed(`body in message ${kind}`)
    if (talk.blocked !== 0 || talk.ledger.isFull) return WAIT
    if (talk.copying) return this.#whileCopying(kind)
    // Whether the target takes the next bytes as data or as messages is known when it has answered.
    if (talk.copyAsked > 0) return WAIT
    if (talk.skipping !== 'no' && kind !== UP.sync) return TAKEN
    if (this.#mustRefresh(kind)) {
      if (namesUnnamed(kind, bytes, start)) {
        if (kind === UP.bind) talk.keeper.lapse()
      } else if (!this.#isNameless(kind, bytes, start, end)) return this.#refresh()
    }
    const held = this.#message(kind, bytes, start, end)
    if (held !== WAIT) this.#refreshed = false
    return held
  }

  /** Asks for the session's names where the next message may depend on them. */
  #mustRefresh(kind: number): boolean {
    const talk = this.#talk
    if (kind === UP.sync || kind === UP.flush || talk.segmentOpen || this.#refreshed) return false
    if (!talk.keeper.needsRefresh(talk.status)) return false
    // It runs no SQL, not the gateway's either.
    if (talk.replication === 'physical') return false
    return talk.ledger.size === 0 || talk.keeper.isDirty || talk.keeper.isOverdue
  }

  /** Nothing needs be asked before it; but a transaction begins with names that are known, to ask less within. */
  #isNameless(kind: number, bytes: Buffer, start: number, end: number): boolean {
    if (kind !== UP.query && kind !== UP.parse) return false
    const isQuery = kind === UP.query
    const text = isQuery ? readQuery(bytes, start, end) : readParse(bytes, start, end)?.text
    const analysis = text === undefined ? undefined : this.#talk.reader.nameless(text)
    if (analysis === undefined) return false
    const begins = analysis.statements.some((one) => one.effect.transaction === 'begin')
    return !begins || this.#talk.status !== IDLE
  }

  #refresh(): Held {
    const talk = this.#talk
    // Once what is owed has come.
    if (talk.ledger.size > 0) return WAIT
    this.#refreshed = true
    talk.blocked |= ASKING
    talk.keeper.refresh(talk.status, () => {
      talk.blocked &= ~ASKING
    })
    return WAIT
  }

  #message(kind: number, bytes: Buffer, start: number, end: number): Held {
    switch (kind) {
      case UP.query:
        return this.#query(bytes, start, end)
      case UP.parse:
        return this.#parse(bytes, start, end)
      case UP.bind:
        return this.#bind(bytes, start, end)
      case UP.describe:
        return this.#describe(bytes, start, end)
      case UP.execute:
        return this.#execute(bytes, start, end)
      case UP.close:
        return this.#close(bytes, start, end)
      case UP.flush:
        return FORWARD
      case UP.sync:
        return this.#sync()
      case UP.functionCall:
        return this.#calls.held(bytes, start, end)
      default:
        // Data of a COPY that the target did not ask for, or no longer does: PostgreSQL ignores it too.
        return TAKEN
    }
  }

  /** As PostgreSQL in COPY: data goes on, Flush and Sync are ignored, anything else breaks the protocol. */
  #whileCopying(kind: number): Held {
    const talk = this.#talk
    switch (kind) {
      case UP.copyDone:
      case UP.copyFail:
        talk.setCopying(false)
        return FORWARD
      case UP.flush:
      case UP.sync:
        return TAKEN
      default:
        return this.#malformed(`message ${kind} in the middle of a COPY`)
    }
  }

  #query(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const text = readQuery(bytes, start, end)
    if (text === undefined) return this.#malformed('Query')
    if (talk.replication !== 'none') {
      const command = replicationCommand(text, talk.replication)
      if (command !== undefined) return replicate(talk, command, { text, bytesUp: end - start })
    }
    const read = talk.reader.read(text, end - start)
    if (read === 'wait') return WAIT
    const run = talk.reader.admitQuery(text, read, end - start)
    if (run === 'wait') return WAIT
    if (run === undefined) return TAKEN
    const one = new Entry(QUERY)
    one.running = run
    talk.owe(one)
    talk.endSegment()
    const { instead } = talk.reader.opener
    return instead === undefined ? FORWARD : this.#send(write.queryOf(instead))
  }

  #parse(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const body = readParse(bytes, start, end)
    if (body === undefined) return this.#malformed('Parse')
    // The unnamed statement is always replaced; another name may stay what it is.
    const { statement } = body
    if (statement !== '' && talk.prepared.find(statement, talk.segment) === 'unsettled') return WAIT
    const read = talk.reader.read(body.text, end - start)
    if (read === 'wait') return WAIT
    const typed = withTypes(read, body.ownTypes, () => trustOf(talk))
    const prepared = talk.reader.admitParse(body.statement, body.text, typed)
    if (prepared === undefined) return TAKEN
    talk.prepared.ask(prepared.name, prepared, talk.segment)
    talk.segmentOpen = true
    const one = new Entry(PARSE)
    one.prepared = prepared
    talk.owe(one)
    const { instead } = talk.reader.opener
    if (instead === undefined) return FORWARD
    return this.#send(write.withText(bytes, { start, end, body }, instead))
  }

  /** In place of the client's own frame. */
  #send(frame: Buffer): Held {
    this.#talk.toTarget(frame)
    return TAKEN
  }

  #bind(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const body = readBind(bytes, start, end)
    if (body === undefined) return this.#malformed('Bind')
    const prepared = talk.prepared.find(body.statement, talk.segment)
    if (prepared === 'unsettled') return WAIT
    const replaces = body.portal === ''
    if (!replaces && talk.portals.find(body.portal, talk.segment) === 'unsettled') return WAIT
    if (prepared === undefined) {
      talk.reader.refuseUnknown('statement', body.statement)
      return TAKEN
    }
    const portal = talk.reader.admitBind(prepared, body, bytes, end - start)
    if (portal === 'wait') return WAIT
    if (portal === undefined) return TAKEN
    let bound: Buffer | undefined
    if (portal.prepared.statement?.mask.opens !== undefined) {
      bound = talk.reader.opener.bind(portal, { bytes, start, end, body })
      if (bound === undefined) return TAKEN
    }
    talk.portals.ask(portal.name, portal, talk.segment)
    talk.segmentOpen = true
    const one = new Entry(BIND)
    one.portal = portal
    talk.owe(one)
    return bound === undefined ? FORWARD : this.#send(bound)
  }

  #describe(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const target = readTarget(bytes, start, end)
    if (target === undefined) return this.#malformed('Describe')
    let prepared: Prepared | undefined
    let portal: Portal | undefined
    if (target.of === 'statement') {
      const found = talk.prepared.find(target.name, talk.segment)
      if (found === 'unsettled') return WAIT
      const renewed = found === undefined ? undefined : talk.reader.meanings.renew(found)
      if (renewed === 'wait') return WAIT
      prepared = renewed
      if (renewed !== undefined) renewed.described = true
    } else {
      const found = talk.portals.find(target.name, talk.segment)
      if (found === 'unsettled') return WAIT
      portal = found
      if (found !== undefined) found.described = true
    }
    talk.segmentOpen = true
    const one = new Entry(DESCRIBE)
    one.prepared = prepared
    one.portal = portal
    talk.owe(one)
    return FORWARD
  }

  #execute(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const body = readExecute(bytes, start, end)
    if (body === undefined) return this.#malformed('Execute')
    const portal = talk.portals.find(body.portal, talk.segment)
    if (portal === 'unsettled') return WAIT
    if (portal === undefined) {
      talk.reader.refuseUnknown('portal', body.portal)
      return TAKEN
    }
    const run = talk.reader.admitExecute(portal)
    if (run === 'wait') return WAIT
    if (run === undefined) return TAKEN
    if (talk.results.needsDescription(portal)) {
      portal.described = true
      const question = new Entry(DESCRIBE)
      question.portal = portal
      question.silent = true
      talk.owe(question)
      talk.toTarget(write.describe('P', portal.name))
    }
    talk.segmentOpen = true
    const one = new Entry(EXECUTE)
    one.portal = portal
    one.running = run
    talk.owe(one)
    return FORWARD
  }

  #close(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const closes = readTarget(bytes, start, end)
    if (closes === undefined) return this.#malformed('Close')
    talk.segmentOpen = true
    const one = new Entry(CLOSE)
    one.closes = closes
    talk.owe(one)
    return FORWARD
  }

  #sync(): Held {
    const talk = this.#talk
    talk.segment += 1
    if (talk.skipping === 'by us') {
      talk.skipping = 'no'
      talk.tell(write.readyForQuery(talk.status))
      return TAKEN
    }
    talk.skipping = 'no'
    talk.segmentOpen = false
    talk.owe(new Entry(SYNC))
    return FORWARD
  }

  #malformed(what: string): Held {
    this.#talk.malformed('client', what)
    return STOP
  }
}

/**
 * The message speaks of the unnamed statement or portal, which a question of the gateway's own, being a simple
 * query, would destroy. Its meaning was settled when it was made; names unknown since then leave it opaque.
 */
function namesUnnamed(kind: number, bytes: Buffer, start: number): boolean {
  const first = start + 5
  if (kind === UP.execute) return bytes[first] === 0
  if (kind === UP.describe || kind === UP.close) return bytes[first + 1] === 0
  return kind === UP.bind && bytes[bytes.indexOf(0, first) + 1] === 0
}

/** undefined while the session's names are not known. */
function trustOf({ keeper, parts }: Conversation): Trust | undefined {
  const { names } = keeper
  return names && { names, functionsRead: parts.grant.connection.functionsRead }
}
