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
  /** Those without a literal, which nothing but their traits tells. */
  readonly #bare: Int32Array
  /** Of these, and of those with a literal, the rows that ask the least. */
  readonly #leastBare: readonly Int32Array[]
  readonly #leastHeaded: readonly Int32Array[]
  readonly #found: Int32Array

  /** In order, one for each pattern. */
  constructor(needs: readonly PatternNeeds[]) {
    this.#rows = needs.map(needsRow)
    this.lengthLeast = Math.min(...this.#rows.map((row) => row[LENGTH]!))
    const indexes = [...needs.keys()]
    const isBare = (at: number) => needs[at]!.literals === undefined
    this.#bare = Int32Array.from(indexes.filter(isBare))
    this.#leastBare = leastOf(indexes.filter(isBare).map((at) => this.#rows[at]!))
    const headed = indexes.filter((at) => !isBare(at)).map((at) => this.#rows[at]!)
    this.#leastHeaded = leastOf(headed)
    this.#heads = headed.length > 0 ? new Heads(needs.map(({ literals }) => literals)) : undefined
    this.#found = new Int32Array(needs.length)
  }

  /** False: none of them occurs in [start, end). */
  mayHold(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < this.lengthLeast) return false
    traitsOf(bytes, start, end, traits)
    if (anyMet(this.#leastBare)) return true
    const met = this.#met(bytes, start, end)
    if (met === undefined) return false
    for (let at = 0; at < met.length; at++) if (met[at] === 1 && meets(this.#rows[at]!)) return true
    return false
  }

  /** Those that may occur in [start, end); good until the next call. */
  candidates(bytes: Uint8Array, start: number, end: number): Int32Array {
    if (end - start < this.lengthLeast) return NONE
    traitsOf(bytes, start, end, traits)
    const found = this.#found
    let count = 0
    if (anyMet(this.#leastBare)) {
      for (const at of this.#bare) if (meets(this.#rows[at]!)) found[count++] = at
    }
    const met = this.#met(bytes, start, end)
    if (met !== undefined) {
      for (let at = 0; at < met.length; at++)
        if (met[at] === 1 && meets(this.#rows[at]!)) found[count++] = at
    }
    return count === 0 ? NONE : found.subarray(0, count)
  }

  /** By pattern, 1 where a literal of it stands; undefined where none does that could matter. */
  #met(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const heads = this.#heads
    if (heads === undefined || !anyMet(this.#leastHeaded)) return undefined
    heads.look(bytes, start, end)
    return heads.anyMet ? heads.met : undefined
  }
}

const NONE = new Int32Array(0)

function anyMet(rows: readonly Int32Array[]): boolean {
  for (const row of rows) if (meets(row)) return true
  return false
}

function leastOf(rows: readonly Int32Array[]): readonly Int32Array[] {
  return rows.filter(
    (row, at) => !rows.some((other, index) => index !== at && implies(row, other, index < at)),
  )
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
