/**
 * Pure. Finds which of many literals occur in a value: a table over any three bytes in a row says
 * whether a literal may stand there, and only then it is compared.
 */
interface Place {
  readonly literal: Uint8Array
  /** Of the last of its three telling bytes. */
  readonly offset: number
  readonly owner: number
}

const SIZE = 1 << 15
const COMMON = ' etaoinshrdlucmfwypvbgkqjxz'

const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => fold(byte))

/** ASCII letters in lower case, all else as it is. */
export function fold(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}

export class Heads {
  /** By the hash of three bytes: not 0 where a literal may stand. */
  readonly #rare = new Uint8Array(SIZE)
  /** By owner: 1 where one of its literals was met. Of the value looked at last. */
  readonly met: Uint8Array
  anyMet = false
  readonly #places = new Map<number, Place[]>()

  /** `literals` by owner, as latin1 in lower case, of two characters or more. */
  constructor(literals: readonly (readonly string[] | undefined)[]) {
    this.met = new Uint8Array(literals.length)
    for (const [owner, own] of literals.entries())
      for (const literal of own ?? []) this.#add(Buffer.from(literal, 'latin1'), owner)
  }

  /** Notes whose literals occur in [start, end), and no others. */
  look(bytes: Uint8Array, start: number, end: number): void {
    if (this.anyMet) {
      this.met.fill(0)
      this.anyMet = false
    }
    const rare = this.#rare
    let hash = 0
    for (let at = start; at < end; at++) {
      // Of the last three bytes, without case.
      hash = ((hash << 5) ^ FOLD[bytes[at]!]!) & (SIZE - 1)
      if (rare[hash] !== 0) this.#compare(bytes, { start, at, end }, hash)
    }
  }

  #compare(
    bytes: Uint8Array,
    value: { readonly start: number; readonly at: number; readonly end: number },
    hash: number,
  ): void {
    for (const { literal, offset, owner } of this.#places.get(hash)!) {
      if (this.met[owner] === 1) continue
      const from = value.at - offset
      if (from < value.start || from + literal.length > value.end) continue
      if (!stands(bytes, from, literal)) continue
      this.met[owner] = 1
      this.anyMet = true
    }
  }

  #add(literal: Uint8Array, owner: number): void {
    if (literal.length === 2) {
      // Whatever stands before it.
      for (let before = 0; before < 256; before++)
        this.#put(hashOf(before, literal[0]!, literal[1]!), { literal, offset: 1, owner })
      return
    }
    let offset = 2
    for (let at = 3; at < literal.length; at++)
      if (rarity(literal, at) > rarity(literal, offset)) offset = at
    const hash = hashOf(literal[offset - 2]!, literal[offset - 1]!, literal[offset]!)
    this.#put(hash, { literal, offset, owner })
  }

  #put(hash: number, place: Place): void {
    this.#rare[hash] = 1
    const places = this.#places.get(hash)
    if (places === undefined) this.#places.set(hash, [place])
    else if (!places.includes(place)) places.push(place)
  }
}

function hashOf(one: number, two: number, three: number): number {
  return ((one << 10) ^ (two << 5) ^ three) & (SIZE - 1)
}

function rarity(literal: Uint8Array, at: number): number {
  let sum = 0
  for (let place = at - 2; place <= at; place++) {
    const rank = COMMON.indexOf(String.fromCharCode(literal[place]!))
    sum += rank < 0 ? COMMON.length : rank
  }
  return sum
}

function stands(bytes: Uint8Array, from: number, literal: Uint8Array): boolean {
  for (let at = 0; at < literal.length; at++)
    if (fold(bytes[from + at]!) !== literal[at]) return false
  return true
}
