/**
 * Pure. Something learnt about places (`placeOf`) that need not stay true: kept for a while, and for so many of them that
 * names with ever new addresses cost no memory. The oldest go first.
 */

export interface PlaceNotesParts {
  readonly forMs: number
  readonly placesMax: number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class PlaceNotes {
  readonly #parts: PlaceNotesParts
  /** Place → until when; in the order of being told. */
  readonly #until = new Map<string, number>()

  constructor(parts: PlaceNotesParts) {
    this.#parts = parts
  }

  add(place: string): void {
    const { forMs, placesMax, now } = this.#parts
    this.#until.delete(place)
    if (this.#until.size >= placesMax) this.#until.delete(this.#until.keys().next().value!)
    this.#until.set(place, now() + forMs)
  }

  has(place: string): boolean {
    return (this.#until.get(place) ?? Number.NEGATIVE_INFINITY) > this.#parts.now()
  }

  forget(place: string): void {
    this.#until.delete(place)
  }
}
