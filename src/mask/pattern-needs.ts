/**
 * Pure. What every match of a pattern holds: so many digits, runs of such length, one of these
 * literals. A value without it need not be searched (sieve.ts). Whatever is not known of a pattern
 * is not asked of values.
 */
import type { Needs } from './detectors/detector.ts'
import { fold } from './heads.ts'
import { type CharSet, type PatternTree, patternTree } from './pattern-tree.ts'
import { CHAINED, TOKEN } from './traits.ts'

export interface PatternNeeds extends Needs {
  /** One of these stands in every match, as latin1 in lower case; undefined: none is known. */
  readonly literals: readonly string[] | undefined
  /** It looks at what stands around a match. */
  readonly isBound: boolean
}

const UNKNOWN: PatternNeeds = { length: 1, literals: undefined, isBound: true }
const DIGIT = '0123456789'
const ALPHANUMERIC = `${DIGIT}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`

export function patternNeeds(source: string): PatternNeeds {
  const tree = patternTree(source)
  if (tree === undefined) return UNKNOWN
  return {
    length: total(tree, () => 1),
    digits: total(tree, (set) => (isWithin(set, DIGIT) ? 1 : 0)),
    digitRun: run(tree, DIGIT, DIGIT).best,
    chain: run(tree, CHAINED, DIGIT).best,
    alphanumericRun: run(tree, ALPHANUMERIC, ALPHANUMERIC).best,
    run: run(tree, TOKEN, TOKEN).best,
    literals: literalsOf(tree).best,
    isBound: isBound(tree),
  }
}

function isWithin(set: CharSet, chars: string): boolean {
  if (set.others === 'any' || set.others.length > 0) return false
  return set.ascii.every((value, code) => value === 0 || chars.includes(String.fromCharCode(code)))
}

function isBound(tree: PatternTree): boolean {
  if (tree.type === 'set') return false
  if (tree.type === 'empty') return tree.isBound
  return (tree.type === 'repeat' ? [tree.part] : tree.parts).some(isBound)
}

/** The least that the places of a match come to. */
function total(tree: PatternTree, worth: (set: CharSet) => number): number {
  switch (tree.type) {
    case 'set':
      return worth(tree.set)
    case 'empty':
      return 0
    case 'repeat':
      return tree.least * total(tree.part, worth)
    case 'all':
      return tree.parts.reduce((sum, part) => sum + total(part, worth), 0)
    default:
      return Math.min(...tree.parts.map((part) => total(part, worth)))
  }
}

/** Least lengths of runs in a match: at its beginning, at its end, anywhere. */
interface Run {
  /** It is one run and nothing else. */
  readonly isWhole: boolean
  readonly first: number
  readonly last: number
  readonly best: number
}

const EMPTY_RUN: Run = { isWhole: true, first: 0, last: 0, best: 0 }

/** Of characters in `within`, of which those in `counted` count. */
function run(tree: PatternTree, within: string, counted: string): Run {
  switch (tree.type) {
    case 'set': {
      if (!isWithin(tree.set, within)) return { ...EMPTY_RUN, isWhole: false }
      const length = isWithin(tree.set, counted) ? 1 : 0
      return { isWhole: true, first: length, last: length, best: length }
    }
    case 'empty':
      return EMPTY_RUN
    case 'all':
      return tree.parts.map((part) => run(part, within, counted)).reduce(followed, EMPTY_RUN)
    case 'any':
      return tree.parts.map((part) => run(part, within, counted)).reduce(either)
    default: {
      const one = run(tree.part, within, counted)
      let all = EMPTY_RUN
      for (let count = 0; count < tree.least; count++) all = followed(all, one)
      if (tree.most === tree.least) return all
      return followed(all, { ...EMPTY_RUN, isWhole: one.isWhole })
    }
  }
}

function followed(one: Run, next: Run): Run {
  return {
    isWhole: one.isWhole && next.isWhole,
    first: one.isWhole ? one.first + next.first : one.first,
    last: next.isWhole ? one.last + next.last : next.last,
    best: Math.max(one.best, next.best, one.last + next.first),
  }
}

function either(one: Run, other: Run): Run {
  return {
    isWhole: one.isWhole && other.isWhole,
    first: Math.min(one.first, other.first),
    last: Math.min(one.last, other.last),
    best: Math.min(one.best, other.best),
  }
}

const STRINGS_MOST = 256
const STRING_MOST = 24
const CHARS_MOST = 8
const COPIES_MOST = 8

interface Literals {
  /** All that it can match; undefined: too many. */
  readonly exact: readonly string[] | undefined
  /** One of them stands in every match. */
  readonly best: readonly string[] | undefined
}

const ANY_LITERALS: Literals = { exact: undefined, best: undefined }

function literalsOf(tree: PatternTree): Literals {
  switch (tree.type) {
    case 'set':
      return exactly(charsOf(tree.set))
    case 'empty':
      return exactly([''])
    case 'repeat':
      return repeated(tree.part, tree.least, tree.most)
    case 'all':
      return sequence(tree.parts.map(literalsOf))
    default: {
      const parts = tree.parts.map(literalsOf)
      if (parts.every(({ exact }) => exact !== undefined))
        return exactly(parts.flatMap(({ exact }) => exact!))
      if (parts.some(({ best }) => best === undefined)) return ANY_LITERALS
      return { exact: undefined, best: useful(parts.flatMap(({ best }) => best!)) }
    }
  }
}

function charsOf(set: CharSet): readonly string[] | undefined {
  if (set.others === 'any') return undefined
  const codes = [...set.ascii.keys()].filter((code) => set.ascii[code] === 1)
  const chars = new Set([...codes.map((code) => String.fromCharCode(fold(code))), ...set.others])
  return chars.size > CHARS_MOST ? undefined : [...chars]
}

function exactly(strings: readonly string[] | undefined): Literals {
  if (strings === undefined) return ANY_LITERALS
  const exact = [...new Set(strings)]
  if (exact.length > STRINGS_MOST) return ANY_LITERALS
  return { exact, best: useful(exact) }
}

function repeated(part: PatternTree, least: number, most: number): Literals {
  const one = literalsOf(part)
  if (least === 0) return most === 1 && one.exact ? exactly(['', ...one.exact]) : ANY_LITERALS
  if (most !== least || least > COPIES_MOST) return { exact: undefined, best: one.best }
  return sequence(Array.from({ length: least }, () => one))
}

function sequence(parts: readonly Literals[]): Literals {
  let best: readonly string[] | undefined
  let joint: readonly string[] = ['']
  let isExact = true
  for (const part of parts) {
    const longer = part.exact && product(joint, part.exact)
    if (longer !== undefined) {
      joint = longer
      continue
    }
    isExact = false
    best = better(better(best, useful(joint)), part.best)
    joint = part.exact ?? ['']
  }
  best = better(best, useful(joint))
  return { exact: isExact ? joint : undefined, best }
}

function product(ones: readonly string[], others: readonly string[]) {
  if (ones.length * others.length > STRINGS_MOST) return undefined
  const all = new Set(ones.flatMap((one) => others.map((other) => one + other)))
  return [...all].some((string) => string.length > STRING_MOST) ? undefined : [...all]
}

/** Long enough to be rare, each of them; two characters only with a sign that few texts have. */
function useful(strings: readonly string[]): readonly string[] | undefined {
  const isRare = (string: string) => string.length > 2 || /^(?=..$).*[~^@/&?#$%]/.test(string)
  if (strings.length === 0 || !strings.every(isRare)) return undefined
  const shortest = [...strings].sort((one, other) => one.length - other.length)
  const kept: string[] = []
  for (const string of shortest) if (!kept.some((one) => string.includes(one))) kept.push(string)
  return kept
}

function better(one: readonly string[] | undefined, other: readonly string[] | undefined) {
  if (one === undefined || other === undefined) return one ?? other
  return worth(other) > worth(one) ? other : one
}

function worth(strings: readonly string[]): number {
  const shortest = Math.min(...strings.map((string) => string.length), 6)
  return shortest - Math.log2(strings.length) / 2
}
