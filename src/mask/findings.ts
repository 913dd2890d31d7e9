/** Pure. What detectors see in what a client sends: the `findings` that rules may read. */
import { DetectorSet, KNOWN_DETECTORS } from './detect.ts'

export interface Finding {
  readonly detector: string
  readonly count: number
  /** `text` or `params`. */
  readonly where: string
}

const REDACT = { type: 'redact' } as const
let all: DetectorSet | undefined

/** Every detector there is, for rules that read `findings`; compiled when the first one does. */
export function allDetectors(): DetectorSet {
  all ??= new DetectorSet(
    [...KNOWN_DETECTORS.keys()].map((detector) => ({ detector, with: REDACT, monitor: false })),
  )
  return all
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
