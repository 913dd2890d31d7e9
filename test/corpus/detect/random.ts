/** Pure. Random values by seed, so that a corpus is the same on every machine. */

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** From `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  pick<T>(items: ArrayLike<T>): T {
    return items[Math.floor(this.next() * items.length)]!
  }

  /** `#` becomes a digit, `@` a capital letter, `&` a small one; anything else stays. */
  like(pattern: string): string {
    return pattern.replace(/[#@&]/g, (sign) =>
      sign === '#' ? this.pick(DIGITS) : this.pick(sign === '@' ? UPPER : LOWER),
    )
  }

  of(alphabet: string, length: number): string {
    return Array.from({ length }, () => this.pick(alphabet)).join('')
  }

  date(): { yy: string; mm: string; dd: string; yyyy: string } {
    const year = this.between(1935, 2009)
    const at = new Date(Date.UTC(year, this.between(0, 11), this.between(1, 28)))
    const text = at.toISOString()
    const [yyyy, mm, dd] = [text.substring(0, 4), text.substring(5, 7), text.substring(8, 10)]
    return { yyyy, yy: yyyy.substring(2), mm, dd }
  }
}

export const DIGITS = '0123456789'
export const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const LOWER = 'abcdefghijklmnopqrstuvwxyz'
export const HEX = '0123456789abcdef'
export const BASE62 = DIGITS + UPPER + LOWER
export const BASE64URL = `${BASE62}-_`
