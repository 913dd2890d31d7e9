/**
 * Pure. Detectors of keys and tokens that are made by machines: a prefix or a mark that nothing
 * else has, then characters of a known alphabet and number.
 */
import { type Detector, isAlphanumeric, type Needs, NONE } from './detector.ts'

interface TokenSpec {
  readonly id: string
  readonly group: Detector['group']
  /** Whose. */
  readonly finds: string
  readonly checked?: string
  /** A mark that nothing else has, and what follows it. */
  readonly sources: readonly string[]
  /** Forms that count only beside one of the words. */
  readonly weak?: readonly string[]
  readonly words?: readonly string[]
  /** Left out: the sources, which then must assume nothing on what stands around them. */
  readonly probe?: string
  readonly needs: Needs
  /** A letter or digit right before it is none: for marks short enough to end a word. */
  readonly apart?: boolean
  /** The token's own text, from its mark to its end. */
  readonly isSound?: (bytes: Uint8Array, start: number, end: number) => boolean
}

const SURE = 90
const WEAK = 20

export function tokenDetector(spec: TokenSpec): Detector {
  const { sources, weak = [], apart = false, isSound, probe, checked = '', ...rest } = spec
  return {
    ...rest,
    version: 1,
    checked,
    forms: [
      ...sources.map((source) => ({ source, score: SURE })),
      ...weak.map((source) => ({ source, score: WEAK })),
    ],
    probe: probe ?? [...sources, ...weak].join('|'),
    confirm(bytes, start, end) {
      if (apart && isAlphanumeric(bytes[start - 1])) return NONE
      return isSound === undefined || isSound(bytes, start, end) ? [{ start, end }] : NONE
    },
  }
}
