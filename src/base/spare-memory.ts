/**
 * Pure. Memory that is used again. Megabytes that are taken and given back several times a second are what the garbage
 * collector is busy with (it counts them, and looks through the whole heap), and the kernel with it: each page that goes away is
 * told to every core on which another thread of the process runs, those of sessions included.
 */
const WASTE_TIMES = 4

export class SpareMemory {
  readonly #eachMax: number
  readonly #bytesMax: number
  /** The smallest first. */
  readonly #kept: Buffer[] = []
  #bytes = 0

  /** Keeps pieces of up to `eachMax` bytes, `bytesMax` in all. */
  constructor(eachMax: number, bytesMax: number) {
    this.#eachMax = eachMax
    this.#bytesMax = bytesMax
  }

  /** What is kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** A piece of at least so many bytes, and not of far more, which hold whatever was written there last. */
  take(least: number): Buffer {
    const at = this.#kept.findIndex(({ length }) => length >= least)
    if (at < 0 || this.#kept[at]!.length >= least * WASTE_TIMES)
      return Buffer.allocUnsafeSlow(least)
    const [found] = this.#kept.splice(at, 1)
    this.#bytes -= found!.length
    return found!
  }

  /** Nobody looks at it any more: not who gives it, and not through a part of it. */
  give(memory: Buffer): void {
    const { length } = memory
    if (length === 0 || length > this.#eachMax || this.#bytes + length > this.#bytesMax) return
    const at = this.#kept.findIndex((one) => one.length >= length)
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, memory)
    this.#bytes += length
  }
}
