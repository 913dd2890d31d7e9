/**
 * Pure (asks through its caller). Keeps what names mean to one session true (semantics §1, "The same names").
 *
 * Statements that change what a name means make the session *dirty* from the moment they are forwarded; before the
 * next text is judged the target is asked, on this very connection, what it sees now. A transaction that made
 * anything dirty makes it so again when it ends, because a rollback takes the change back.
 */
import type { Catalogue, CatalogueStore, Known } from './catalogues.ts'
import { FAILED, IDLE } from './frame.ts'
import type { Effect, Names } from './sql/analysis.ts'
import { calm } from './sql/calm-question.ts'
import {
  CATALOGUE_TEXT,
  changedParts,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
  partsText,
  schemasIn,
  VERSION_TEXT,
} from './sql/catalogue-query.ts'
import { buildCatalogue, namesFrom, renewCatalogue } from './sql/catalogue-read.ts'

/** Sends a query of the gateway's own; answers the first value of its first row, undefined when it failed. */
export type Ask = (text: string, answered: (value: string | undefined) => void) => void

/** A catalogue may be this old before it is compared with the target's again. */
export const CATALOGUE_MS_MAX = 3_000
/** Older than this it is not used, even if a pipeline that never runs empty must be held for it. */
const OVERDUE_MS = 10_000

export class NamesKeeper {
  readonly #store: CatalogueStore
  readonly #key: string
  readonly #ask: Ask
  #names: Names | undefined
  #dirty = true
  #changes = 0
  /** Which schemas there were when `#names` were asked for. */
  #schemas: string | undefined
  /** Something in the open transaction made names dirty. */
  #transactionDirty = false
  /** The shared catalogue is out of date by what this session did; asked for once its transaction is over. */
  #changedCatalogue = false

  constructor(options: { store: CatalogueStore; key: string; ask: Ask }) {
    this.#store = options.store
    this.#key = options.key
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

  /** The shared catalogue is too old to wait for a pause in what the client sends. */
  get isOverdue(): boolean {
    const known = this.#store.get(this.#key)
    return known !== undefined && !this.#transactionDirty && this.#store.age(known) > OVERDUE_MS
  }

  /** The next text should wait for `refresh`. `status` is the transaction status the target last told. */
  needsRefresh(status: number): boolean {
    // In a failed transaction the target answers nothing.
    if (status === FAILED) return false
    if (this.#dirty) return true
    const known = this.#store.get(this.#key)
    if (known === undefined) return true
    if (known.catalogue.epoch !== this.#names?.catalogue.epoch && !this.#transactionDirty)
      return !this.#rebased(known, status)
    return status === IDLE && this.#store.age(known) > CATALOGUE_MS_MAX
  }

  /**
   * In a transaction a question would be its first query, behind which SET TRANSACTION is too late. A session with
   * nothing of its own sees what all see, and takes over the new catalogue without asking.
   */
  #rebased({ catalogue, version }: Known, status: number): boolean {
    const names = this.#names
    // The path lists the schemas that there are: with them it may have changed.
    if (schemasIn(version) !== this.#schemas) return false
    if (status === IDLE || names === undefined || names.catalogue.parts === undefined) return false
    const settings = names.key.substring(names.key.indexOf(':'))
    this.#names = { ...names, catalogue, key: `${catalogue.epoch}${settings}` }
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

  /** The target is ready. Answers true when the shared catalogue of all sessions changed. */
  ready(status: number): boolean {
    if (status !== IDLE) return false
    if (this.#transactionDirty) this.soil()
    this.#transactionDirty = false
    const changed = this.#changedCatalogue
    this.#changedCatalogue = false
    if (changed) this.#store.stale(this.#key)
    return changed
  }

  /** The target cannot be asked before the next message: names that may have changed since are not known. */
  lapse(): void {
    const known = this.#store.get(this.#key)
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
    const known = this.#store.get(this.#key)
    const shared = status === IDLE && !this.#transactionDirty
    const mark = this.#store.mark(this.#key)
    const names = (catalogue: Catalogue) => this.#askNames(catalogue, { status, done })
    if (known !== undefined && !(shared && this.#store.age(known) > CATALOGUE_MS_MAX)) {
      names(known.catalogue)
      return
    }
    this.#ask(status === IDLE ? calm(VERSION_TEXT) : VERSION_TEXT, (version) => {
      // Another session may have loaded it meanwhile.
      const now = this.#store.get(this.#key)
      if (now !== undefined && version === now.version) {
        this.#store.confirm(this.#key, mark)
        names(now.catalogue)
      } else this.#load({ version, mark, status }, { names, done })
    })
  }

  /** The version was asked first: what changes in between is then found at the next comparison. */
  #load(
    asked: { version: string | undefined; mark: number; status: number },
    then: { names: (catalogue: Catalogue) => void; done: () => void },
  ): void {
    const { version, mark, status } = asked
    const known = this.#store.get(this.#key)
    const former = known?.catalogue.parts
    const isKnown = known !== undefined && former !== undefined && version !== undefined
    const parts = isKnown ? changedParts(known.version, version) : []
    const text = parts.length === 0 ? CATALOGUE_TEXT : partsText(parts)
    const read = (json: string): Catalogue | undefined => {
      const epoch = this.#store.nextEpoch()
      if (former === undefined || parts.length === 0) return buildCatalogue(json, epoch)
      return renewCatalogue(former, { json, parts, epoch })
    }
    this.#ask(status === IDLE ? calm(text) : text, (json) => {
      const catalogue = json === undefined ? undefined : read(json)
      if (catalogue === undefined || version === undefined) {
        this.#dirty = true
        then.done()
        return
      }
      this.#store.put(this.#key, { catalogue, version, mark })
      then.names(catalogue)
    })
  }

  #askNames(catalogue: Catalogue, then: { status: number; done: () => void }): void {
    const schemas = schemasIn(this.#store.get(this.#key)?.version ?? '')
    const settle = (names: Names | undefined) => {
      if (names !== undefined) {
        this.#names = names
        this.#schemas = schemas
      }
      this.#dirty = names === undefined
      then.done()
    }
    const read = (json: string | undefined) =>
      json === undefined ? undefined : namesFrom(json, catalogue)
    const all = then.status === IDLE ? calm(NAMES_TEXT) : NAMES_TEXT
    const askAll = () => this.#ask(all, (json) => settle(read(json)))
    if (then.status !== IDLE) {
      askAll()
      return
    }
    this.#ask(IDLE_NAMES_TEXT, (json) => {
      const names = read(json)
      if (names?.temporarySchema === undefined) settle(names)
      else askAll()
    })
  }
}
