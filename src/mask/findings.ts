/** Pure. What detectors see in what a client sends: the `findings` that rules may read. */
import { DetectorSet, type DetectorUse, KNOWN_DETECTORS } from './detect.ts'
import type { Detector } from './detectors/detector.ts'

export interface Finding {
  readonly detector: string
  readonly count: number
  /** `text` or `params`. */
  readonly where: string
}

const HOW = { with: { type: 'redact' }, monitor: false } as const
const KNOWN: readonly DetectorUse[] = [...KNOWN_DETECTORS.keys()].map((detector) => ({
  detector,
  ...HOW,
}))
let all: DetectorSet | undefined
const withOwn = new WeakMap<readonly Detector[], DetectorSet>()

/** Every detector there is, and those of policies; compiled when the first rule reads `findings`. */
export function allDetectors(own: readonly Detector[] = []): DetectorSet {
  if (own.length === 0) {
    all ??= new DetectorSet(KNOWN)
    return all
  }
  let set = withOwn.get(own)
  if (set === undefined) {
    const uses = own.map((custom) => ({ detector: custom.id, custom, ...HOW }))
    set = new DetectorSet([...KNOWN, ...uses])
    withOwn.set(own, set)
  }
  return set
}

/** What of an action rules are told; `own`: detectors of the policies that apply. */
export function findingsOf(
  action: {
    readonly text: string
    readonly facts: { readonly sql?: { params: readonly string[] } }
  },
  own: readonly Detector[],
): readonly Finding[] {
  const places = { text: [action.text], params: action.facts.sql?.params ?? [] }
  return findingsIn(places, allDetectors(own))
}

/** One finding per detector and place, in the order in which they are met. */
export function findingsIn(
  places: Readonly<Record<string, readonly string[]>>,
  detectors: DetectorSet,
): readonly Finding[] {
  const findings: Finding[] = []
  for (const [where, texts] of Object.entries(places)) {
    const counts = new Map<string, number>()
    for (const text of texts) {
      for (const { detector } of detectors.scanEach(Buffer.from(text))) {
        counts.set(detector, (counts.get(detector) ?? 0) + 1)
      }
    }
    for (const [detector, count] of counts) findings.push({ detector, count, where })
  }
  return findings
}
