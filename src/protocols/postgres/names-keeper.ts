/**
 * Pure (asks through its caller). Keeps what names mean to one session true (semantics §1, "The same names").
 *
 * Statements that change what a name means make the session *dirty* from the moment they are forwarded; before the
 * next text is judged the target is asked, on this very connection, what it sees now. A transaction that made
 * anything dirty makes it so again when it ends, because a rollback takes the change back.
 */
import type { CatalogueStore, Known } from './catalogues.ts'
import { FAILED, IDLE } from './frame.ts'
import type { Effect, Names } from './sql/analysis.ts'
import { calm, unhurried } from './sql/calm-question.ts'
import { type Catalogue, overlay } from './sql/catalogue.ts'
import {
  isSameServer,
  isUnchanged,
  type Look,
  lookFrom,
  renewCatalogue,
} from './sql/catalogue-changes.ts'
import { chosenText, lookText, partsOf, type Seen } from './sql/catalogue-look.ts'
import { CATALOGUE_TEXT, IDLE_NAMES_TEXT, NAMES_TEXT } from './sql/catalogue-query.ts'
import { buildCatalogue, namesFrom } from './sql/catalogue-read.ts'

/** Sends a query of the gateway's own; answers the first value of its first row, undefined when it failed. */
export type Ask = (text: string, answered: (value: string | undefined) => void) => void

/** A catalogue may be this old before it is compared with the target's again. */
export const CATALOGUE_MS_MAX = 3_000
/** Older than this it is not used, even if a pipeline that never runs empty must be held for it. */
const OVERDUE_MS = 10_000

interface KeeperOptions {
  readonly store: CatalogueStore
  readonly key: string
  /** DDL of this session: from before a reload, others may have the same target under other addresses. Default: this catalogue. */
  readonly stale?: () => void
  readonly ask: Ask
  /** The session is over, and nothing can be asked any more. */
  readonly isOver?: () => boolean
  /** What the target sends is not read at the moment, so that nobody should wait for this session. */
  readonly isSlow?: () => boolean
  /** Frames that wait are offered again, after another session has done what they waited for. */
  readonly proceed?: () => void
}

/** A refresh that is under way. */
interface Refresh {
  readonly status: number
  readonly done: () => void
  /** It has turned out to be on another server than was believed. */
  readonly isMoved?: boolean
}

export class NamesKeeper {
  readonly #options: KeeperOptions
  readonly #store: CatalogueStore
  readonly #key: string
  readonly #stale: () => void
  readonly #ask: Ask
  /** On which server this connection is, from its own first answer on: a name or an address may lead to another by then. */
  #server: string | undefined
  #names: Names | undefined
  #dirty = true
  #changes = 0
  /** Which schemas there were when `#names` were asked for. */
  #paths: string | undefined
  /** Something in the open transaction made names dirty. */
  #transactionDirty = false
  /** The shared catalogue is out of date by what this session did; asked for once its transaction is over. */
  #changedCatalogue = false

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#store = options.store
    this.#key = options.key
    this.#stale = options.stale ?? (() => options.store.stale(options.key))
    this.#ask = options.ask
  }

  /** undefined while they are not known: every text is opaque then. */
  get names(): Names | undefined {
    return this.#dirty ? undefined : this.#names
  }

  /** The last that were known, for texts that the target refuses anyway. */
  get former(): Names | undefined {
    return this.#names
  }

  /** Equal stamps: names mean the same, or are unknown since the same statement. */
  get stamp(): string {
    return this.names?.key ?? `unknown since ${this.#changes}`
  }

  get isDirty(): boolean {
    return this.#dirty
  }

  /** Of the server that the session is on; before that is known, a guess, by which nothing is judged. */
  get #known(): Known | undefined {
    return this.#store.get(this.#key, this.#server)
  }

  /** The shared catalogue is too old to wait for a pause in what the client sends. */
  get isOverdue(): boolean {
    const known = this.#known
    return known !== undefined && !this.#transactionDirty && this.#store.age(known) > OVERDUE_MS
  }

  /** The next text should wait for `refresh`. `status` is the transaction status the target last told. */
  needsRefresh(status: number): boolean {
    // In a failed transaction the target answers nothing.
    if (status === FAILED) return false
    if (this.#dirty) return true
    const known = this.#known
    if (known === undefined) return true
    // Only outside a transaction is it compared: what is open may hide what others have changed.
    if (status === IDLE && this.#store.age(known) > CATALOGUE_MS_MAX) return true
    return !this.#transactionDirty && !this.#rebased(known)
  }

  /**
   * Takes over what another session loaded, without a question, which in a transaction would be its first query,
   * behind which SET TRANSACTION is too late. What is this session's own, its temporary objects, only it can change.
   */
  #rebased({ catalogue, seen }: Known): boolean {
    const names = this.#names
    if (names === undefined || seen.place !== this.#server) return false
    // The path lists the schemas that there are: with them it may have changed.
    if (seen.paths !== this.#paths) return false
    if (catalogue.epoch === names.catalogue.epoch) return true
    const { ownObjects } = names
    const isBare = names.catalogue.parts !== undefined
    if (!isBare && ownObjects === undefined) return false
    const settings = names.key.substring(names.key.indexOf(':'))
    this.#names = {
      ...names,
      catalogue: isBare || ownObjects === undefined ? catalogue : overlay(catalogue, ownObjects),
      key: `${catalogue.epoch}${settings}`,
    }
    return true
  }

  /** A statement with this effect is on its way up. */
  forwarded(effect: Effect): void {
    const { transaction } = effect
    const ends =
      transaction === 'commit' || transaction === 'rollback' || transaction === 'rollback-to'
    if (ends || transaction === 'prepare' ? this.#transactionDirty : effect.dirties) {
      this.soil()
      this.#transactionDirty = true
    }
    if (effect.dirtiesAtEnd) this.#transactionDirty = true
    if (effect.changesCatalogue) this.#changedCatalogue = true
  }

  /**
   * The target is ready, and owes nothing more if this `isLast`. Answers true when the shared catalogue of all sessions
   * may have changed.
   *
   * A client may send a transaction before the answer to what went before it. That answer says nothing of the
   * transaction, which goes on, and whose end may take its changes back.
   */
  ready(status: number, isLast: boolean): boolean {
    if (status !== IDLE) return false
    if (this.#transactionDirty) this.soil()
    const changed = this.#changedCatalogue
    if (changed) this.#stale()
    if (isLast) {
      this.#transactionDirty = false
      this.#changedCatalogue = false
    }
    return changed
  }

  /** The target cannot be asked before the next message: names that may have changed since are not known. */
  lapse(): void {
    const known = this.#known
    const isSame = known?.catalogue.epoch === this.#names?.catalogue.epoch
    const isOld = known === undefined || this.#store.age(known) > OVERDUE_MS
    if ((isOld || !isSame) && !this.#dirty) this.soil()
  }

  /** A parameter that the target reports changed in a way that changes how texts are read. */
  soil(): void {
    this.#dirty = true
    this.#changes += 1
  }

  /** Asks what is not known. Only when nothing is owed and no segment is open; `done` when the answer is in. */
  refresh(status: number, done: () => void): void {
    this.#refresh({ status, done })
  }

  #refresh(then: Refresh): void {
    const { status, done } = then
    const known = this.#known
    const shared = status === IDLE && !this.#transactionDirty
    // In a transaction nobody says on which server it is.
    const isGuess = this.#server === undefined && status !== IDLE
    if (known !== undefined && !isGuess && !(shared && this.#store.age(known) > CATALOGUE_MS_MAX)) {
      if (this.#dirty || this.#transactionDirty || !this.#rebased(known))
        this.#askNames(known, then)
      else done()
    } else if (shared) this.#renew(then)
    else this.#loadAlone(then)
  }

  /** Looks at the target for all sessions, or waits for one that does. */
  #renew(then: Refresh): void {
    const { done } = then
    const { isOver, isSlow, proceed } = this.#options
    const isAlone = isSlow?.() === true
    const wait = (looked: () => void) => !isAlone && this.#store.wait(this.#key, looked)
    const isWaiting = wait(() => {
      if (isOver?.() === true) return
      let isAtOnce = true
      this.#refresh({
        ...then,
        done: () => {
          done()
          if (isAtOnce) proceed?.()
        },
      })
      isAtOnce = false
    })
    if (isWaiting) return
    const looked = isAlone ? () => {} : this.#store.look(this.#key)
    this.#look(this.#known, (names) => {
      looked()
      const known = this.#known
      if (names === 'late') this.#refresh(then)
      else if (names === undefined || known === undefined) this.#settle(undefined, done)
      else this.#ofLook(names.json, known, then)
    })
  }

  /**
   * Puts the catalogue as it is now; answers what the look says of this session's own settings. 'late': another
   * session has put one meanwhile, which may be newer. `known`: what was seen before, if it was seen on this server.
   */
  #look(
    known: Known | undefined,
    done: (names: { readonly json: string } | 'late' | undefined) => void,
  ): void {
    const mark = this.#store.mark(this.#key)
    const { puts } = this.#store
    const put = (catalogue: Catalogue | undefined, look: Look) => {
      if (catalogue === undefined) done(undefined)
      else if ((this.#known?.number ?? 0) > puts) done('late')
      else {
        this.#store.put(this.#key, { catalogue, seen: look.seen, mark })
        done({ json: look.names })
      }
    }
    this.#ask(calm(lookText(known?.seen)), (json) => {
      const look = json === undefined ? undefined : lookFrom(json, known?.seen)
      if (look === undefined) {
        done(undefined)
        return
      }
      this.#isOn(look.seen.place)
      // What it left out because nothing had changed was another server's.
      if (known !== undefined && !isSameServer(known.seen, look.seen)) this.#look(undefined, done)
      else this.#load(look, known, (catalogue) => put(catalogue, look))
    })
  }

  #load(look: Look, known: Known | undefined, done: (now: Catalogue | undefined) => void): void {
    const { choice } = look
    const former = known?.catalogue.parts
    if (choice === undefined || former === undefined || known === undefined) {
      this.#ask(calm(CATALOGUE_TEXT), (json) =>
        done(json === undefined ? undefined : buildCatalogue(json, this.#store.nextEpoch())),
      )
      return
    }
    const merge = (json: string | undefined) =>
      renewCatalogue(former, { look, choice, json, epoch: this.#store.nextEpoch() })
    if (partsOf(choice).length > 0) this.#ask(calm(chosenText(choice)), (json) => done(merge(json)))
    else if (isUnchanged(known.seen, look.seen)) done(known.catalogue)
    else done(merge(undefined))
  }

  /** Nobody has one, and it cannot be shared: what an open transaction hides would be taken for gone. */
  #loadAlone(then: Refresh): void {
    this.#ask(unhurried(CATALOGUE_TEXT), (json) => {
      const catalogue =
        json === undefined ? undefined : buildCatalogue(json, this.#store.nextEpoch())
      if (catalogue === undefined) this.#settle(undefined, then.done)
      else this.#askNames({ catalogue }, then)
    })
  }

  #ofLook(json: string, known: Known, then: Refresh): void {
    const names = namesFrom(json, known.catalogue)
    if (names?.temporarySchema === undefined) this.#settle(names, then.done, known.seen.paths)
    else if (!this.#dirty && this.#rebased(known)) then.done()
    else this.#askNames(known, { ...then, isTemporary: true })
  }

  #settle(names: Names | undefined, done: () => void, paths?: string): void {
    if (names !== undefined) {
      this.#names = names
      this.#paths = paths
    }
    this.#dirty = names === undefined
    done()
  }

  /** `seen` undefined: the catalogue was loaded on this very connection, in this transaction. */
  #askNames(
    { catalogue, seen }: { readonly catalogue: Catalogue; readonly seen?: Seen },
    then: Refresh & { readonly isTemporary?: boolean },
  ): void {
    const { status, done, isTemporary = this.#names?.temporarySchema !== undefined } = then
    const paths = this.#known?.seen.paths
    const settle = (names: Names | undefined) => this.#settle(names, done, paths)
    const askAll = () =>
      this.#ask(status === IDLE ? calm(NAMES_TEXT) : unhurried(NAMES_TEXT), (json) =>
        settle(json === undefined ? undefined : namesFrom(json, catalogue)),
      )
    if (status !== IDLE || isTemporary || seen === undefined) {
      askAll()
      return
    }
    this.#ask(calm(IDLE_NAMES_TEXT, 'few'), (json) => {
      const names =
        json === undefined ? undefined : this.#store.idleNames(json, { catalogue, seen })
      if (names === undefined) settle(undefined)
      else if (names !== 'more' && 'elsewhere' in names) this.#moved(names.elsewhere, then)
      else {
        this.#isOn(seen.place)
        if (names === 'more') askAll()
        else settle(names)
      }
    })
  }

  #isOn(server: string): void {
    if (server !== this.#server) this.#store.leads(this.#key, server)
    this.#server = server
  }

  /** Behind the address is another server than the last that was asked. One that changes again meanwhile is not followed. */
  #moved(server: string, { isMoved, ...then }: Refresh): void {
    this.#isOn(server)
    this.soil()
    if (isMoved === true) this.#settle(undefined, then.done)
    else this.#refresh({ ...then, isMoved: true })
  }
}
