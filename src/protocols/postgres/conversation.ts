/**
 * Pure apart from what it is handed. The state that client and target share, and the few ways in which the gateway
 * itself speaks: an answer of its own, a question of its own, a refusal. Frames from the client are worked off in
 * requests.ts, frames from the target in replies.ts.
 *
 * Three things a relay gets wrong, and where they are kept right: an answer of our own waits its turn behind replies
 * still owed (`refuse…`); after a refusal client and target agree on the state (same); bytes in plaintext behind a
 * request for TLS end the session (login.ts).
 */
import { GatewayError } from '../../base/errors.ts'
import type { Guard } from '../../decide/policy.ts'
import { HOLD, Lane, type LaneHandler, PASS } from '../../relay/lane.ts'
import { Ledger } from '../../relay/ledger.ts'
import type { RelayParts } from '../protocol.ts'
import { type CatalogueStore, catalogueKey } from './catalogues.ts'
import type { PostgresUpstream } from './dial.ts'
import { Entry, OWN, PARSE, QUERY, type Running } from './entry.ts'
import { downCourses, FAILED, framer, IDLE, IN_TRANSACTION, UP, upCourses } from './frame.ts'
import type { Made } from './meanings.ts'
import { NamesKeeper } from './names-keeper.ts'
import { Reader } from './reader.ts'
import { Replies } from './replies.ts'
import { Requests } from './requests.ts'
import { Results } from './results.ts'
import type { PostgresShared } from './session-masks.ts'
import { again } from './sql/calm-question.ts'
import type { ReplicationMode } from './sql/replication.ts'
import { replicationMode } from './startup-parameters.ts'
import { Names, type Portal, type Prepared } from './statements.ts'
import * as write from './write.ts'

const ENTRIES_MAX = 10_000
const NAMES_MAX = 10_000
/** A cancel that was meant for a statement may come so late that it hits the gateway's own question. */
const ASK_TRIES = 5
/** Name of the statement that is sent in place of a refused one; its text never parses, so it is never made. */
const REFUSED = 'sluice_refused'

/** Most bytes of what is held whole on the way down. */
const HELD_BYTES_MAX = 64 << 20

/** What all sessions begin with. */
const UP_COURSES = upCourses()
const DOWN_COURSES = downCourses()

export class Conversation {
  #guard: Guard | undefined
  readonly parts: RelayParts<PostgresUpstream>
  readonly ledger = new Ledger<Entry>(ENTRIES_MAX)
  readonly prepared = new Names<Prepared>(NAMES_MAX)
  readonly portals = new Names<Portal>(NAMES_MAX)
  readonly keeper: NamesKeeper
  readonly reader: Reader
  readonly results: Results
  readonly up: Lane
  readonly down: Lane
  /** Commands of replication are understood beside SQL, or instead of it. */
  readonly replication: ReplicationMode
  /** Transaction status that the target told last. */
  status = IDLE
  /** Messages up to the next Sync are one segment: the target skips the rest of one that fails. */
  segment = 1
  /** Something of the present segment went up. */
  segmentOpen = false
  /** Messages up to the next Sync are ignored, as PostgreSQL does after an error; who answers that Sync. */
  skipping: 'no' | 'by us' | 'by target' = 'no'
  /** COPY FROM STDIN: statements on their way that may ask for data, and whether one has. */
  copyAsked = 0
  copying = false
  /** Statements on their way that open a transaction block. */
  beginsAsked = 0
  /** Frames wait, for ASKING, CANCELLING or both. */
  blocked = 0
  /** What the target was told to stop because its time is over. */
  overdue: Entry | undefined
  /** Why the session ended, once it has. */
  over: string | undefined
  /**
   * What is held whole on the way down may have this many bytes; longer rows can only pass where nothing masks them.
   * Told by relay.ts, for each session another number: a known one would tell how long a masked value beside a
   * filled-up one is.
   */
  rowBytesMax = HELD_BYTES_MAX
  /** Told by relay.ts: ends the session with this error, or without a word when undefined. */
  finish: (reason: string, error?: GatewayError) => void = () => {}
  /** Told by relay.ts: the client wants no more than what is owed to it. */
  leave: () => void = () => {}

  /** Told by relay.ts: something that frames waited for is there. */
  proceed: () => void = () => {}
  /** The target's last error announced the end of the connection. */
  targetSaidWhy = false

  constructor(
    parts: RelayParts<PostgresUpstream>,
    shared: PostgresShared & { readonly catalogues: CatalogueStore },
  ) {
    this.parts = parts
    this.replication = replicationMode(parts.claim.parameters)
    const { connection, database } = parts.grant
    this.keeper = new NamesKeeper({
      store: shared.catalogues,
      key: catalogueKey(connection.name, database, connection.addresses),
      stale: () => shared.catalogues.staleAll(database),
      ask: (text, answered) => this.ask(text, answered),
      isOver: () => this.over !== undefined,
      isSlow: () => parts.client.wire.isFull,
      proceed: () => this.proceed(),
    })
    this.results = new Results(this, shared)
    this.reader = new Reader(this)
    this.up = this.#lane(UP_COURSES, new Requests(this))
    this.down = this.#lane(DOWN_COURSES, new Replies(this))
    this.status = parts.upstream.status
  }

  #lane(courses: Uint8Array, handler: LaneHandler): Lane {
    return new Lane({ framer, courses, handler })
  }

  /** The policy as it is now, asked for at every step of a statement. */
  get guard(): Guard {
    const { worker, grant } = this.parts
    if (this.#guard?.version !== worker.policyVersion) this.#guard = worker.guard(grant)
    return this.#guard!
  }

  /** Inside a transaction block, or behind a BEGIN that the target has not answered yet. */
  get inTransaction(): boolean {
    return this.status !== IDLE || this.beginsAsked > 0
  }

  /** In a failed transaction with nothing under way: the target runs nothing but its end. */
  get awaitsRollback(): boolean {
    return this.status === FAILED && this.ledger.size === 0 && !this.segmentOpen
  }

  /** Nothing is owed and nothing is half said: the gateway may ask something itself. */
  get isAtRest(): boolean {
    return this.ledger.size === 0 && !this.segmentOpen && !this.copying && this.skipping === 'no'
  }

  toClient(bytes: Buffer): void {
    this.down.settle()
    this.parts.turn.send(this.parts.client.wire, bytes, 0, bytes.length)
  }

  /** What the gateway itself has to say: a part of what the client received, and so of the record. */
  tell(bytes: Buffer): void {
    this.results.told(bytes)
    this.toClient(bytes)
  }

  /** Something that the client knows from its welcome and that never changes; undefined: this target has not said it. */
  get unchanging(): string | undefined {
    return this.parts.upstream.parameters.get(write.UNCHANGING)
  }

  /** Tells the client what it knows already, which it takes at any time: one that is gone is found out by that. */
  remind(): void {
    const value = this.unchanging
    if (value === undefined || this.parts.client.wire.isFull || this.down.isWithinFrame) return
    this.toClient(write.parameterStatus(write.UNCHANGING, value))
  }

  toTarget(bytes: Buffer): void {
    this.up.settle()
    this.parts.turn.send(this.parts.upstream.wire, bytes, 0, bytes.length)
  }

  /** Remembers what the target owes; what is owed first decides how its rows are treated. */
  owe(one: Entry): void {
    this.ledger.push(one)
    if (this.ledger.size === 1) this.results.headChanged(one)
  }

  paid(): Entry | undefined {
    const paid = this.ledger.shift()
    this.results.headChanged(this.ledger.first())
    return paid
  }

  /** A simple query of the gateway's own; only when `isAtRest`. Recorded as an event of its own kind. */
  ask(text: string, answered: (value: string | undefined) => void, tries = ASK_TRIES): void {
    this.parts.recording.moment({ kind: 'own', status: 'catalogue', text: '' })
    const question = new Entry(OWN)
    question.silent = true
    question.own = (value, isCancelled) => {
      if (!isCancelled || tries <= 1) answered(value)
      else this.ask(this.status === FAILED ? again(text) : text, answered, tries - 1)
    }
    this.owe(question)
    this.toTarget(write.query(text))
  }

  /**
   * Refuses a simple query or function call. Where client and target are both at rest outside a transaction the
   * target hears nothing of it; else it gets a text that must fail, so that it rolls back what PostgreSQL itself
   * would have rolled back.
   */
  refuseQuery(refusal: Buffer, id: string): void {
    if (this.isAtRest && this.status !== IN_TRANSACTION) {
      this.tell(refusal)
      this.tell(write.readyForQuery(this.status))
      return
    }
    this.#noteReplacement(id)
    this.#oweFailure(QUERY, refusal)
    this.toTarget(write.query(failing(id)))
    this.endSegment()
  }

  /** Refuses a message of the extended protocol: what follows is ignored until Sync, by whoever answers that. */
  refuseExtended(refusal: Buffer, id: string): void {
    if (this.isAtRest && this.status !== IN_TRANSACTION) {
      this.tell(refusal)
      this.skipping = 'by us'
      return
    }
    this.#noteReplacement(id)
    this.#oweFailure(PARSE, refusal)
    this.toTarget(write.parse(REFUSED, failing(id)))
    this.segmentOpen = true
    this.skipping = 'by target'
  }

  #oweFailure(kind: number, refusal: Buffer): void {
    const one = new Entry(kind)
    one.refusal = refusal
    this.owe(one)
  }

  #noteReplacement(id: string): void {
    this.parts.recording.moment({ kind: 'own', status: 'replacement', text: id })
  }

  /** The target asks for COPY data, or no longer does. */
  setCopying(copying: boolean): void {
    this.copying = copying
    this.up.setCourse(UP.copyData, copying ? PASS : HOLD)
  }

  /** PREPARE or DECLARE did not come about: their names mean what they meant before. */
  unmade({ prepared, portal }: Made): void {
    if (prepared !== undefined) this.prepared.forget(prepared.name, prepared)
    if (portal !== undefined) this.portals.forget(portal.name, portal)
  }

  /** A simple query goes up: it ends what was said before without a Sync, as PostgreSQL commits it. */
  endSegment(): void {
    this.segment += 1
    this.segmentOpen = false
  }

  /** The session cannot go on. */
  fail(error: GatewayError): void {
    this.finish(error.code, error)
  }

  malformed(side: 'client' | 'target', what: string): void {
    const code = side === 'client' ? 'GW_MALFORMED' : 'GW_UPSTREAM_MALFORMED'
    this.fail(new GatewayError(code, what))
  }

  /** Actions whose end nobody will hear of any more. */
  cutRunning(): void {
    for (let one = this.ledger.shift(); one !== undefined; one = this.ledger.shift()) {
      this.abandon(one, 'cut')
      // Others may wait for what this session asked.
      one.own?.(undefined, false)
    }
    this.results.actions.end()
  }

  /** The rest of what an entry was to run did not come to an end of its own. */
  abandon(one: Entry, status: 'cut' | 'skipped'): void {
    for (let i = one.done; i < one.running.length; i++) {
      this.results.actions.close(one.running[i] as Running, { status, error: '', rows: 0 })
    }
    one.done = one.running.length
  }
}

/** Shown in the target's log, where it names the action that was refused. Never valid SQL. */
function failing(id: string): string {
  return `SLUICE REFUSED THE STATEMENT ${id}`
}
