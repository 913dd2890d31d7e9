/**
 * Pure. What changes under a candidate, counted: by transition, rule, job and connection, with a few samples of each.
 * Holds counts and samples only, however many actions go through.
 */
import type { Guard, PolicySet } from '../decide/policy.ts'
import { detectorChange } from './detector-changes.ts'
import type { RecordedGroup } from './recorded.ts'
import { isMaskRefusal, type Memory, masksUnder, redecide } from './redecide.ts'

export const TRANSITIONS = ['allow-to-deny', 'deny-to-allow', 'mask-change', 'unchanged'] as const
export type Transition = (typeof TRANSITIONS)[number]

export interface RuleCount {
  readonly rule: string
  /** Actions that it decides, or names, under the candidate. */
  readonly actions: number
  readonly allow_to_deny: number
  /** In mode monitor: it would deny. */
  readonly would_deny: number
}

export interface PlaceCount {
  readonly name: string
  readonly actions: number
  readonly allow_to_deny: number
  readonly deny_to_allow: number
  readonly mask_change: number
  readonly undecidable: number
}

export interface Sample {
  readonly transition: Transition | 'undecidable'
  readonly action: string
  readonly connection: string
  readonly job: string
  readonly statement: string
  /** Verdict and rule in the record. */
  readonly was: string
  /** Those of the candidate, or why they are not known. */
  readonly is: string
  /** Recorded actions that are alike. */
  readonly actions: number
}

export interface BacktestReport {
  readonly actions: number
  readonly transitions: Readonly<Record<Transition, number>>
  readonly undecidable: number
  readonly undecidable_because: Readonly<Record<string, number>>
  readonly rules: readonly RuleCount[]
  readonly jobs: readonly PlaceCount[]
  readonly connections: readonly PlaceCount[]
  readonly samples: readonly Sample[]
}

/** More jobs, reasons and samples than these are counted together, or left out. */
const NAMES_MAX = 10_000
const SAMPLES_MAX = 5
const OTHERS = '(others)'

type Counts = { -readonly [K in keyof Omit<PlaceCount, 'name'>]: number }

export class Backtest {
  readonly #candidate: PolicySet
  readonly #current: PolicySet
  readonly #memory: Memory
  readonly #transitions: Record<Transition, number> = {
    'allow-to-deny': 0,
    'deny-to-allow': 0,
    'mask-change': 0,
    unchanged: 0,
  }
  readonly #because = new Map<string, number>()
  readonly #rules = new Map<
    string,
    { actions: number; allow_to_deny: number; would_deny: number }
  >()
  readonly #jobs = new Map<string, Counts>()
  readonly #connections = new Map<string, Counts>()
  readonly #samples = new Map<string, Sample[]>()
  #undecidable = 0
  actions = 0

  /** `current`: only its masks are looked at; verdicts of before are those of the record. */
  constructor(of: { candidate: PolicySet; current: PolicySet; memory: Memory }) {
    this.#candidate = of.candidate
    this.#current = of.current
    this.#memory = of.memory
  }

  add(group: RecordedGroup): void {
    const { count } = group
    this.actions += count
    const { transition, rule, wouldDeny, because, is } = this.#judge(group)
    if (transition === 'undecidable') {
      this.#undecidable += count
      bump(this.#because, because, count)
    } else this.#transitions[transition] += count
    for (const [counts, name] of [
      [this.#jobs, group.job],
      [this.#connections, group.connection],
    ] as const) {
      const one = entry(counts, name, noCounts)
      one.actions += count
      if (transition !== 'unchanged') one[KEYS[transition]] += count
    }
    if (rule !== '') {
      const one = entry(this.#rules, rule, noRule)
      one.actions += count
      if (transition === 'allow-to-deny') one.allow_to_deny += count
    }
    if (wouldDeny !== '') entry(this.#rules, wouldDeny, noRule).would_deny += count
    if (transition !== 'unchanged') this.#sample(group, transition, is)
  }

  report(): BacktestReport {
    return {
      actions: this.actions,
      transitions: { ...this.#transitions },
      undecidable: this.#undecidable,
      undecidable_because: Object.fromEntries(most(this.#because)),
      rules: [...this.#rules]
        .map(([rule, counts]) => ({ rule, ...counts }))
        .sort((one, other) => other.actions + other.would_deny - one.actions - one.would_deny),
      jobs: places(this.#jobs),
      connections: places(this.#connections),
      samples: [...this.#samples.values()].flat(),
    }
  }

  #judge(group: RecordedGroup): {
    transition: Transition | 'undecidable'
    rule: string
    wouldDeny: string
    because: string
    is: string
  } {
    const undecided = (because: string) =>
      ({ transition: 'undecidable', rule: '', wouldDeny: '', because, is: because }) as const
    // What was refused by something other than policy would be refused again.
    if (OTHER_REFUSALS.has(group.verdict))
      return { transition: 'unchanged', rule: '', wouldDeny: '', because: '', is: '' }
    const remembered = this.#memory.recall(group)
    if (typeof remembered === 'string') return undecided(remembered)
    const found = redecide(remembered, this.#candidate)
    if (found.verdict === 'unknown') return undecided(found.because)
    const { rule, wouldDeny } = found
    const is = `${found.verdict}${rule === '' ? '' : ` ${rule}`}`
    const settled = (transition: Transition) => ({ transition, rule, wouldDeny, because: '', is })
    const wasAllowed = group.verdict === 'allow'
    if (found.verdict === 'deny') return settled(wasAllowed ? 'allow-to-deny' : 'unchanged')
    const before = masksUnder(remembered, this.#current)
    const isMaskSame = before === found.masks
    if (isMaskRefusal(group))
      return isMaskSame ? settled('unchanged') : undecided('a mask refused it, and masks differ')
    if (!wasAllowed) return settled('deny-to-allow')
    if (!isMaskSame) return { ...settled('mask-change'), is: maskText(before, found.masks) }
    const [old, now] = [this.#current, this.#candidate].map((policies) =>
      policies.guard(remembered.grant),
    ) as [Guard, Guard]
    const detectors = detectorChange(group, { before: old, now })
    if (detectors.type === 'unknown') return undecided(detectors.because)
    return detectors.type === 'changes'
      ? { ...settled('mask-change'), is: detectors.is }
      : settled('unchanged')
  }

  #sample(group: RecordedGroup, transition: Transition | 'undecidable', is: string): void {
    const kind = `${transition} ${group.rule} ${is}`
    if (!this.#samples.has(kind) && this.#samples.size >= 200) return
    const samples = entry(this.#samples, kind, (): Sample[] => [])
    if (samples.length >= SAMPLES_MAX) return
    if (samples.some(({ statement }) => statement === group.statement)) return
    const was = `${group.verdict}${group.rule === '' ? '' : ` ${group.rule}`}`
    const { connection, job, statement, actionId, count } = group
    samples.push({
      transition,
      action: actionId,
      connection,
      job,
      statement,
      was,
      is,
      actions: count,
    })
  }
}

const OTHER_REFUSALS: ReadonlySet<string> = new Set([
  'over_limit',
  'frozen',
  'unavailable',
  'pending',
  'expired',
])

const KEYS = {
  'allow-to-deny': 'allow_to_deny',
  'deny-to-allow': 'deny_to_allow',
  'mask-change': 'mask_change',
  undecidable: 'undecidable',
} as const

function noCounts(): Counts {
  return { actions: 0, allow_to_deny: 0, deny_to_allow: 0, mask_change: 0, undecidable: 0 }
}

function noRule() {
  return { actions: 0, allow_to_deny: 0, would_deny: 0 }
}

function entry<T>(all: Map<string, T>, name: string, make: () => T): T {
  const key = all.has(name) || all.size < NAMES_MAX ? name : OTHERS
  const known = all.get(key)
  if (known !== undefined) return known
  const made = make()
  all.set(key, made)
  return made
}

function bump(counts: Map<string, number>, name: string, by: number): void {
  const key = counts.has(name) || counts.size < NAMES_MAX ? name : OTHERS
  counts.set(key, (counts.get(key) ?? 0) + by)
}

function most(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort((one, other) => other[1] - one[1])
}

function places(counts: ReadonlyMap<string, Counts>): PlaceCount[] {
  return [...counts]
    .map(([name, one]) => ({ name, ...one }))
    .sort((one, other) => other.actions - one.actions)
}

/** Columns whose masks differ: `public.users.email: none → redact`. */
function maskText(before: string, after: string): string {
  const read = (text: string) =>
    new Map(
      text.split('\n').flatMap((line): [string, string][] => {
        const blank = line.indexOf(' ')
        return blank < 0 ? [] : [[line.substring(0, blank), line.substring(blank + 1)]]
      }),
    )
  const [old, now] = [read(before), read(after)]
  const how = (text: string | undefined): string =>
    text === undefined ? 'none' : String(JSON.parse(text).with?.type)
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((name) => old.get(name) !== now.get(name))
    .map((name) => `${name}: ${how(old.get(name))} → ${how(now.get(name))}`)
    .join(', ')
}
