/** IO. Runs chosen works on one stage and gathers what they found. */
import type { Result } from './judge.ts'
import { idle } from './load/idle.ts'
import { start } from './load/start.ts'
import { TRANSFERS } from './load/transfers.ts'
import { type Findings, WORKS as SMALL } from './load/works.ts'
import { MICRO } from './micro/micro.ts'
import { FULL, QUICK } from './rounds.ts'
import { type Stage, setStage } from './stage.ts'

export interface MeasureOptions {
  readonly isQuick: boolean
  /** Names of works; undefined: all. */
  readonly only?: ReadonlySet<string>
  /** Told before each work. */
  readonly onWork?: (name: string) => void
}

const WORKS = { ...SMALL, ...TRANSFERS, P15: start, P11: idle }

/** Work → what it found. */
export type Measurements = ReadonlyMap<string, Findings>

export const WORK_NAMES: readonly string[] = [...Object.keys(MICRO), ...Object.keys(WORKS)]

/** `use` gets the stage when works need it, after the works, such as for the ladder. */
export async function measure(
  options: MeasureOptions,
  use?: (stage: Stage) => Promise<void>,
): Promise<Measurements> {
  const { isQuick, only, onWork } = options
  const isWanted = (name: string): boolean => only === undefined || only.has(name)
  const found = new Map<string, Findings>()
  for (const [name, work] of Object.entries(MICRO).filter(([name]) => isWanted(name))) {
    onWork?.(name)
    found.set(name, await work(isQuick))
  }
  const works = Object.entries(WORKS).filter(([name]) => isWanted(name))
  if (works.length === 0) return found
  const stage = await setStage()
  try {
    for (const [name, work] of works) {
      onWork?.(name)
      found.set(name, await work(stage, { rounds: isQuick ? QUICK : FULL, isQuick }))
    }
    await use?.(stage)
  } finally {
    await stage.stop()
  }
  return found
}

export function resultsOf(found: Measurements): Result[] {
  return [...found.values()].flatMap(({ results }) => results)
}

export function absoluteOf(found: Measurements): Record<string, number> {
  return Object.assign({}, ...[...found.values()].map(({ absolute }) => absolute))
}
