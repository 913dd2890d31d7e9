/** Pure. What the checks of many issuers' numbers are made of. */
import { DIGITS, type Random } from './random.ts'

export type Make = (random: Random) => string

export const digitsOf = (text: string): number[] => [...text].map(Number)
export const sum = (numbers: readonly number[]): number =>
  numbers.reduce((all, one) => all + one, 0)

/** The digit that makes the whole pass the Luhn test, found by trying. */
export function withLuhn(body: string, test = body): string {
  for (const last of DIGITS) {
    const turned = digitsOf(test + last).reverse()
    const total = turned.map((digit, at) =>
      at % 2 === 0 ? digit : sum(digitsOf(String(digit * 2))),
    )
    if (sum(total) % 10 === 0) return body + last
  }
  throw new Error('no check digit')
}

/** Draws until the condition holds. */
export function drawn(
  random: Random,
  pattern: string,
  holds: (digits: number[]) => boolean,
): string {
  for (;;) {
    const text = random.like(pattern)
    if (holds(digitsOf(text))) return text
  }
}

export const dot = (digits: readonly number[], weights: readonly number[]): number =>
  sum(weights.map((weight, at) => weight * digits[at]!))
