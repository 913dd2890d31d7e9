/** IO. `sluice policy backtest`: what a candidate would have decided about what was recorded. */
import { parseDuration } from '../config/units.ts'
import { type BacktestReport, TRANSITIONS } from '../policy/backtest.ts'
import { backtestOver } from '../policy/over-record.ts'
import type { Progress } from '../policy/record-stream.ts'
import { CliError, type ExitCode } from './exit.ts'
import type { Where } from './gateway.ts'
import { say } from './output.ts'
import { loadCandidate } from './policy-files.ts'
import { queryOf, readable } from './recorded-actions.ts'
import { needSettings } from './settings.ts'
import { cell, printable, table } from './table.ts'

export interface BacktestFlags extends Where {
  readonly json?: boolean
  readonly candidate?: string
  readonly since?: string
  readonly connection?: string
  readonly failOn?: string
}

const FAILURES = [...TRANSITIONS.filter((one) => one !== 'unchanged'), 'undecidable'] as const
type Failure = (typeof FAILURES)[number]

/** Exit code 1 where one of `--fail-on` occurs. */
export async function backtest(flags: BacktestFlags): Promise<ExitCode> {
  const { settings } = needSettings(flags.config)
  const failOn = failuresOf(flags.failOn)
  const { connection = '' } = flags
  if (connection !== '' && !settings.config.connections.has(connection))
    throw new CliError(2, `--connection: there is no ${printable(connection)}.`)
  const candidate = loadCandidate([flags.candidate ?? ''], settings.config).policies
  const current = loadCandidate(
    settings.policyFiles.map(({ path }) => path),
    settings.config,
  ).policies
  const untilMs = Date.now()
  const span = { fromMs: untilMs - sinceMs(flags.since ?? '7d'), untilMs }
  const began = performance.now()
  const replay = { config: settings.config, candidate, current, span, connection }
  const report = await readable(() => backtestOver(queryOf(flags), replay, showProgress))
  const seconds = (performance.now() - began) / 1000
  if (flags.json === true) say(`${JSON.stringify(report)}\n`)
  else say(reportText(report, seconds))
  return failOn.some((one) => countOf(report, one) > 0) ? 1 : 0
}

function countOf(report: BacktestReport, failure: Failure): number {
  return failure === 'undecidable' ? report.undecidable : report.transitions[failure]
}

function failuresOf(list: string | undefined): readonly Failure[] {
  return (list ?? '').split(',').flatMap((word): Failure[] => {
    if (word.trim() === '') return []
    const known = FAILURES.find((one) => one === word.trim())
    if (known !== undefined) return [known]
    throw new CliError(2, `--fail-on: expected some of ${FAILURES.join(', ')}.`)
  })
}

export function sinceMs(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms <= 0)
    throw new CliError(2, '--since: expected a duration such as 6h or 7d.')
  return ms
}

/** On a terminal only: elsewhere it would be lines of nothing. */
export function showProgress({ actions, of }: Progress): void {
  if (process.stderr.isTTY !== true) return
  const done = of === 0 ? 100 : Math.floor((actions / of) * 100)
  say(`\r${actions} of ${of} recorded actions (${done} %)${actions >= of ? '\n' : ''}`, 2)
}

export function reportText(report: BacktestReport, seconds: number): string {
  const { actions, transitions, undecidable } = report
  if (actions === 0) return 'There are no recorded actions in this time.\n'
  const speed = seconds > 0 ? `, ${Math.round(actions / seconds)} a second` : ''
  const lines = [`${actions} recorded actions${speed}.`, '']
  const counts = [
    ['allow → deny', transitions['allow-to-deny']],
    ['deny → allow', transitions['deny-to-allow']],
    ['masks change', transitions['mask-change']],
    ['cannot be decided', undecidable],
    ['unchanged', transitions.unchanged],
  ] as const
  for (const [name, count] of counts)
    lines.push(`  ${name.padEnd(18)} ${String(count).padStart(9)}`)
  for (const [why, count] of Object.entries(report.undecidable_because))
    lines.push(`      ${String(count).padStart(9)}  ${printable(why)}`)
  lines.push('')
  lines.push(...section('By rule of the candidate', report.rules))
  const changed = (one: { actions: number; allow_to_deny: number }) => one.actions > 0
  lines.push(...section('By connection', report.connections.filter(changed)))
  lines.push(...section('By job', report.jobs.filter(changed)))
  for (const sample of report.samples) {
    lines.push(`${sample.transition}: ${printable(sample.was)} → ${printable(sample.is)}`)
    lines.push(`    ${sample.actions} × ${cell(sample.statement)}`)
    lines.push(
      `    ${printable(sample.connection)}, job ${printable(sample.job || '(none)')}, such as ${printable(sample.action)}`,
    )
  }
  return `${lines.join('\n')}\n`
}

const ROWS_SHOWN = 20

function section(title: string, rows: readonly object[]): string[] {
  const [first] = rows
  if (first === undefined) return []
  const shown = rows.filter((_, at) => at < ROWS_SHOWN).map((row) => ({ ...row }))
  const more =
    rows.length > ROWS_SHOWN ? [`… ${rows.length - ROWS_SHOWN} more; all of them with --json`] : []
  return [title, table(shown, Object.keys(first)).trimEnd(), ...more, '']
}
