/** IO. One line a run in history.ndjson: where and on what it was measured, every ratio, every absolute figure. */
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { median, type Result, spread } from './judge.ts'
import type { Rung } from './ladder.ts'

const PATH = fileURLToPath(new URL('../../bench/history.ndjson', import.meta.url))

export interface Run {
  readonly isQuick: boolean
  readonly results: readonly Result[]
  readonly absolute: Readonly<Record<string, number>>
  readonly rungs: readonly Rung[]
}

export function keep(run: Run): void {
  const line = {
    at: new Date().toISOString(),
    commit: commit(),
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? '',
    cores: availableParallelism(),
    kernel: release(),
    profile: run.isQuick ? 'quick' : 'full',
    results: Object.fromEntries(
      run.results.map(({ name, values }) => [
        name,
        { median: round(median(values)), spread: round(spread(values)) },
      ]),
    ),
    absolute: run.absolute,
    ladder: Object.fromEntries(run.rungs.map(({ name, tps }) => [name, Math.round(tps)])),
  }
  appendFileSync(PATH, `${JSON.stringify(line)}\n`)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

/** '' outside a git clone. */
function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}
