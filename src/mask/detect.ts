/**
 * Pure. Finds secrets in values by detectors, whose patterns run on RE2 (linear time, no
 * backtracking), as the bytes are chosen by others.
 *
 * Three sieves, each a necessary condition of the next: a count of digits, runs and `@` in one pass
 * over the bytes (no call out of JavaScript), the pattern of each detector that this leaves, and
 * its check. `mayHit` is for spans of many values at once: it assumes nothing about what stands
 * between them, so it may say yes to what `scan` of each value denies, never the reverse.
 *
 * Values are taken as UTF-8. Bytes that are not UTF-8 only interrupt a match: what is ASCII beside
 * them is found.
 */
import { assert } from '../base/errors.ts'
import { RE2 } from '../base/pattern.ts'
import { awsKey } from './detectors/aws-key.ts'
import { creditCard } from './detectors/credit-card.ts'
import type { Detector, Needs } from './detectors/detector.ts'
import { email } from './detectors/email.ts'
import { githubToken } from './detectors/github-token.ts'
import { highEntropy } from './detectors/high-entropy.ts'
import { iban } from './detectors/iban.ts'
import { jwt } from './detectors/jwt.ts'
import { privateKey } from './detectors/private-key.ts'
import { slackToken } from './detectors/slack-token.ts'
import { usSsn } from './detectors/us-ssn.ts'
import { stronger, type Transform } from './transform-spec.ts'

/** A detector as policy uses it. */
export interface DetectorUse {
  readonly detector: string
  readonly with: Transform
  /** True: clients see clear values, records stay masked. */
  readonly monitor: boolean
}

/** Bytes [start, end) of the scanned value that a detector found. */
export interface Hit {
  readonly detector: string
  readonly start: number
  readonly end: number
  readonly transform: Transform
  readonly monitor: boolean
}

/** All detectors by id, for policy loading and the README. */
export const KNOWN_DETECTORS: ReadonlyMap<string, Detector> = new Map(
  [
    creditCard,
    email,
    iban,
    usSsn,
    jwt,
    privateKey,
    awsKey,
    githubToken,
    slackToken,
    highEntropy,
  ].map((detector) => [detector.id, detector]),
)

const NO_HITS: readonly Hit[] = []

interface Armed {
  readonly detector: Detector
  readonly patterns: readonly RE2[]
  readonly transform: Transform
  readonly monitor: boolean
}

/**
 * The detectors of one grant. Holds compiled patterns; make it once and share it within a thread.
 */
export class DetectorSet {
  /** Those that change what clients see; undefined when all only monitor. */
  readonly enforced: DetectorSet | undefined
  readonly #armed: readonly Armed[]
  readonly #probe: RE2
  readonly #lengthLeast: number
  /** Per detector: digits, run, length, flags. Side by side, as this is read for every value. */
  readonly #needs: Int32Array

  /** `uses` names known detectors and is not empty; of one named twice the stronger use counts. */
  constructor(uses: readonly DetectorUse[]) {
    assert(uses.length > 0, 'a detector set without detectors')
    this.#armed = arm(uses)
    this.#probe = new RE2(this.#armed.map((one) => `(?:${one.detector.probe})`).join('|'), 'g')
    this.#lengthLeast = Math.min(...this.#armed.map((one) => one.detector.needs.length))
    this.#needs = Int32Array.from(this.#armed.flatMap((one) => packed(one.detector.needs)))
    const enforced = uses.filter((use) => !use.monitor)
    if (enforced.length === uses.length) this.enforced = this
    else this.enforced = enforced.length === 0 ? undefined : new DetectorSet(enforced)
  }

  /** False: no value within these bytes holds a hit, wherever values begin and end. */
  mayHit(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    if (end - start < this.#lengthLeast) return false
    this.#probe.lastIndex = 0
    return this.#probe.test(view(bytes, start, end))
  }

  /**
   * False: the value [start, end) holds no hit. Much cheaper than `scan` for short values;
   * allocates nothing.
   */
  mayHold(bytes: Uint8Array, start: number, end: number): boolean {
    return end - start >= this.#lengthLeast && this.#candidates(bytes, start, end) !== 0
  }

  /**
   * Hits in the value [start, end), in order, apart from one another; offsets count from `start`.
   */
  scan(bytes: Uint8Array, start = 0, end = bytes.length): readonly Hit[] {
    if (end - start < this.#lengthLeast) return NO_HITS
    const candidates = this.#candidates(bytes, start, end)
    if (candidates === 0) return NO_HITS
    const value = view(bytes, start, end)
    let hits: Hit[] | undefined
    for (let index = 0; index < this.#armed.length; index++) {
      if ((candidates & (1 << index)) === 0) continue
      const found = find(this.#armed[index]!, value)
      if (found !== undefined) hits = hits === undefined ? found : [...hits, ...found]
    }
    if (hits === undefined) return NO_HITS
    return hits.length === 1 ? hits : apart(hits)
  }

  /** One bit for each detector whose needs the value meets. */
  #candidates(bytes: Uint8Array, start: number, end: number): number {
    const traits = traitsOf(bytes, start, end)
    const digits = traits & COUNT_MOST
    const run = (traits >>> COUNT_BITS) & COUNT_MOST
    const flags = traits & (AT | HEAD | SIGNS)
    const needs = this.#needs
    let bits = 0
    for (let at = 0, bit = 1; at < needs.length; at += 4, bit <<= 1) {
      if (needs[at]! > digits || needs[at + 1]! > run || needs[at + 2]! > end - start) continue
      if ((needs[at + 3]! & flags) === needs[at + 3]!) bits |= bit
    }
    return bits
  }
}

const AT = 1 << 24
const HEAD = 1 << 25
const SIGNS = 1 << 26
const COUNT_BITS = 12
const COUNT_MOST = 0xfff

/** Classes of bytes: 0 ends a run, 1 letter, 2 digit, 3 other token characters. */
const CLASS = new Uint8Array(256)
for (let byte = 0x61; byte <= 0x7a; byte++) CLASS[byte] = 1
for (let byte = 0x41; byte <= 0x5a; byte++) CLASS[byte] = 1
for (let byte = 0x30; byte <= 0x39; byte++) CLASS[byte] = 2
for (const token of '_+/=.-') CLASS[token.charCodeAt(0)] = 3

/** Letter, letter, digit, digit, as four classes of two bits. */
const LETTERS_BEFORE_DIGITS = 0b01_01_10_10
const FOUR_SIGNS = 0b11_11_11_11

/**
 * Digits (12 bits), longest run (12 bits), AT, HEAD and SIGNS, packed so that the hot path allocates
 * nothing.
 */
function traitsOf(bytes: Uint8Array, start: number, end: number): number {
  let digits = 0
  let longest = 0
  let runStart = start
  let last = 0
  let flags = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    const kind = CLASS[byte]!
    if (kind === 0) {
      if (at - runStart > longest) longest = at - runStart
      runStart = at + 1
      last = 0
      if (byte === 0x40) flags |= AT
      continue
    }
    last = ((last << 2) | kind) & 0xff
    if (kind === 2) {
      digits++
      if (last === LETTERS_BEFORE_DIGITS) flags |= HEAD
    } else if (last === FOUR_SIGNS) flags |= SIGNS
  }
  if (end - runStart > longest) longest = end - runStart
  if (digits > COUNT_MOST) digits = COUNT_MOST
  if (longest > COUNT_MOST) longest = COUNT_MOST
  return digits | (longest << COUNT_BITS) | flags
}

function packed(needs: Needs): number[] {
  let flags = needs.at ? AT : 0
  if (needs.lettersBeforeDigits) flags |= HEAD
  if (needs.fourSigns) flags |= SIGNS
  return [needs.digits ?? 0, needs.run ?? 0, needs.length, flags]
}

function arm(uses: readonly DetectorUse[]): readonly Armed[] {
  const armed = new Map<string, Armed>()
  for (const use of uses) {
    const detector = KNOWN_DETECTORS.get(use.detector)
    assert(detector !== undefined, `no detector ${use.detector}`)
    const other = armed.get(detector.id)
    armed.set(detector.id, {
      detector,
      patterns: detector.patterns.map((source) => new RE2(source, 'g')),
      transform: other === undefined ? use.with : stronger(other.transform, use.with),
      monitor: use.monitor && (other?.monitor ?? true),
    })
  }
  assert(armed.size <= 31, 'more detectors than bits')
  return [...armed.values()]
}

function find(armed: Armed, value: Buffer): Hit[] | undefined {
  const { detector, transform, monitor } = armed
  let hits: Hit[] | undefined
  for (const pattern of armed.patterns) {
    pattern.lastIndex = 0
    // What is left is too short for another hit: saves the last call for most values.
    while (pattern.lastIndex + detector.needs.length <= value.length) {
      const match = pattern.exec(value)
      if (match === null) break
      for (const span of detector.confirm(value, match.index, pattern.lastIndex)) {
        hits ??= []
        hits.push({ detector: detector.id, start: span.start, end: span.end, transform, monitor })
        if (span.end > pattern.lastIndex) pattern.lastIndex = span.end
      }
    }
  }
  return hits
}

/**
 * Hits that overlap become one over the union of their bytes, under the name and the transform of
 * the stronger.
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
    const wins = stronger(last.transform, hit.transform) === last.transform ? last : hit
    merged[merged.length - 1] = {
      ...wins,
      start: last.start,
      end: Math.max(last.end, hit.end),
      monitor: last.monitor && hit.monitor,
    }
  }
  return merged
}

function view(bytes: Uint8Array, start: number, end: number): Buffer {
  if (start === 0 && end === bytes.length && Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
}
