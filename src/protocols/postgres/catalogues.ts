/**
 * Pure. Catalogues of targets as this worker knows them, shared by all its sessions on one connection,
 * database and login. Loaded by whichever session needs one first, over that session's own connection; the others
 * wait for it.
 */
import type { Clock } from '../../base/clock.ts'
import type { Names } from './sql/analysis.ts'
import type { Catalogue } from './sql/catalogue.ts'
import type { Seen } from './sql/catalogue-look.ts'
import { idleNamesFrom } from './sql/catalogue-read.ts'

export type { Catalogue }

export interface Known {
  readonly catalogue: Catalogue
  /** What was seen of the target just before it was loaded. */
  readonly seen: Seen
  /** Microseconds of the monotonic clock when it was last compared with the target. */
  checkedAt: number
}

/** Calls `then` after so many milliseconds; answers how to call that off. */
export type Later = (ms: number, then: () => void) => () => void

/** Who waits for another session's look waits this long at most, and then looks itself. */
const LOOK_MS_MAX = 2_000
/** Answers to IDLE_NAMES_TEXT that are kept with a catalogue: one for each role and path. */
const ANSWERS_MAX = 100

interface Place {
  known: Known | undefined
  /** Rises with each call of `stale`. */
  mark: number
  /** Set while a session looks. */
  looking: { readonly waiting: (() => void)[] } | undefined
}

export class CatalogueStore {
  readonly #places = new Map<string, Place>()
  readonly #clock: Clock
  readonly #later: Later
  readonly #idle = new WeakMap<Catalogue, Map<string, Names>>()
  #epoch = 0

  constructor(clock: Clock, later: Later = () => () => {}) {
    this.#clock = clock
    this.#later = later
  }

  get(key: string): Known | undefined {
    return this.#places.get(key)?.known
  }

  /** Changes with each call of `stale`: take it before asking the target, hand it back with the answer. */
  mark(key: string): number {
    return this.#place(key).mark
  }

  put(
    key: string,
    loaded: { readonly catalogue: Catalogue; readonly seen: Seen; readonly mark: number },
  ): void {
    const { catalogue, seen, mark } = loaded
    const place = this.#place(key)
    const checkedAt = mark === place.mark ? this.#clock.elapsed() : Number.NEGATIVE_INFINITY
    place.known = { catalogue, seen, checkedAt }
  }

  /** Compared with the target before it is used again, also by whoever puts an answer that was asked for before. */
  stale(key: string): void {
    const place = this.#place(key)
    place.mark += 1
    if (place.known !== undefined) place.known.checkedAt = Number.NEGATIVE_INFINITY
  }

  /** As `stale`, wherever the connection leads or has led. */
  staleAll(connection: string, database: string): void {
    const whole = catalogueKey(connection, database)
    const prefix = whole.substring(0, whole.length - 1)
    for (const key of this.#places.keys()) if (key.startsWith(prefix)) this.stale(key)
  }

  /** Milliseconds since it was last compared with the target. */
  age(known: Known): number {
    return (this.#clock.elapsed() - known.checkedAt) / 1000
  }

  /** A session is looking: `then` is called when it is done, well or not. Answers false when none is. */
  wait(key: string, then: () => void): boolean {
    const { looking } = this.#place(key)
    if (looking === undefined) return false
    looking.waiting.push(then)
    return true
  }

  /** The caller looks now, on behalf of all that come meanwhile; it calls the answer when it is done. */
  look(key: string): () => void {
    const place = this.#place(key)
    const looking = { waiting: [] as (() => void)[] }
    place.looking = looking
    const done = () => {
      callOff()
      if (place.looking === looking) place.looking = undefined
      for (const one of looking.waiting.splice(0)) one()
    }
    const callOff = this.#later(LOOK_MS_MAX, done)
    return done
  }

  /** As `idleNamesFrom`; most logins get the same answer, which is read once. */
  idleNames(json: string, catalogue: Catalogue): Names | 'more' | undefined {
    let kept = this.#idle.get(catalogue)
    const known = kept?.get(json)
    if (known !== undefined) return known
    const names = idleNamesFrom(json, catalogue)
    if (names === undefined || names === 'more') return names
    if (kept === undefined || kept.size >= ANSWERS_MAX) {
      kept = new Map()
      this.#idle.set(catalogue, kept)
    }
    kept.set(json, names)
    return names
  }

  nextEpoch(): number {
    this.#epoch += 1
    return this.#epoch
  }

  #place(key: string): Place {
    const known = this.#places.get(key)
    if (known !== undefined) return known
    const made: Place = { known: undefined, mark: 0, looking: undefined }
    this.#places.set(key, made)
    return made
  }
}

/**
 * A reload may lead a connection elsewhere while sessions of the old place go on: names of one server mean nothing on
 * another, and who renews one must not put it in the other's place.
 */
export function catalogueKey(
  connection: string,
  database: string,
  addresses: readonly object[] = [],
): string {
  return JSON.stringify([connection, database, ...addresses])
}
