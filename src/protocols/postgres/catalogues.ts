/**
 * Pure. Catalogues of targets as this worker knows them, shared by all its sessions on one connection,
 * database and login. Loaded by whichever session needs one first, over that session's own connection.
 */
import type { Clock } from '../../base/clock.ts'
import type { Catalogue } from './sql/catalogue.ts'

export type { Catalogue }

export interface Known {
  readonly catalogue: Catalogue
  /** Answer of VERSION_TEXT just before it was loaded. */
  readonly version: string
  /** Microseconds of the monotonic clock when it was last compared with the target. */
  checkedAt: number
}

export class CatalogueStore {
  readonly #known = new Map<string, Known>()
  readonly #marks = new Map<string, number>()
  readonly #clock: Clock
  #epoch = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string): Known | undefined {
    return this.#known.get(key)
  }

  /** Changes with each call of `stale`: take it before asking the target, hand it back with the answer. */
  mark(key: string): number {
    return this.#marks.get(key) ?? 0
  }

  put(
    key: string,
    loaded: { readonly catalogue: Catalogue; readonly version: string; readonly mark: number },
  ): void {
    const { catalogue, version, mark } = loaded
    this.#known.set(key, { catalogue, version, checkedAt: this.#checkedAt(key, mark) })
  }

  /** The target still answers the same version. */
  confirm(key: string, mark: number): void {
    const known = this.#known.get(key)
    if (known !== undefined) known.checkedAt = this.#checkedAt(key, mark)
  }

  /** Compared with the target before it is used again, also by whoever puts an answer that was asked for before. */
  stale(key: string): void {
    this.#marks.set(key, this.mark(key) + 1)
    const known = this.#known.get(key)
    if (known !== undefined) known.checkedAt = Number.NEGATIVE_INFINITY
  }

  #checkedAt(key: string, mark: number): number {
    return mark === this.mark(key) ? this.#clock.elapsed() : Number.NEGATIVE_INFINITY
  }

  /** Milliseconds since it was last compared with the target. */
  age(known: Known): number {
    return (this.#clock.elapsed() - known.checkedAt) / 1000
  }

  nextEpoch(): number {
    this.#epoch += 1
    return this.#epoch
  }
}

export function catalogueKey(connection: string, database: string): string {
  return JSON.stringify([connection, database])
}
