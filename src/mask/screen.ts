/**
 * Pure. The patterns of a set of detectors: what each needs of a value (sieve.ts), one probe for
 * spans of many values, and each pattern by itself, compiled when a value first asks for it.
 *
 * Made once for each set of detectors in a thread, however many grants use it. Patterns keep their
 * place between calls (`lastIndex`), so that whoever runs one sets it first.
 */
import { RE2 } from '../base/pattern.ts'
import { ContextWords } from './context-words.ts'
import type { Detector, Form, Needs } from './detectors/detector.ts'
import { type PatternNeeds, patternNeeds } from './pattern-needs.ts'
import { Sieve } from './sieve.ts'

export class CompiledForm {
  readonly detector: Detector
  readonly score: number
  readonly needs: PatternNeeds
  readonly #source: string
  readonly #context: Context
  #pattern: RE2 | undefined

  constructor(detector: Detector, form: Form, context: Context) {
    this.detector = detector
    this.score = form.score
    this.needs = mostOf(patternNeeds(form.source), detector.needs, form.needs ?? {})
    this.#source = form.source
    this.#context = context
  }

  get pattern(): RE2 {
    this.#pattern ??= new RE2(this.#source, 'gu')
    return this.#pattern
  }

  get words(): ContextWords | undefined {
    return this.#context.words
  }

  get doubts(): ContextWords | undefined {
    return this.#context.doubts
  }
}

/** The words of one detector, for all of its forms. */
class Context {
  readonly #detector: Detector
  #words: ContextWords | undefined
  #doubts: ContextWords | undefined

  constructor(detector: Detector) {
    this.#detector = detector
  }

  get words(): ContextWords | undefined {
    const { words } = this.#detector
    if (words !== undefined) this.#words ??= new ContextWords(words)
    return this.#words
  }

  get doubts(): ContextWords | undefined {
    const { doubts } = this.#detector
    if (doubts !== undefined) this.#doubts ??= new ContextWords(doubts)
    return this.#doubts
  }
}

/** More than these at once have patterns for nearly everything, and a probe that always says yes. */
const PROBED_MOST = 16

export class Screen {
  /** In the order of the sieve's patterns. */
  readonly forms: readonly CompiledForm[]
  readonly sieve: Sieve
  readonly #detectors: readonly Detector[]
  #probe: RE2 | undefined

  constructor(detectors: readonly Detector[]) {
    this.#detectors = detectors
    this.forms = detectors.flatMap((detector) => formsOf(detector).forms)
    this.sieve = new Sieve(this.forms.map((form) => form.needs))
  }

  /** False: none of them occurs in these bytes, wherever values begin and end in them. */
  mayOccur(bytes: Buffer): boolean {
    if (this.#detectors.length > PROBED_MOST) return true
    this.#probe ??= new RE2(
      this.#detectors.map((detector) => `(?:${detector.probe})`).join('|'),
      'u',
    )
    return this.#probe.test(bytes)
  }
}

const SCREENS_MAX = 64
const screens = new Map<string, Screen>()
const known = new WeakMap<
  Detector,
  { readonly id: number; readonly forms: readonly CompiledForm[] }
>()
let lastId = 0

/** `detectors`: not empty, none of them twice. */
export function screenOf(detectors: readonly Detector[]): Screen {
  const key = detectors
    .map((detector) => formsOf(detector).id)
    .sort((one, other) => one - other)
    .join()
  const same = screens.get(key)
  if (same !== undefined) return same
  const made = new Screen(detectors)
  if (screens.size >= SCREENS_MAX) screens.clear()
  screens.set(key, made)
  return made
}

function formsOf(detector: Detector) {
  const same = known.get(detector)
  if (same !== undefined) return same
  const context = new Context(detector)
  const forms = detector.forms.map((form) => new CompiledForm(detector, form, context))
  const made = { id: ++lastId, forms }
  known.set(detector, made)
  return made
}

/** All of them: of numbers the greatest. */
function mostOf(own: PatternNeeds, ...others: readonly Partial<Needs>[]): PatternNeeds {
  const all: Record<string, unknown> = { ...own }
  for (const needs of others)
    for (const [name, value] of Object.entries(needs)) {
      const before = all[name]
      all[name] =
        typeof value === 'number' && typeof before === 'number' ? Math.max(value, before) : value
    }
  return all as unknown as PatternNeeds
}
