/**
 * Pure. The patterns of a set of detectors, compiled: one RE2 set that tells in one pass over a
 * value which of them occur in it, one probe for spans of many values, and each pattern by itself.
 *
 * Compiled once for each set of detectors in a thread, however many grants use it. Patterns keep
 * their place between calls (`lastIndex`), so that whoever runs one sets it first.
 */
import { RE2 } from '../base/pattern.ts'
import { ContextWords } from './context-words.ts'
import type { Detector } from './detectors/detector.ts'
import { NeedsTable } from './traits.ts'

export interface CompiledForm {
  readonly detector: Detector
  readonly source: string
  readonly pattern: RE2
  readonly score: number
  readonly words: ContextWords | undefined
  readonly doubts: ContextWords | undefined
}

export interface Screen {
  /** In the order of `set`. */
  readonly forms: readonly CompiledForm[]
  readonly set: InstanceType<typeof RE2.Set>
  readonly probe: RE2
  readonly needs: NeedsTable
}

const SCREENS_MAX = 64
const screens = new Map<string, Screen>()
const compiled = new WeakMap<Detector, { readonly id: number; forms: readonly CompiledForm[] }>()
let lastId = 0

/** `detectors`: not empty, none of them twice. Throws where RE2 takes a pattern for too large. */
export function screenOf(detectors: readonly Detector[]): Screen {
  const key = detectors
    .map((detector) => compile(detector).id)
    .sort((one, other) => one - other)
    .join()
  const known = screens.get(key)
  if (known !== undefined) return known
  const forms = detectors.flatMap((detector) => compile(detector).forms)
  const made: Screen = {
    forms,
    set: new RE2.Set(
      forms.map((form) => form.source),
      'u',
    ),
    probe: new RE2(detectors.map((detector) => `(?:${detector.probe})`).join('|'), 'u'),
    needs: new NeedsTable(detectors.map((detector) => detector.needs)),
  }
  if (screens.size >= SCREENS_MAX) screens.clear()
  screens.set(key, made)
  return made
}

function compile(detector: Detector): { readonly id: number; forms: readonly CompiledForm[] } {
  const known = compiled.get(detector)
  if (known !== undefined) return known
  const words = detector.words && new ContextWords(detector.words)
  const doubts = detector.doubts && new ContextWords(detector.doubts)
  const forms = detector.forms.map(({ source, score }) => ({
    detector,
    source,
    pattern: new RE2(source, 'gu'),
    score,
    words,
    doubts,
  }))
  const made = { id: ++lastId, forms }
  compiled.set(detector, made)
  return made
}
