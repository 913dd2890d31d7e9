/**
 * Pure. Finds secrets in values by detectors, whose patterns run on RE2 (linear time, no
 * backtracking), as the bytes are chosen by others.
 *
 * Three sieves, each a necessary condition of the next: digits, runs, signs and literals, counted in
 * one pass over the bytes (no call out of JavaScript), each pattern whose needs they meet, and the
 * detector's check. What passes has a score, which words beside it raise or lower; from
 * `SCORE_LEAST` on it is a hit. `mayHit` is for spans of many values at once: it assumes nothing
 * about what stands between them, so it may say yes to what `scan` of each value denies, never the
 * reverse.
 *
 * The work on one value is bounded: one with more than `CANDIDATES_MAX` candidates (a table of
 * numbers, or made to be slow) is a hit as a whole, and redacted.
 *
 * Values are taken as UTF-8. Bytes that are not UTF-8 only interrupt a match: what is ASCII beside
 * them is found.
 */
import { assert } from '../base/errors.ts'
import {
  type Detector,
  DOUBT_SCORE,
  isDigit,
  SCORE_LEAST,
  type Span,
  WORD_SCORE,
} from './detectors/detector.ts'
import { KNOWN_DETECTORS } from './known-detectors.ts'
import { type CompiledForm, type Screen, screenOf } from './screen.ts'
import { stronger, type Transform } from './transform-spec.ts'

export { KNOWN_DETECTORS }

/** A detector as policy uses it. */
export interface DetectorUse {
  readonly detector: string
  /** That of a policy's own; left out for those that are known. */
  readonly custom?: Detector | undefined
  readonly with: Transform
  /** True: clients see clear values, records stay masked. */
  readonly monitor: boolean
}

/** Bytes [start, end) of the scanned value that a detector found. */
export interface Hit {
  readonly detector: string
  readonly start: number
  readonly end: number
  /** 0 to 100; words that it did not need are not counted. */
  readonly score: number
  readonly transform: Transform
  readonly monitor: boolean
}

/** Places in one value that are looked at closely, of all detectors together. */
export const CANDIDATES_MAX = 4096
/** Of a long one each 16 bytes count as another. */
const LONG_SHIFT = 4

const REDACT: Transform = { type: 'redact' }
const NO_HITS: readonly Hit[] = []
const NO_NAMES: readonly Uint8Array[] = []

interface Use {
  readonly detector: Detector
  readonly transform: Transform
  readonly monitor: boolean
}

/** The detectors of one grant. What it compiles is shared within a thread. */
export class DetectorSet {
  /** Those that change what clients see; undefined when all only monitor. */
  readonly enforced: DetectorSet | undefined
  readonly #uses: ReadonlyMap<Detector, Use>
  readonly #screen: Screen
  readonly #lengthLeast: number

  /** `uses` names known detectors and is not empty; of one named twice the stronger use counts. */
  constructor(uses: readonly DetectorUse[]) {
    assert(uses.length > 0, 'a detector set without detectors')
    this.#uses = merged(uses)
    this.#screen = screenOf([...this.#uses.keys()])
    this.#lengthLeast = this.#screen.sieve.lengthLeast
    const enforced = uses.filter((use) => !use.monitor)
    if (enforced.length === uses.length) this.enforced = this
    else this.enforced = enforced.length === 0 ? undefined : new DetectorSet(enforced)
  }

  /** False: no value within these bytes holds a hit, wherever values begin and end. */
  mayHit(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    if (end - start < this.#lengthLeast) return false
    return this.#screen.mayOccur(view(bytes, start, end))
  }

  /**
   * False: the value [start, end) holds no hit. Much cheaper than `scan` for short values;
   * allocates nothing.
   */
  mayHold(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#screen.sieve.mayHold(bytes, start, end)
  }

  /**
   * Hits in the value [start, end), in order, apart from one another; offsets count from `start`.
   * `names`: what the value is called, by its column or key; words in them count.
   */
  scan(
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
    names: readonly Uint8Array[] = NO_NAMES,
  ): readonly Hit[] {
    const hits = this.scanEach(bytes, start, end, names)
    return hits.length < 2 ? hits : apart([...hits])
  }

  /** As `scan`, but what each detector finds by itself: hits may overlap, in no order. */
  scanEach(
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
    names: readonly Uint8Array[] = NO_NAMES,
  ): readonly Hit[] {
    const { sieve, forms } = this.#screen
    const candidates = sieve.candidates(bytes, start, end)
    if (candidates.length === 0) return NO_HITS
    const value = view(bytes, start, end)
    const search: Search = { names, hits: [], left: CANDIDATES_MAX }
    for (const index of candidates) {
      const form = forms[index]!
      find(form, value, this.#uses.get(form.detector)!, search)
      if (search.left < 0) return [this.#whole(form.detector.id, value.length)]
    }
    return search.hits
  }

  /** Nobody knows which of them is in it. */
  #whole(detector: string, length: number): Hit {
    const uses = [...this.#uses.values()]
    const transform = uses.map((use) => use.transform).reduce(stronger, REDACT)
    const monitor = uses.every((use) => use.monitor)
    return { detector, start: 0, end: length, score: 100, transform, monitor }
  }
}

function merged(uses: readonly DetectorUse[]): ReadonlyMap<Detector, Use> {
  const all = new Map<Detector, Use>()
  for (const use of uses) {
    const detector = use.custom ?? KNOWN_DETECTORS.get(use.detector)
    assert(detector !== undefined, `no detector ${use.detector}`)
    const other = all.get(detector)
    all.set(detector, {
      detector,
      transform: other === undefined ? use.with : stronger(other.transform, use.with),
      monitor: use.monitor && (other?.monitor ?? true),
    })
  }
  return all
}

interface Search {
  readonly names: readonly Uint8Array[]
  readonly hits: Hit[]
  /** Candidates that may still be looked at; below zero where there are more. */
  left: number
}

function find(form: CompiledForm, value: Buffer, use: Use, search: Search): void {
  const { pattern, detector } = form
  const { transform, monitor } = use
  pattern.lastIndex = 0
  // What is left is too short for another hit: saves the last call for most values.
  while (pattern.lastIndex + detector.needs.length <= value.length) {
    const match = pattern.exec(value)
    if (match === null) break
    search.left -= 1 + ((pattern.lastIndex - match.index) >> LONG_SHIFT)
    if (search.left < 0) break
    // An empty match would stand still.
    if (pattern.lastIndex === match.index) {
      pattern.lastIndex++
      continue
    }
    const spans = detector.confirm(value, match.index, pattern.lastIndex)
    if (spans.length === 0 && detector.isWhole) pattern.lastIndex = runEnd(value, pattern.lastIndex)
    for (const span of spans) {
      const { start, end } = span
      if (end > pattern.lastIndex) pattern.lastIndex = end
      const score = scoreOf(form, value, { ...span, names: search.names })
      if (score < SCORE_LEAST) continue
      search.hits.push({ detector: detector.id, start, end, score, transform, monitor })
    }
  }
}

/** Where the run of digits that `at` stands in ends; `at` where it stands in none. */
function runEnd(value: Buffer, at: number): number {
  if (!isDigit(value[at - 1])) return at
  let end = at
  while (isDigit(value[end])) end++
  return end
}

function scoreOf(
  form: CompiledForm,
  value: Buffer,
  at: Span & { readonly names: readonly Uint8Array[] },
): number {
  const { words, doubts } = form
  const score = at.score ?? form.score
  const isSure = score >= SCORE_LEAST
  if (isSure && !doubts?.before(value, at.start, at.names)) return score
  // A word for it outweighs one against it: `SA ID: …`.
  if (words?.near(value, at, at.names)) return Math.min(100, score + WORD_SCORE)
  return isSure ? score - DOUBT_SCORE : score
}

/**
 * Hits that overlap become one over the union of their bytes, under the transform of the stronger;
 * among equals the higher score gives the name.
 */
function apart(hits: Hit[]): readonly Hit[] {
  hits.sort((one, other) => one.start - other.start || other.end - one.end)
  const merged: Hit[] = []
  for (const hit of hits) {
    const last = merged.at(-1)
    if (last === undefined || hit.start >= last.end) {
      merged.push(hit)
      continue
    }
    merged[merged.length - 1] = {
      ...(wins(hit, last) ? hit : last),
      start: last.start,
      end: Math.max(last.end, hit.end),
      monitor: last.monitor && hit.monitor,
    }
  }
  return merged
}

function wins(hit: Hit, last: Hit): boolean {
  if (stronger(last.transform, hit.transform) !== last.transform) return true
  return stronger(hit.transform, last.transform) === hit.transform && hit.score > last.score
}

function view(bytes: Uint8Array, start: number, end: number): Buffer {
  if (start === 0 && end === bytes.length && Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
}
