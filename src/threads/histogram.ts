/**
 * Pure. A histogram that one thread counts in: a plain array, so that an observation is a short search and two
 * additions, and allocates nothing. Histograms of several threads are merged by adding their numbers.
 */
export class Histogram {
  readonly #bounds: readonly number[]
  /** One number for each bound, one for what lies above the last, then the sum of all. */
  readonly #numbers: Float64Array

  /** `bounds` rise; each is part of its own bucket, as Prometheus has it. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#numbers = new Float64Array(bounds.length + 2)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1
    const numbers = this.#numbers
    numbers[bucket]! += 1
    numbers[bounds.length + 1]! += value
  }

  /** A copy, as it is sent to the thread that merges. */
  numbers(): readonly number[] {
    return [...this.#numbers]
  }
}
