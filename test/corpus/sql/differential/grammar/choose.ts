/** Pure. How the grammar makes its choices: all come from fast-check, so that a seed says the whole program. */
import fc, { type GeneratorValue } from 'fast-check'

export class Choose {
  readonly #value: GeneratorValue
  /** Percent of statements that only newer servers read. */
  readonly newer: number

  constructor(value: GeneratorValue, newer: number) {
    this.#value = value
    this.newer = newer
  }

  below(n: number): number {
    return this.#value(evenly, n)
  }

  one<T>(options: readonly T[]): T {
    return options[this.below(options.length)]!
  }

  /** One of several productions; a number before one is its weight. */
  of(...options: readonly (number | (() => string))[]): string {
    const all: (() => string)[] = []
    let weight = 1
    for (const one of options) {
      if (typeof one === 'number') weight = one
      else {
        for (let i = 0; i < weight; i++) all.push(one)
        weight = 1
      }
    }
    return this.one(all)()
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  /** `text` now and then, with a blank before it. */
  maybe(percent: number, text: () => string): string {
    return this.chance(percent) ? ` ${text()}` : ''
  }

  /** One or more, joined. */
  list(most: number, by: string, text: () => string): string {
    return Array.from({ length: 1 + this.below(most) }, text).join(by)
  }
}

/** Without fast-check's liking for small numbers, which would be the first productions. */
function evenly(n: number): fc.Arbitrary<number> {
  return fc.noBias(fc.nat(n - 1))
}

/** Programs of the grammar that `make` writes. */
export function programs(make: (choose: Choose) => readonly string[], newer: number) {
  return fc.gen().map((value) => make(new Choose(value, newer)))
}
