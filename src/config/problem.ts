/**
 * Pure. What is wrong with a file that a person wrote, and where; and the nearest word to a misspelt one.
 */

export interface Problem {
  readonly file: string
  /** 1-based; 0 where the file as a whole is meant. */
  readonly line: number
  /** 1-based, in UTF-16 code units; 0 where the file as a whole is meant. */
  readonly column: number
  /** `connections.orders.tls`; '' for the file itself. */
  readonly path: string
  /** What was expected, as a sentence without the value of a secret. */
  readonly message: string
}

/** What is said of everything that the contract has and this version has not. */
export const NOT_YET = 'is not available in this version'

/** Longest word that is compared; longer ones are no misspelling of anything. */
const WORD_LENGTH_MAX = 40

/** One line a problem, in the order of files and lines: `sluice.yaml:3:5 listeners[0].listen: expected …`. */
export function formatProblems(problems: readonly Problem[]): string {
  return [...problems].sort(inFileOrder).map(formatProblem).join('\n')
}

export function inFileOrder(one: Problem, other: Problem): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1
  return one.line - other.line || one.column - other.column
}

function formatProblem(problem: Problem): string {
  const place = problem.line > 0 ? `:${problem.line}:${problem.column}` : ''
  const path = problem.path === '' ? '' : `${problem.path}: `
  return `${problem.file}${place} ${path}${problem.message}`
}

/** `['listeners', 0, 'listen']` → `listeners[0].listen`. */
export function pathText(path: readonly (string | number)[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

/** ` (did you mean x?)`, or '' where nothing is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, known)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

/** The known word with the fewest edits to `word`, at most a third of its length; undefined where none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined
  let best: string | undefined
  let bestEdits = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestEdits) continue
    const edits = distance(word.toLowerCase(), candidate.toLowerCase())
    if (edits >= bestEdits) continue
    best = candidate
    bestEdits = edits
  }
  return best
}

/** Edits (insert, delete, replace, swap of neighbours) from one word to the other; optimal string alignment. */
function distance(one: string, other: string): number {
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1]
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      if (swapped) edits = Math.min(edits, before[j - 2]! + 1)
      row.push(edits)
    }
    before = last
    last = row
  }
  return last[other.length]!
}
