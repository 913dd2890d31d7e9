/**
 * Pure. How well detectors do on the labelled corpus: precision and recall of each one by itself,
 * and of all together.
 *
 * A planted secret is found when hits cover all of it. A hit on a look-alike, or on the secret of
 * another detector, is a false alarm of the one that raised it. Values that stand alone, with no
 * word and no column name beside them, are counted apart (`alone`): a number with a weak check that
 * nothing names is left on purpose.
 */
import { DetectorSet, type Hit, KNOWN_DETECTORS } from '../../../src/mask/detect.ts'
import { type Detector, SCORE_LEAST } from '../../../src/mask/detectors/detector.ts'
import type { Labelled } from './values.ts'

export interface Row {
  readonly detector: Detector
  readonly planted: number
  readonly precision: number
  /** With a word or a column name beside it. */
  readonly recall: number
  readonly alone: number
  /** Some form counts without a word. */
  readonly standsAlone: boolean
  readonly misses: readonly Labelled[]
  readonly alarms: readonly Labelled[]
}

export interface Report {
  readonly values: number
  readonly rows: readonly Row[]
  /** All detectors at once: a look-alike with any hit is false, a secret is found by whichever. */
  readonly precision: number
  readonly recall: number
  readonly alarms: readonly Labelled[]
  readonly misses: readonly Labelled[]
}

const REDACT = { type: 'redact' } as const

export function measure(corpus: readonly Labelled[]): Report {
  const all = new DetectorSet(
    [...KNOWN_DETECTORS.keys()].map((detector) => ({ detector, with: REDACT, monitor: false })),
  )
  const scanned = corpus.map((one): Scanned => {
    const bytes = Buffer.from(one.text)
    return { one, hits: all.scanEach(bytes, 0, bytes.length, [Buffer.from(one.column)]) }
  })
  const rows = [...KNOWN_DETECTORS.values()].map((detector) => rowOf(detector, scanned))
  const secrets = scanned.filter(({ one }) => one.planted !== undefined)
  const misses = secrets.filter(({ one, hits }) => !covers(one, hits)).map(({ one }) => one)
  const alarms = scanned
    .filter(({ one, hits }) => one.planted === undefined && hits.length > 0)
    .map(({ one }) => one)
  const found = secrets.length - misses.length
  return {
    values: corpus.length,
    rows,
    precision: found / (found + alarms.length),
    recall: found / secrets.length,
    alarms,
    misses,
  }
}

interface Scanned {
  readonly one: Labelled
  /** Of every detector by itself. */
  readonly hits: readonly Hit[]
}

function rowOf(detector: Detector, scanned: readonly Scanned[]): Row {
  const counts = { named: 0, namedFound: 0, alone: 0, aloneFound: 0 }
  const misses: Labelled[] = []
  const alarms: Labelled[] = []
  for (const { one, hits: all } of scanned) {
    const hits = all.filter((hit) => hit.detector === detector.id)
    if (one.planted?.detector !== detector.id) {
      if (hits.length > 0 && !isAlsoTrue(detector.id, one)) alarms.push(one)
      continue
    }
    const isFound = covers(one, hits)
    if (one.kind === 'alone') counts.alone++
    else counts.named++
    if (isFound && one.kind === 'alone') counts.aloneFound++
    else if (isFound) counts.namedFound++
    else misses.push(one)
  }
  const found = counts.namedFound + counts.aloneFound
  return {
    detector,
    planted: counts.named + counts.alone,
    precision: found / (found + alarms.length),
    recall: counts.namedFound / counts.named,
    alone: counts.alone === 0 ? 0 : counts.aloneFound / counts.alone,
    standsAlone: detector.forms.some((form) => form.score >= SCORE_LEAST),
    misses,
    alarms,
  }
}

/** Pairs of which one is also the other by its nature: a stripe holds a card number. */
const HOLDS: Readonly<Record<string, readonly string[]>> = {
  high_entropy: ['*'],
  credit_card: ['card_track'],
  email: ['connection_string'],
  // Beside a name that says secret.
  password: ['connection_string', 'azure_storage_key', 'azure_sas', 'azure_client_secret'],
}

/** With nothing beside them nobody can tell these numbers of neighbours apart. */
const SAME_FORM: Readonly<Record<string, readonly string[]>> = {
  se_personnummer: ['fi_hetu', 'dk_cpr'],
  fi_hetu: ['se_personnummer', 'dk_cpr'],
}

function isAlsoTrue(id: string, one: Labelled): boolean {
  if (one.planted === undefined) return false
  const within = one.kind === 'alone' ? (SAME_FORM[id] ?? HOLDS[id] ?? []) : (HOLDS[id] ?? [])
  return within.includes('*') || within.includes(one.planted.detector)
}

/** Every byte of the secret lies within a hit; JSON may have escaped it. */
function covers(one: Labelled, hits: readonly Hit[]): boolean {
  const { secret } = one.planted!
  const escaped = JSON.stringify(secret).replace(/^"|"$/g, '')
  const shown = one.text.includes(secret) ? secret : escaped
  const start = Buffer.from(one.text.substring(0, one.text.indexOf(shown))).length
  const end = start + Buffer.from(shown).length
  let at = start
  const sorted = [...hits].sort((first, second) => first.start - second.start)
  for (const hit of sorted) if (hit.start <= at && hit.end > at) at = hit.end
  return at >= end
}
