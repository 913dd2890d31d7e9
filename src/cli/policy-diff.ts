/** IO. `sluice policy diff` and `policy suggest`: two versions side by side, and a version made from what was recorded. */
import { resolve } from 'node:path'
import { Backtest, type BacktestReport } from '../policy/backtest.ts'
import { detectorsDiffer } from '../policy/detector-changes.ts'
import { diff } from '../policy/diff.ts'
import { readsOf } from '../policy/over-record.ts'
import { Memory, redecide } from '../policy/redecide.ts'
import { Suggestion } from '../policy/suggest.ts'
import { loadParser } from '../protocols/postgres/sql/parse.ts'
import { CliError, type ExitCode } from './exit.ts'
import type { Where } from './gateway.ts'
import { say } from './output.ts'
import { reportText, showProgress, sinceMs } from './policy-backtest.ts'
import { type LoadedPolicies, loadCandidate } from './policy-files.ts'
import { actionsOf } from './recorded-actions.ts'
import { needSettings } from './settings.ts'
import { cell, printable } from './table.ts'

export interface DiffFlags extends Where {
  readonly json?: boolean
  readonly since?: string
  readonly connection?: string
}

/** Exit code 1 where something changes. Recorded actions are asked for with `--since` only. */
export async function diffPolicies(paths: readonly string[], flags: DiffFlags): Promise<ExitCode> {
  await loadParser()
  const { settings } = needSettings(flags.config)
  const { config } = settings
  const [older = '', newer = ''] = paths
  const [old, now] = [older, newer].map((path) => loadCandidate([resolve(path)], config)) as [
    LoadedPolicies,
    LoadedPolicies,
  ]
  const versions = { old: old.policies, new: now.policies }
  const report = diff(versions, { config, now: Date.now() })
  const recorded = flags.since === undefined ? undefined : await overRecord(versions, flags)
  if (flags.json === true) say(`${JSON.stringify({ ...report, recorded })}\n`)
  else {
    const lines = report.changes.flatMap(({ subject, roles, connection, statement, was, is }) => [
      `${subject} (${roles.join(', ')}) on ${connection}: ${cell(statement)}`,
      `    ${was} → ${is}`,
    ])
    lines.push(`${report.changes.length} of ${report.tried} tried statements change.`)
    say(`${lines.map(printable).join('\n')}\n`)
    if (recorded !== undefined) say(`\nRecorded actions:\n${reportText(recorded, 0)}`)
  }
  const changed =
    recorded === undefined
      ? 0
      : recorded.actions - recorded.transitions.unchanged - recorded.undecidable
  return report.changes.length > 0 || changed > 0 ? 1 : 0
}

async function overRecord(
  versions: { old: LoadedPolicies['policies']; new: LoadedPolicies['policies'] },
  flags: DiffFlags,
): Promise<BacktestReport> {
  const { config } = needSettings(flags.config).settings
  const memory = new Memory(config)
  const run = new Backtest({ candidate: versions.new, current: versions.old, memory })
  const reads = readsOf([versions.old, versions.new])
  const outcomes = detectorsDiffer(versions.old, versions.new)
  const untilMs = Date.now()
  const span = { fromMs: untilMs - sinceMs(flags.since ?? ''), untilMs }
  const wanted = { span, connection: flags.connection ?? '', reads, outcomes }
  for await (const groups of actionsOf(flags, wanted, showProgress))
    for (const group of groups) {
      const remembered = memory.recall(group)
      const before = typeof remembered === 'string' ? undefined : redecide(remembered, versions.old)
      // What the older version decides cannot be told: neither can the difference.
      if (before === undefined || before.verdict === 'unknown') run.add({ ...group, facts: '' })
      else
        run.add({
          ...group,
          verdict: before.verdict === 'allow' ? 'allow' : 'rule',
          rule: before.rule,
        })
    }
  return run.report()
}

export interface SuggestFlags extends Where {
  readonly json?: boolean
  readonly job?: string
  readonly since?: string
}

/** Prints a policy file. Exit code 1 where nothing of the job was recorded. */
export async function suggestPolicy(flags: SuggestFlags): Promise<ExitCode> {
  needSettings(flags.config)
  const { job = '' } = flags
  const suggestion = new Suggestion(job)
  const untilMs = Date.now()
  const span = { fromMs: untilMs - sinceMs(flags.since ?? '7d'), untilMs }
  for await (const groups of actionsOf(flags, { span, connection: '', reads: [] }, showProgress))
    for (const group of groups) if (group.job === job) suggestion.add(group)
  if (suggestion.actions === 0)
    throw new CliError(1, `Nothing that the job ${printable(job)} did was recorded and allowed.`)
  const text = suggestion.text()
  say(
    flags.json === true
      ? `${JSON.stringify({ actions: suggestion.actions, left_out: suggestion.leftOut, policy: text })}\n`
      : text,
  )
  return 0
}
