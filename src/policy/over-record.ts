/** Pure apart from what it asks. A backtest from beginning to end: what a candidate makes of all that was recorded in a time. */
import type { Config } from '../config/shape.ts'
import type { PolicySet } from '../decide/policy.ts'
import { Backtest, type BacktestReport } from './backtest.ts'
import { detectorsDiffer } from './detector-changes.ts'
import { type Progress, type Query, recordedGroups } from './record-stream.ts'
import type { Span } from './recorded.ts'
import { Memory } from './redecide.ts'

export interface Replay {
  readonly config: Config
  readonly candidate: PolicySet
  /** Its masks are what was in force, as far as anybody knows. */
  readonly current: PolicySet
  readonly span: Span
  /** '' for all. */
  readonly connection: string
}

/** Rejects with Unreadable, and as `query` does. */
export async function backtestOver(
  query: Query,
  { config, candidate, current, span, connection }: Replay,
  progress: (progress: Progress) => void = () => {},
): Promise<BacktestReport> {
  const run = new Backtest({ candidate, current, memory: new Memory(config) })
  const outcomes = detectorsDiffer(candidate, current)
  const wanted = { span, connection, reads: readsOf([candidate]), outcomes }
  for await (const groups of recordedGroups(query, wanted, progress))
    for (const group of groups) run.add(group)
  return run.report()
}

/** Facts that some rule of these reads. */
export function readsOf(versions: readonly PolicySet[]): ReadonlySet<string> {
  const policies = versions.flatMap((version) => version.policies)
  return new Set(policies.flatMap(({ rules }) => rules.flatMap(({ rule }) => [...rule.reads])))
}
