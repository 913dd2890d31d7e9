/**
 * Pure. Memory that is used again. Megabytes that are taken and given back several times a second are what the garbage
 * collector is busy with (it counts them, and looks through the whole heap), and the kernel with it: each page that goes away is
 * told to every core on which another thread of the process runs, those of sessions included.
 */

/** Pieces of so many bytes up to twice as many, one on the other. */
interface Pile {
  readonly pieces: Buffer[]
  /** As low as it was since the last `rest`: nobody needed these. */
  low: number
}

export class SpareMemory {
  readonly #eachMax: number
  readonly #bytesMax: number
  /** By the power of two: thousands of small pieces must not be looked through. */
  readonly #piles: Pile[] = Array.from({ length: 32 }, () => ({ pieces: [], low: 0 }))
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
    if (least === 0 || least > this.#eachMax) return Buffer.allocUnsafeSlow(least)
    const at = pileOf(least)
    // In the next larger one all are long enough, and none is four times as long.
    return this.#from(at, least) ?? this.#from(at + 1, least) ?? Buffer.allocUnsafeSlow(least)
  }

  /** Nobody looks at it any more: not who gives it, and not through a part of it. */
  give(memory: Buffer): void {
    const { length } = memory
    if (length === 0 || length > this.#eachMax || this.#bytes + length > this.#bytesMax) return
    this.#piles[pileOf(length)]!.pieces.push(memory)
    this.#bytes += length
  }

  /** Called now and then: lets go of what nobody has taken since the last time, so that it is neither held nor in the way. */
  rest(): void {
    for (const pile of this.#piles) {
      for (const { length } of pile.pieces.splice(0, pile.low)) this.#bytes -= length
      pile.low = pile.pieces.length
    }
  }

  #from(at: number, least: number): Buffer | undefined {
    const pile = this.#piles[at]
    const found = pile?.pieces.at(-1)
    if (found === undefined || found.length < least) return undefined
    pile!.pieces.pop()
    pile!.low = Math.min(pile!.low, pile!.pieces.length)
    this.#bytes -= found.length
    return found
  }
}

function pileOf(length: number): number {
  return 31 - Math.clz32(length)
}

/** Keeps nothing: each piece is new. */
export const NO_SPARE = new SpareMemory(0, 0)
