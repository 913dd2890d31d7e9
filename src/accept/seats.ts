/**
 * Pure. Connections per address where the address is known only to the worker that read it from a PROXY header: counts
 * in memory that all threads share. Main assigns a seat to each such connection and takes it back when the connection
 * is over, even where its worker died; the worker writes into the seat what was counted for it.
 *
 *   ┌──────────┬───────────────┬───────────────┬───────────────────────────┐
 *   │ seeds, 2 │ counts, row 0 │ counts, row 1 │ seats: two counts a piece │   Int32, in this order
 *   └──────────┴───────────────┴───────────────┴───────────────────────────┘
 *
 * An address counts in one cell of each row, and is as many as the lesser of the two. Others in the same cells can only
 * make it more: the limit is never exceeded, and met too early only by who shares both cells with busy others.
 */

import { networkOf } from './address.ts'

const ROW_CELLS = 1 << 16
const FIRST_ROW = 2
const FIRST_SEAT = FIRST_ROW + 2 * ROW_CELLS

export class AddressSeats {
  /** Give this to the worker's `AddressSeats`. */
  readonly shared: SharedArrayBuffer
  readonly #cells: Int32Array
  readonly #free: number[] = []
  #unused = 0

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared
    this.#cells = new Int32Array(shared)
  }

  /** `seeds`: random, so that nobody can choose who shares a cell with whom. */
  static ofSize(count: number, seeds: readonly [number, number]): AddressSeats {
    const cells = FIRST_SEAT + 2 * count
    const seats = new AddressSeats(new SharedArrayBuffer(cells * Int32Array.BYTES_PER_ELEMENT))
    seats.#cells.set(seeds)
    return seats
  }

  /** Main. undefined: there are none left. */
  assign(): number | undefined {
    const seat = this.#free.pop()
    if (seat !== undefined) return seat
    const isLeft = FIRST_SEAT + 2 * this.#unused < this.#cells.length
    return isLeft ? this.#unused++ : undefined
  }

  /** Worker, once a seat. False: the address has `max` connections already; then nothing is counted. */
  take(seat: number, address: string, max: number): boolean {
    const network = networkOf(address)
    const [one, two] = [this.#cellOf(network, 0), this.#cellOf(network, 1)]
    Atomics.add(this.#cells, one, 1)
    Atomics.add(this.#cells, two, 1)
    // Looked at afterwards: of several at once the last sees all of them, and at worst none gets in.
    const now = Math.min(Atomics.load(this.#cells, one), Atomics.load(this.#cells, two))
    if (now > max) {
      Atomics.sub(this.#cells, one, 1)
      Atomics.sub(this.#cells, two, 1)
      return false
    }
    Atomics.store(this.#cells, FIRST_SEAT + 2 * seat, one)
    Atomics.store(this.#cells, FIRST_SEAT + 2 * seat + 1, two)
    return true
  }

  /** Main, when the connection is over, once for each `assign`. */
  leave(seat: number): void {
    for (const at of [FIRST_SEAT + 2 * seat, FIRST_SEAT + 2 * seat + 1]) {
      const cell = Atomics.exchange(this.#cells, at, 0)
      if (cell !== 0) Atomics.sub(this.#cells, cell, 1)
    }
    this.#free.push(seat)
  }

  /** FNV-1a from a seed; its high bits, which every character reaches, choose the cell. */
  #cellOf(address: string, row: 0 | 1): number {
    let hash = this.#cells[row]! ^ 0x811c9dc5
    for (let at = 0; at < address.length; at++)
      hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return FIRST_ROW + row * ROW_CELLS + (hash >>> 16)
  }
}
