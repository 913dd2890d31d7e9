/**
 * Pure. A detector of a policy's own: a pattern, and words where it counts only beside one of them.
 *
 * Patterns are bounded before they are used, since whoever writes a policy must not be able to stop
 * a worker or fill its memory: in length, and in the size of the program that RE2 makes of them.
 */
import { RE2 } from '../base/pattern.ts'
import { type Detector, SCORE_LEAST, WORD_SCORE } from './detectors/detector.ts'
import { patternNeeds } from './pattern-needs.ts'

export interface CustomDetector {
  readonly name: string
  readonly pattern: string
  readonly words?: readonly string[] | undefined
}

export const PATTERN_LENGTH_MAX = 500
/** So many copies of a pattern must fit into one that RE2 takes. */
const COPIES = 350
const SURE = 60
const BESIDE_A_WORD = SCORE_LEAST - WORD_SCORE

/** What is wrong with a pattern, for whoever wrote it. */
export function patternFault(pattern: string): string | undefined {
  if (pattern === '') return 'expected a pattern'
  if (pattern.length > PATTERN_LENGTH_MAX)
    return `a pattern has at most ${PATTERN_LENGTH_MAX} characters, this one has ${pattern.length}`
  const fault = compileFault(pattern)
  if (fault !== undefined) return `not a pattern of RE2: ${fault}`
  // A bound alone (`\\b`) does not meet the empty text, and finds nothing either.
  if (patternNeeds(pattern).length === 0 || new RE2(pattern, 'u').test(''))
    return 'it can match nothing at all, so it would be everywhere'
  return compileFault(`(?:${pattern})`.repeat(COPIES)) === undefined
    ? undefined
    : 'the pattern is too large: fewer or smaller repetitions, and fewer classes of letters, make it smaller'
}

function compileFault(source: string): string | undefined {
  try {
    new RE2(source, 'u')
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** `custom` has no fault. */
export function customDetector(custom: CustomDetector): Detector {
  const { name, pattern, words } = custom
  const { isBound } = patternNeeds(pattern)
  return {
    id: name,
    version: 1,
    group: 'custom',
    finds: 'what a policy says',
    checked: '',
    forms: [{ source: pattern, score: words === undefined ? SURE : BESIDE_A_WORD }],
    // What looks at its surroundings is not seen from among other values.
    probe: isBound ? '' : pattern,
    needs: { length: 1 },
    ...(words === undefined ? {} : { words: words.map((word) => word.toLowerCase()) }),
    confirm: (_bytes, start, end) => [{ start, end }],
  }
}
