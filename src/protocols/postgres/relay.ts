/**
 * IO. Joins the two wires of a PostgreSQL session: bytes in, bytes out, who must wait for whom, and how it ends.
 * What the bytes mean is the conversation's.
 */
import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { WireSink } from '../../accept/wire.ts'
import { monotonicMs } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { StatementClock } from '../../relay/statement-clock.ts'
import { UnreadClient } from '../../relay/unread-client.ts'
import type { RelayParts } from '../protocol.ts'
import type { CatalogueStore } from './catalogues.ts'
import { Conversation } from './conversation.ts'
import type { PostgresUpstream } from './dial.ts'
import { ASKING, CANCELLING, type Entry, OWN } from './entry.ts'
import { IDLE } from './frame.ts'
import { Leaving } from './leaving.ts'
import { mayGoOn } from './replication.ts'
import type { PostgresShared } from './session-masks.ts'
import { limitStatements } from './statement-limit.ts'
import * as write from './write.ts'

/** Who waits is read all the same, or nobody would see that he leaves; this much of what he says is kept. */
const KEPT_BYTES_MAX = 64 << 10
/** Half of what the limit of a held row may be below its most; two draws, so that no edge of it can be felt. */
const ROW_BYTES_SPREAD = 8 << 20
/** At most one cancel for one answer in this time. */
const CANCEL_MS_MIN = 50
/** How long a target may take to say what names mean, for the first time. */
const START_MS_MAX = 20_000

/** Answers why the session ended, in a word; both wires are closed then. */
export function relay(
  parts: RelayParts<PostgresUpstream>,
  shared: PostgresShared & { readonly catalogues: CatalogueStore },
): Promise<string> {
  return new Promise((resolve) => new Session(parts, shared, resolve).start())
}

class Session {
  readonly #parts: RelayParts<PostgresUpstream>
  readonly #talk: Conversation
  readonly #done: (reason: string) => void
  readonly #secret: Buffer
  readonly #leaving: Leaving
  /** Until the first question is answered. */
  #late: NodeJS.Timeout | undefined
  #openWires = 2
  #stalled = false
  /** What waits for the spool on its way down, of one read or more, begins within a frame: the client has a part of one. */
  #holdsRest = false
  /** What the last cancel was for, and when it came. */
  #cancelled: Entry | undefined
  #cancelledAt = 0
  /** A cancel came while the gateway asked something itself: it is for what waits behind that, as does who sent it. */
  #cancelNext: { readonly went: Promise<void>; readonly settle: () => void } | undefined
  /** Cancels of ours that are on their way. */
  #cancelling = 0
  #endWhenIdle: GatewayError | undefined
  readonly #clock: StatementClock<Entry> | undefined
  #unreadClient: UnreadClient | undefined

  constructor(
    parts: RelayParts<PostgresUpstream>,
    shared: PostgresShared & { readonly catalogues: CatalogueStore },
    done: (reason: string) => void,
  ) {
    this.#parts = parts
    this.#secret = randomBytes(parts.claim.cancelKeyBytes)
    this.#done = done
    this.#talk = new Conversation(parts, shared)
    this.#leaving = new Leaving(this.#talk, (reason) => this.#finish(reason))
    this.#talk.leave = () => this.#leaving.begin('terminated')
    this.#talk.rowBytesMax -= randomInt(ROW_BYTES_SPREAD) + randomInt(ROW_BYTES_SPREAD)
    const { statementTimeoutMs } = parts.grant.connection
    if (statementTimeoutMs !== undefined) {
      this.#clock = limitStatements(statementTimeoutMs, {
        parts,
        talk: this.#talk,
        isStarting: () => this.#late !== undefined,
        cancel: () => this.#cancelOverdue(),
        finish: (error) => this.#finish(error.code, error),
      })
    }
    this.#talk.finish = (reason, error) => this.#finish(reason, error)
    this.#talk.proceed = () => {
      try {
        this.#talk.up.resume()
        // What waited may have come long before, when nothing ran.
        if (this.#clock !== undefined) this.#clock.touch()
      } catch (error) {
        this.#bug(error)
      }
      this.#balance()
      if (this.#cancelNext !== undefined) this.#cancelHeld()
      this.#leaving.look()
    }
  }

  start(): void {
    const { client, upstream, live } = this.#parts
    live.end = (error, when) => this.#end(error, when)
    live.stall = (stalled) => this.#stall(stalled)
    live.cancel = (pid, secret) => this.#cancel(pid, secret)
    live.isIdle = () => this.#talk.ledger.size === 0
    live.heldBytes = () => this.#heldBytes
    live.lastActive = monotonicMs()
    this.#welcome()
    client.wire.listen(this.#fromClient())
    upstream.wire.listen(this.#fromTarget())
    const behind = upstream.rest
    if (this.#talk.over === undefined && behind.length > 0) this.#down(behind, 0, behind.length)
    // What names mean is asked while the client's first text is on its way: it waits for the answer.
    if (this.#talk.over === undefined && this.#talk.replication !== 'physical') this.#askNames()
    const rest = client.rest()
    if (rest.length > 0) this.#up(rest, 0, rest.length)
    if (client.hasEnded) this.#leaving.begin('client closed')
  }

  get #heldBytes(): number {
    const { client, upstream } = this.#parts
    const { up, down, results } = this.#talk
    const waiting = client.wire.heldBytes + upstream.wire.heldBytes
    return waiting + up.heldBytes + down.heldBytes + results.actions.heldBytes
  }

  #askNames(): void {
    const talk = this.#talk
    const late = setTimeout(() => this.#finish('GW_UPSTREAM_LOGIN', this.#mute()), START_MS_MAX)
    this.#late = late.unref()
    talk.blocked |= ASKING
    talk.keeper.refresh(talk.status, () => {
      clearTimeout(late)
      this.#late = undefined
      talk.blocked &= ~ASKING
    })
  }

  #mute(): GatewayError {
    const { name } = this.#parts.grant.connection
    const seconds = START_MS_MAX / 1000
    return new GatewayError('GW_UPSTREAM_LOGIN', 'no answer to the first question', {
      say: `The target of "${name}" did not answer for ${seconds} s after the login.`,
    })
  }

  #welcome(): void {
    const { upstream } = this.#parts
    this.#talk.toClient(write.AUTHENTICATION_OK)
    this.#talk.toClient(upstream.statuses)
    // The target's PID, which people look for; the secret is ours alone.
    this.#talk.toClient(write.backendKeyData(upstream.pid, this.#secret))
    this.#talk.toClient(write.readyForQuery(this.#talk.status))
  }

  #fromClient(): WireSink {
    const { turn, recording } = this.#parts
    return {
      bytes: (bytes, start, end) => {
        turn.enter()
        this.#up(bytes, start, end)
        turn.leave(recording.sessionId, end - start)
      },
      end: () => this.#leaving.begin('client closed'),
      closed: () => this.#closed('client closed'),
      drained: () => this.#balance(),
      unread: (hasLeft) => this.#unread(hasLeft),
    }
  }

  #fromTarget(): WireSink {
    const { turn, recording } = this.#parts
    return {
      bytes: (bytes, start, end) => {
        turn.enter()
        const isRest = this.#talk.down.isWithinFrame || (this.#holdsRest && turn.isHolding)
        this.#down(bytes, start, end)
        turn.leave(recording.sessionId, end - start)
        this.#holdsRest = isRest && turn.isHolding
      },
      end: () => this.#lost(),
      closed: () => {
        this.#lost()
        this.#closed('target closed')
      },
      drained: () => this.#balance(),
    }
  }

  /** Not read: what it says cannot go up. While the spool stands still that has a limit of its own. */
  #unread(hasLeft: boolean): void {
    if (this.#talk.over !== undefined || this.#stalled) return
    const { upstream, live } = this.#parts
    this.#unreadClient ??= new UnreadClient()
    const { unsentBytes } = upstream.wire
    const next = this.#unreadClient.look(hasLeft, { unsentBytes, lastActive: live.lastActive })
    if (next === 'end') this.#finish('client closed')
    if (next === 'ask') this.#talk.remind()
  }

  #up(bytes: Buffer, start: number, end: number): void {
    this.#parts.live.lastActive = monotonicMs()
    try {
      this.#talk.up.push(bytes, start, end)
      if (this.#clock !== undefined) this.#clock.touch()
    } catch (error) {
      this.#bug(error)
    }
    if (this.#talk.up.isWaiting || this.#parts.upstream.wire.isFull) this.#balance()
  }

  /** A bug ends this session and no other. */
  #bug(error: unknown): void {
    const lines = error instanceof Error ? error.stack?.split('\n') : undefined
    const stack = lines?.filter((_, at) => at > 0 && at < 8)
    this.#parts.worker.warn('a session failed by a bug', { stack })
    this.#finish('GW_INTERNAL', GatewayError.from(error))
  }

  #down(bytes: Buffer, start: number, end: number): void {
    this.#parts.live.lastActive = monotonicMs()
    try {
      if (this.#talk.replication !== 'none' && !mayGoOn(this.#talk)) return
      this.#talk.down.push(bytes, start, end)
      if (this.#talk.up.isWaiting) this.#talk.proceed()
      // What stands behind a replication command is first only now.
      if (this.#clock !== undefined && this.#talk.replication !== 'none') this.#clock.touch()
    } catch (error) {
      this.#bug(error)
    }
    if (this.#parts.client.wire.isFull) this.#balance()
    if (this.#endWhenIdle !== undefined) this.#endIfIdle()
    this.#leaving.look()
    if (this.#cancelNext !== undefined) this.#cancelHeld()
  }

  /** Nobody is read whose counterpart cannot take more. */
  #balance(): void {
    if (this.#talk.over !== undefined) return
    const { client, upstream } = this.#parts
    const isKept = this.#talk.up.isWaiting && this.#talk.up.keptBytes > KEPT_BYTES_MAX
    const upWaits = this.#stalled || isKept || upstream.wire.isFull
    const downWaits = this.#stalled || client.wire.isFull
    if (upWaits) client.wire.pause()
    else client.wire.resume()
    if (downWaits) upstream.wire.pause()
    else upstream.wire.resume()
  }

  #stall(stalled: boolean): void {
    this.#stalled = stalled
    this.#balance()
  }

  #end(error: GatewayError, when: 'idle' | 'now'): void {
    if (when === 'now') {
      // The target would go on with what it runs, and commit it, with nobody left who may ask for it.
      if (this.#talk.ledger.size > 0 && this.#talk.over === undefined) {
        this.#parts.recording.moment({ kind: 'own', status: 'cancel', text: error.code })
        this.#cancelRunning()
      }
      if (this.#talk.over !== undefined && this.#leaving.cut(error)) this.#unheard(error)
      this.#finish(error.code, error)
    } else {
      this.#endWhenIdle = error
      this.#endIfIdle()
    }
  }

  /** It has left in order, and its last answer cannot be recorded: it is told that, and so is the session's last event. */
  #unheard(error: GatewayError): void {
    this.#talk.over = error.code
    this.#tell(error)
    this.#talk.results.actions.end()
  }

  /** In the middle of a row nothing can be said: the words would be read as its values. */
  #tell(error: GatewayError): void {
    const isCut = this.#holdsRest && error.code === 'GW_RECORDING_LOST'
    if (!isCut && !this.#talk.down.isWithinFrame) this.#talk.tell(write.fatalFrame(error))
  }

  #endIfIdle(): void {
    const error = this.#endWhenIdle
    if (error !== undefined && this.#talk.isAtRest && this.#talk.status === IDLE) {
      this.#finish(error.code, error)
    }
  }

  /** The target closed. Its own last error has been passed on; when there was none, the client is told. */
  #lost(): void {
    if (this.#talk.over !== undefined) return
    const told = this.#talk.targetSaidWhy
    const error = told ? undefined : new GatewayError('GW_UPSTREAM_LOST', 'the target closed')
    this.#finish(this.#leaving.reason ?? 'target closed', error)
  }

  #finish(reason: string, error?: GatewayError): void {
    const talk = this.#talk
    if (talk.over !== undefined) return
    talk.over = reason
    clearTimeout(this.#late)
    this.#leaving.stop()
    this.#clock?.stop()
    const { client, upstream, turn } = this.#parts
    if (error !== undefined) this.#tell(error)
    turn.end(client.wire)
    turn.end(upstream.wire)
    talk.up.stop()
    talk.down.stop()
    talk.cutRunning()
    this.#cancelNext?.settle()
    // What still comes in is read and dropped: unread bytes would turn our close into a reset, which
    // can take the last message away from the client.
    client.wire.resume()
    upstream.wire.resume()
    this.#leaving.linger()
  }

  #closed(reason: string): void {
    const { client, upstream } = this.#parts
    this.#openWires -= 1
    // What waits of a client that left in order may still go up.
    if (client.wire.isClosed && this.#leaving.gone()) return
    this.#finish(this.#leaving.reason ?? reason)
    if (this.#openWires > 0) {
      // The other half has nobody left to speak to, once what was sent to it is out.
      if (client.wire.isClosed) upstream.wire.end()
      return
    }
    this.#leaving.stop()
    this.#done(this.#talk.over ?? reason)
  }

  #cancel(pid: number, secret: Uint8Array): Promise<void> | undefined {
    const { upstream } = this.#parts
    if (pid !== upstream.pid || secret.length !== this.#secret.length) return undefined
    if (!timingSafeEqual(secret, this.#secret)) return undefined
    const first = this.#talk.ledger.first()
    if (first === undefined || first.kind === OWN) {
      // Nothing runs: a cancel now could only hit what comes next, and is meant for what waits already.
      if (first === undefined && this.#talk.blocked === 0) return Promise.resolve()
      this.#cancelNext ??= waiting()
      return this.#cancelNext.went
    }
    const isSame = first === this.#cancelled && monotonicMs() - this.#cancelledAt < CANCEL_MS_MIN
    return isSame ? Promise.resolve() : this.#cancelFor(first)
  }

  /** What waited has gone up, or has not: the cancel that waited with it goes too, or has found nothing. */
  #cancelHeld(): void {
    const first = this.#talk.ledger.first()
    if (first?.kind === OWN || (first === undefined && this.#talk.up.isWaiting)) return
    const held = this.#cancelNext
    this.#cancelNext = undefined
    const went = first === undefined ? Promise.resolve() : this.#cancelFor(first)
    void went.then(() => held?.settle())
  }

  /** The client wants an end of it. */
  #cancelFor(first: Entry): Promise<void> {
    const { recording, turn } = this.#parts
    this.#cancelled = first
    this.#cancelledAt = monotonicMs()
    recording.moment({ kind: 'cancel', status: '', text: '' })
    turn.schedule()
    return this.#cancelRunning()
  }

  /** While a cancel of ours is on its way nothing follows that it could hit instead. */
  #cancelOverdue(): void {
    const talk = this.#talk
    this.#cancelling += 1
    talk.blocked |= CANCELLING
    void this.#cancelRunning().then(() => {
      this.#cancelling -= 1
      if (this.#cancelling > 0 || talk.over !== undefined) return
      talk.blocked &= ~CANCELLING
      talk.proceed()
    })
  }

  #cancelRunning(): Promise<void> {
    const { upstream, grant, worker } = this.#parts
    return upstream.cancel().catch((error: unknown) =>
      worker.warn('a cancel did not reach the target', {
        connection: grant.connection.name,
        error: GatewayError.from(error).code,
      }),
    )
  }
}

function waiting(): { readonly went: Promise<void>; readonly settle: () => void } {
  let settle = () => {}
  const went = new Promise<void>((resolve) => {
    settle = resolve
  })
  return { went, settle }
}
