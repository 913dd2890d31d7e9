/**
 * Pure. Reads the fields of a JSON body one by one and collects what is wrong, so that a caller hears of everything at
 * once. Unknown fields are wrong: a misspelt restriction must not be ignored.
 */
import { assert } from '../../base/errors.ts'
import { didYouMean } from '../../config/problem.ts'

const TEXT_CHARACTERS_MAX = 200
const LIST_MAX = 100

export class Fields {
  readonly problems: string[] = []
  readonly #values: ReadonlyMap<string, unknown>
  readonly #known: readonly string[]

  constructor(body: unknown, known: readonly string[]) {
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
    if (!isObject) this.problems.push('expected a JSON object')
    this.#values = new Map(isObject ? Object.entries(body) : [])
    this.#known = known
    for (const name of this.#values.keys())
      if (!known.includes(name)) this.problems.push(`unknown field${didYouMean(name, known)}`)
  }

  /** undefined where it is absent or wrong. */
  text(name: string, charactersMax = TEXT_CHARACTERS_MAX): string | undefined {
    const value = this.#read(name)
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '' && value.length <= charactersMax) return value
    this.wrong(name, `expected a text of 1 to ${charactersMax} characters`)
    return undefined
  }

  /** A text that may stand in records, tables and logs: no control characters. */
  name(name: string): string | undefined {
    const value = this.text(name)
    if (value === undefined || !/[\p{C}\u2028\u2029]/u.test(value)) return value
    this.wrong(name, 'expected a text without control characters')
    return undefined
  }

  /** From 1 to `max`. */
  count(name: string, max: number): number | undefined {
    const value = this.#read(name)
    if (value === undefined) return undefined
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max) return Number(value)
    this.wrong(name, `expected a whole number from 1 to ${max}`)
    return undefined
  }

  names(name: string): readonly string[] | undefined {
    const value = this.#read(name)
    if (value === undefined) return undefined
    const isList =
      Array.isArray(value) &&
      value.length <= LIST_MAX &&
      value.every(
        (one) =>
          typeof one === 'string' &&
          one !== '' &&
          one.length <= TEXT_CHARACTERS_MAX &&
          !/[\p{C}\u2028\u2029]/u.test(one),
      )
    if (isList) return value.map(String)
    this.wrong(name, `expected a list of at most ${LIST_MAX} names`)
    return undefined
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.#read(name)
    if (value === undefined) return undefined
    const found = choices.find((choice) => choice === value)
    if (found === undefined) this.wrong(name, `expected one of ${choices.join(', ')}`)
    return found
  }

  /** Never quotes the value. */
  wrong(name: string, message: string): void {
    this.problems.push(`${name}: ${message}`)
  }

  #read(name: string): unknown {
    assert(this.#known.includes(name), `field ${name} is declared`)
    const value = this.#values.get(name)
    return value === null ? undefined : value
  }
}
