/**
 * Pure. Tells which of many patterns can occur in a value, by what each needs: one pass over the
 * bytes and a few comparisons, with no call out of JavaScript. Most values hold none.
 */
import { Heads } from './heads.ts'
import type { PatternNeeds } from './pattern-needs.ts'
import { FLAGS, LENGTH, needsRow, TRAITS, traitsOf } from './traits.ts'

const traits = new Int32Array(TRAITS)

export class Sieve {
  /** Shorter values hold nothing. */
  readonly lengthLeast: number
  readonly #rows: readonly Int32Array[]
  readonly #heads: Heads | undefined
  /** Those without a literal, which nothing but their traits tells; and of these the least asking. */
  readonly #bare: Int32Array
  readonly #least: readonly Int32Array[]
  readonly #found: Int32Array

  /** In order, one for each pattern. */
  constructor(needs: readonly PatternNeeds[]) {
    this.#rows = needs.map(needsRow)
    this.lengthLeast = Math.min(...this.#rows.map((row) => row[LENGTH]!))
    const hasHeads = needs.some(({ literals }) => literals !== undefined)
    this.#heads = hasHeads ? new Heads(needs.map(({ literals }) => literals)) : undefined
    const indexes = [...needs.keys()]
    this.#bare = Int32Array.from(indexes.filter((at) => needs[at]!.literals === undefined))
    const bare = [...this.#bare].map((at) => this.#rows[at]!)
    this.#least = bare.filter(
      (row, at) => !bare.some((other, index) => index !== at && implies(row, other, index < at)),
    )
    this.#found = new Int32Array(needs.length)
  }

  /** False: none of them occurs in [start, end). */
  mayHold(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < this.lengthLeast) return false
    const heads = this.#heads
    traitsOf(bytes, start, end, traits)
    heads?.look(bytes, start, end)
    if (this.#anyBare()) return true
    if (heads === undefined || !heads.anyMet) return false
    const { met } = heads
    for (let at = 0; at < met.length; at++) if (met[at] === 1 && meets(this.#rows[at]!)) return true
    return false
  }

  /** Those that may occur in [start, end), in order; good until the next call. */
  candidates(bytes: Uint8Array, start: number, end: number): Int32Array {
    let count = 0
    const found = this.#found
    const heads = this.#heads
    if (end - start >= this.lengthLeast) {
      traitsOf(bytes, start, end, traits)
      heads?.look(bytes, start, end)
      if (this.#anyBare())
        for (const at of this.#bare) if (meets(this.#rows[at]!)) found[count++] = at
      if (heads?.anyMet) {
        const { met } = heads
        for (let at = 0; at < met.length; at++)
          if (met[at] === 1 && meets(this.#rows[at]!)) found[count++] = at
      }
    }
    return found.subarray(0, count)
  }

  #anyBare(): boolean {
    for (const row of this.#least) if (meets(row)) return true
    return false
  }
}

function meets(row: Int32Array): boolean {
  for (let at = 0; at < FLAGS; at++) if (row[at]! > traits[at]!) return false
  return (row[FLAGS]! & traits[FLAGS]!) === row[FLAGS]
}

/** Whatever meets `row` meets `other`, so that `row` need not be asked; of equals the first stays. */
function implies(row: Int32Array, other: Int32Array, isEarlier: boolean): boolean {
  if (row.every((value, at) => value === other[at])) return isEarlier
  return row.every((value, at) =>
    at === FLAGS ? (value & other[at]!) === other[at]! : value >= other[at]!,
  )
}
