/**
 * Pure. Catalogues of targets as this worker knows them, shared by all its sessions on one connection,
 * database and server. Loaded by whichever session needs one first, over that session's own connection; the others
 * wait for it. Which server a session is on it knows when it has asked; until then that of the last login is a guess (names-keeper.ts).
 */
import type { Clock } from '../../base/clock.ts'
import type { Names } from './sql/analysis.ts'
import type { Catalogue } from './sql/catalogue.ts'
import type { Seen } from './sql/catalogue-look.ts'
import { idleNamesFrom } from './sql/catalogue-read.ts'
import { placeIn } from './sql/server-place.ts'

export type { Catalogue }

export interface Known {
  readonly catalogue: Catalogue
  /** What was seen of the target just before it was loaded. */
  readonly seen: Seen
  /** Higher than those of all that were put before. */
  readonly number: number
  readonly putAt: number
  /** Microseconds of the monotonic clock when it was last compared with the target. */
  checkedAt: number
}

/** Calls `then` after so many milliseconds; answers how to call that off. */
export type Later = (ms: number, then: () => void) => () => void

/** Who waits for another session's look waits this long at most, and then looks itself. */
const LOOK_MS_MAX = 2_000
/** Answers to IDLE_NAMES_TEXT that are kept with a catalogue: one for each role and path. */
const ANSWERS_MAX = 100
/** Servers behind one address whose catalogues are kept, and for how long without a session that asks. */
const SERVERS_MAX = 8
const SERVER_US_MAX = 600_000_000

interface Place {
  /** Where the last login went. */
  leads: string | undefined
  /** By server, the last that was put behind the others. */
  readonly servers: Map<string, Known>
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
  #puts = 0

  constructor(clock: Clock, later: Later = () => () => {}) {
    this.#clock = clock
    this.#later = later
  }

  /** Without a `server`: of the one to which the last login went. */
  get(key: string, server = this.#places.get(key)?.leads): Known | undefined {
    return server === undefined ? undefined : this.#places.get(key)?.servers.get(server)
  }

  /** A session has found itself on that server. */
  leads(key: string, server: string): void {
    this.#place(key).leads = server
  }

  /** The number of the last that was put. */
  get puts(): number {
    return this.#puts
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
    const putAt = this.#clock.elapsed()
    const checkedAt = mark === place.mark ? putAt : Number.NEGATIVE_INFINITY
    this.#puts += 1
    place.leads ??= seen.place
    place.servers.delete(seen.place)
    for (const [server, one] of place.servers)
      if (place.servers.size >= SERVERS_MAX || putAt - one.putAt > SERVER_US_MAX)
        place.servers.delete(server)
    place.servers.set(seen.place, { catalogue, seen, number: this.#puts, putAt, checkedAt })
  }

  /** Compared with the target before it is used again, also by whoever puts an answer that was asked for before. */
  stale(key: string): void {
    const place = this.#place(key)
    place.mark += 1
    for (const known of place.servers.values()) known.checkedAt = Number.NEGATIVE_INFINITY
  }

  /**
   * As `stale`, for all databases of that name, wherever any connection leads or has led: another one, whose roles are not
   * masked, may lead to the same, and a view that is replaced there would show a masked column here.
   */
  staleAll(database: string): void {
    for (const key of this.#places.keys())
      if ((JSON.parse(key) as readonly unknown[])[1] === database) this.stale(key)
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

  /**
   * As `idleNamesFrom`; most logins get the same answer, which is read once. `elsewhere`: the server that answered, of which that
   * catalogue is not.
   */
  idleNames(
    json: string,
    { catalogue, seen }: Pick<Known, 'catalogue' | 'seen'>,
  ): Names | 'more' | { readonly elsewhere: string } | undefined {
    let kept = this.#idle.get(catalogue)
    const known = kept?.get(json)
    if (known !== undefined) return known
    const place = placeIn(json)
    if (place === undefined) return undefined
    if (place !== seen.place) return { elsewhere: place }
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
    const made: Place = { leads: undefined, servers: new Map(), mark: 0, looking: undefined }
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
