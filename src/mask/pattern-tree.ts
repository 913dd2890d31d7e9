/**
 * Pure. Reads an RE2 source into a tree, for what can be said of every match without running it
 * (pattern-needs.ts). It knows the common part of the language; of the rest it says that it does not
 * know, which costs speed and nothing else.
 */

/** Characters that may stand in one place. */
export interface CharSet {
  readonly ascii: Uint8Array
  /** Others than ASCII may stand here; of known ones their UTF-8 bytes as latin1, else 'any'. */
  readonly others: readonly string[] | 'any'
}

export type PatternTree =
  | { readonly type: 'set'; readonly set: CharSet }
  /** `isBound`: looks at what stands around. */
  | { readonly type: 'empty'; readonly isBound: boolean }
  | { readonly type: 'all' | 'any'; readonly parts: readonly PatternTree[] }
  | {
      readonly type: 'repeat'
      readonly part: PatternTree
      readonly least: number
      readonly most: number
    }

/** undefined: something in it is not known here. */
export function patternTree(source: string): PatternTree | undefined {
  try {
    return new Reader([...source]).whole()
  } catch (error) {
    if (error instanceof Unknown) return undefined
    throw error
  }
}

class Unknown extends Error {}

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const WORD = `${DIGITS + LOWER + LOWER.toUpperCase()}_`
const SPACES = ' \t\n\r\f'
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' }
const BOUND: PatternTree = { type: 'empty', isBound: true }
/** What becomes an ASCII letter where case does not count. */
const FOLDED: Readonly<Record<string, string>> = { k: '\u212a', s: '\u017f' }
const FOLDS: CharSet = {
  ascii: new Uint8Array(128),
  others: Object.values(FOLDED).map(utf8),
}

class Reader {
  readonly #chars: readonly string[]
  #at = 0

  constructor(chars: readonly string[]) {
    this.#chars = chars
  }

  whole(): PatternTree {
    const tree = this.#choice(false)
    if (this.#at < this.#chars.length) throw new Unknown()
    return tree
  }

  #choice(folds: boolean): PatternTree {
    const parts = [this.#sequence(folds)]
    while (this.#take('|')) parts.push(this.#sequence(folds))
    return parts.length === 1 ? parts[0]! : { type: 'any', parts }
  }

  #sequence(folds: boolean): PatternTree {
    const parts: PatternTree[] = []
    while (this.#at < this.#chars.length && !'|)'.includes(this.#chars[this.#at]!))
      parts.push(this.#repeated(this.#atom(folds)))
    return { type: 'all', parts }
  }

  #repeated(part: PatternTree): PatternTree {
    const bounds = this.#bounds()
    if (bounds === undefined) return part
    this.#take('?')
    const [least, most] = bounds
    return { type: 'repeat', part, least, most }
  }

  #bounds(): readonly [least: number, most: number] | undefined {
    if (this.#take('*')) return [0, Infinity]
    if (this.#take('+')) return [1, Infinity]
    if (this.#take('?')) return [0, 1]
    if (this.#chars[this.#at] !== '{') return undefined
    const end = this.#chars.indexOf('}', this.#at)
    const inner = this.#chars.filter((_, at) => at > this.#at && at < end).join('')
    const found = /^([0-9]+)(,([0-9]*))?$/.exec(inner)
    if (found === null) return undefined
    this.#at = end + 1
    const least = Number(found[1])
    if (found[2] === undefined) return [least, least]
    return [least, found[3] === '' ? Infinity : Number(found[3])]
  }

  #atom(folds: boolean): PatternTree {
    const char = this.#next()
    if (char === '(') return this.#group(folds)
    if (char === '[') return this.#class(folds)
    if (char === '.') return { type: 'set', set: negated(setOf('\n')) }
    if (char === '^' || char === '$') return BOUND
    if ('*+?'.includes(char)) throw new Unknown()
    if (char !== '\\') return { type: 'set', set: spelled(char, folds) }
    if ('bBAz'.includes(this.#chars[this.#at] ?? '')) {
      this.#at++
      return BOUND
    }
    return { type: 'set', set: this.#escape(folds) }
  }

  #group(folds: boolean): PatternTree {
    let inner = folds
    if (this.#take('?')) {
      if (this.#take('i')) inner = true
      if (!this.#take(':')) throw new Unknown()
    }
    const tree = this.#choice(inner)
    if (!this.#take(')')) throw new Unknown()
    return tree
  }

  /** What stands behind a backslash and is one character. */
  #escape(folds: boolean): CharSet {
    const char = this.#next()
    if (char === 'd') return setOf(DIGITS)
    if (char === 'w') return folds ? joined(setOf(WORD), FOLDS) : setOf(WORD)
    if (char === 's') return setOf(SPACES)
    if (char === 'D') return negated(setOf(DIGITS))
    if (char === 'W') return negated(setOf(WORD))
    if (char === 'S') return negated(setOf(SPACES))
    if (char === 'p' || char === 'P') {
      if (this.#take('{')) while (this.#next() !== '}');
      else this.#next()
      return ANYTHING
    }
    if (char === 'x') {
      const code = this.#next() + this.#next()
      if (!/^[0-7][0-9a-fA-F]$/.test(code)) throw new Unknown()
      return spelled(String.fromCharCode(Number.parseInt(code, 16)), folds)
    }
    const control = CONTROLS[char]
    if (control !== undefined) return setOf(control)
    if (/[A-Za-z0-9]/.test(char)) throw new Unknown()
    return spelled(char, folds)
  }

  #class(folds: boolean): PatternTree {
    const isNegated = this.#take('^')
    let set = setOf('')
    // Engines read `[]…]` in two ways.
    if (this.#chars[this.#at] === ']') throw new Unknown()
    while (this.#chars[this.#at] !== ']') {
      const start = this.#next()
      if (start === '[' && this.#chars[this.#at] === ':') throw new Unknown()
      let one = start === '\\' ? this.#escape(folds) : spelled(start, folds)
      const isRange = this.#chars[this.#at] === '-' && this.#chars[this.#at + 1] !== ']'
      if (isRange) {
        this.#at++
        const end = this.#next()
        if (start === '\\' || end === '\\') throw new Unknown()
        one = ranged(start, end, folds)
      }
      set = joined(set, one)
    }
    this.#at++
    return { type: 'set', set: isNegated ? negated(set) : set }
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false
    this.#at++
    return true
  }

  #next(): string {
    const char = this.#chars[this.#at++]
    if (char === undefined) throw new Unknown()
    return char
  }
}

function setOf(chars: string): CharSet {
  const ascii = new Uint8Array(128)
  for (const char of chars) ascii[char.charCodeAt(0)] = 1
  return { ascii, others: [] }
}

const ANYTHING: CharSet = { ascii: new Uint8Array(128).fill(1), others: 'any' }

function spelled(char: string, folds: boolean): CharSet {
  if (char.codePointAt(0)! > 127) {
    return { ascii: setOf('').ascii, others: folds ? 'any' : [utf8(char)] }
  }
  if (!folds) return setOf(char)
  const lower = char.toLowerCase()
  const { ascii } = setOf(lower + char.toUpperCase())
  const other = FOLDED[lower]
  return { ascii, others: other === undefined ? [] : [utf8(other)] }
}

function ranged(start: string, end: string, folds: boolean): CharSet {
  const [from, to] = [start.codePointAt(0)!, end.codePointAt(0)!]
  if (to > 127) return ANYTHING
  let set = setOf('')
  for (let code = from; code <= to; code++)
    set = joined(set, spelled(String.fromCharCode(code), folds))
  return set
}

function joined(one: CharSet, other: CharSet): CharSet {
  const ascii = one.ascii.map((value, at) => value | other.ascii[at]!)
  const isAny = one.others === 'any' || other.others === 'any'
  return { ascii, others: isAny ? 'any' : [...one.others, ...(other.others as string[])] }
}

function negated(set: CharSet): CharSet {
  // Of `[^\p{L}]` only a superset is known: everything.
  const isKnown = set.others !== 'any'
  return { ascii: set.ascii.map((value) => (isKnown ? 1 - value : 1)), others: 'any' }
}

function utf8(char: string): string {
  return Buffer.from(char).toString('latin1')
}
