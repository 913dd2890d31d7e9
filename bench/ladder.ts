/**
 * IO. What each part costs: the same load through one more control at a time, from the bare splice to `strict`. Recording
 * cannot be switched off in the product, so the rung before it is a copy of the build that was told (peers/unrecorded.ts).
 */
import { fileURLToPath } from 'node:url'
import { median } from './judge.ts'
import { type Door, type Load, pgbench } from './pgbench.ts'
import { alternate, type Rounds } from './rounds.ts'
import type { Stage } from './stage.ts'

export interface Rung {
  readonly name: string
  /** Median. */
  readonly tps: number
  /** Of the bare splice's. */
  readonly part: number
}

export async function climb(stage: Stage, rounds: Rounds): Promise<readonly Rung[]> {
  const unrecorded = await stage.gatewayWith({ unrecorded: true })
  const bare = await stage.gatewayWith({})
  const rules = await stage.gatewayWith({ rules: true })
  const strict = await stage.gatewayWith({ rules: true, mask: true, strict: true })
  try {
    const { splice, gateway } = stage.doors
    const masked = { file: fileURLToPath(new URL('load/masked.sql', import.meta.url)) }
    const load: Load = { clients: 8, mode: 'prepared', seconds: rounds.seconds, script: 'select' }
    const steps: Readonly<Record<string, readonly [Door, Load]>> = {
      'pass-through (splice)': [splice, load],
      'frame, parse': [unrecorded.door, load],
      '+ record': [bare.door, load],
      '+ 50 rules': [rules.door, load],
      '+ mask plan (full enforcement)': [gateway, load],
      '  … text parsed each time': [gateway, { ...load, mode: 'simple' }],
      '  … masked column read': [gateway, { ...load, script: masked }],
      '+ strict': [strict.door, load],
    }
    const runs = Object.entries(steps).map(
      ([name, [door, step]]) => [name, () => pgbench(door, step)] as const,
    )
    const found = await alternate(Object.fromEntries(runs), rounds)
    const tpsOf = (name: string): number => median((found[name] ?? []).map(({ tps }) => tps))
    const base = tpsOf('pass-through (splice)')
    return Object.keys(steps).map((name) => ({ name, tps: tpsOf(name), part: tpsOf(name) / base }))
  } finally {
    for (const peer of [unrecorded, bare, rules, strict]) await peer.stop()
  }
}
