/**
 * Pure. Who owns a descriptor while it passes from main to a session worker.
 *
 * A descriptor is only a number: closed twice it ends somebody else's connection, closed never it leaks. The
 * message that carries it may be lost with a worker that dies. So both sides settle it in shared memory, one
 * cell per descriptor, by compare-and-exchange on a ticket that is never the same twice in a row:
 *
 *   main: give ──▶ cell = ticket ──▶ worker: take   (0: the worker's environment closes it, whatever happens)
 *                        └─────────▶ main: revoke   (0: the worker never took it; main closes it)
 *
 * Exactly one of `take` and `revoke` answers true. Does not touch descriptors itself.
 */

export class Handover {
  /** Give this to the worker's `Handover`. */
  readonly shared: SharedArrayBuffer
  readonly #cells: Int32Array
  #lastTicket = 0

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared
    this.#cells = new Int32Array(shared)
  }

  /** For descriptors below `count`; memory is touched only where it is used. */
  static ofSize(count: number): Handover {
    return new Handover(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT))
  }

  /** Main, before it sends. `undefined`: a number higher than we can track, so it must not be sent. */
  give(fd: number): number | undefined {
    if (fd >= this.#cells.length) return undefined
    this.#lastTicket = this.#lastTicket === 0x7fff_ffff ? 1 : this.#lastTicket + 1
    Atomics.store(this.#cells, fd, this.#lastTicket)
    return this.#lastTicket
  }

  /** Worker, first thing. False: main has closed the descriptor; leave the number alone. */
  take(fd: number, ticket: number): boolean {
    return Atomics.compareExchange(this.#cells, fd, ticket, 0) === ticket
  }

  /** Main, when the task failed. True: the descriptor is main's again, to be closed. */
  revoke(fd: number, ticket: number): boolean {
    return Atomics.compareExchange(this.#cells, fd, ticket, 0) === ticket
  }
}
