/**
 * IO. The measurements of PostgreSQL, by their numbers in the plan: P1 throughput, P2 added latency, P3 changing texts,
 * P6 connections. Each gives named results (what gates judge) and absolute figures (kept, not judged).
 *
 * Not measured here: TLS, networks other than loopback, more than one client thread.
 */
import { fileURLToPath } from 'node:url'
import { median, type Result } from '../judge.ts'
import { type Door, type Load, type Measured, pgbench } from '../pgbench.ts'
import { alternate, type Rounds, ratios } from '../rounds.ts'
import type { Stage } from '../stage.ts'

export interface Findings {
  readonly results: readonly Result[]
  /** Medians: `P1 direct tps`. */
  readonly absolute: Readonly<Record<string, number>>
}

export interface WorkOptions {
  readonly rounds: Rounds
  /** Without what takes long and the quick profile leaves out. */
  readonly isQuick: boolean
}

export type Work = (stage: Stage, options: WorkOptions) => Promise<Findings>

/** P1 and P3 together, so that the text that changes is compared with the text that does not in the same rounds. */
const throughput: Work = async ({ doors }, { rounds }) => {
  const load = { clients: 8, seconds: rounds.seconds, script: 'select' as const }
  const prepared: Load = { ...load, mode: 'prepared' }
  const tps = await tpsOf(rounds, {
    direct: [doors.direct, prepared],
    pgbouncer: [doors.pgbouncer, prepared],
    haproxy: [doors.haproxy, prepared],
    splice: [doors.splice, prepared],
    gateway: [doors.gateway, prepared],
    'gateway on all cores': [doors['gateway on all cores'], prepared],
    'gateway simple': [doors.gateway, { ...load, mode: 'simple' }],
  })
  return {
    results: [
      ...['direct', 'pgbouncer', 'haproxy', 'splice'].map((peer) => ({
        name: `P1 gateway ÷ ${peer}`,
        values: ratios(tps.gateway!, tps[peer]!),
      })),
      {
        name: 'P1 gateway on all cores ÷ pgbouncer',
        values: ratios(tps['gateway on all cores']!, tps.pgbouncer!),
      },
      { name: 'P3 simple ÷ prepared', values: ratios(tps['gateway simple']!, tps.gateway!) },
    ],
    absolute: medians('P1', 'tps', tps),
  }
}

/**
 * As P1, for so long that the store must keep up on the same cores: the sum of both, where P1 is what sessions see of a
 * burst.
 */
const sustained: Work = async ({ doors }, { isQuick }) => {
  if (isQuick) return { results: [], absolute: {} }
  const load: Load = { clients: 8, mode: 'prepared', seconds: 20, script: 'select' }
  const tps = await tpsOf(
    { count: 3, dropped: 0, seconds: load.seconds },
    { pgbouncer: [doors.pgbouncer, load], gateway: [doors.gateway, load] },
  )
  return {
    results: [{ name: 'P1 sustained ÷ pgbouncer', values: ratios(tps.gateway!, tps.pgbouncer!) }],
    absolute: medians('P1 sustained', 'tps', tps),
  }
}

/** What recording costs: P1 beside the same build with a recorder that writes nothing, all else alike. */
const recorded: Work = async (stage, { rounds, isQuick }) => {
  if (isQuick) return { results: [], absolute: {} }
  const load: Load = { clients: 8, mode: 'prepared', seconds: rounds.seconds, script: 'select' }
  const unrecorded = await stage.gatewayWith({ rules: true, mask: true, unrecorded: true })
  try {
    const tps = await tpsOf(
      { ...rounds, count: rounds.count * 2 },
      { unrecorded: [unrecorded.door, load], recorded: [stage.doors.gateway, load] },
    )
    return {
      results: [
        { name: 'P1 recorded ÷ unrecorded', values: ratios(tps.recorded!, tps.unrecorded!) },
      ],
      absolute: medians('P1', 'tps', tps),
    }
  } finally {
    await unrecorded.stop()
  }
}

/** pgbench's own read-write script. */
const readWrite: Work = async ({ doors }, { rounds, isQuick }) => {
  if (isQuick) return { results: [], absolute: {} }
  const load: Load = { clients: 8, mode: 'prepared', seconds: rounds.seconds, script: 'tpcb' }
  const tps = await tpsOf(rounds, {
    direct: [doors.direct, load],
    pgbouncer: [doors.pgbouncer, load],
    gateway: [doors.gateway, load],
  })
  return {
    results: [{ name: 'P1 read-write ÷ pgbouncer', values: ratios(tps.gateway!, tps.pgbouncer!) }],
    absolute: medians('P1 read-write', 'tps', tps),
  }
}

/** Added to a round trip, beside what PgBouncer adds in the same round. */
const latency: Work = async ({ doors }, { rounds }) => {
  const load: Load = {
    clients: 1,
    mode: 'prepared',
    seconds: rounds.seconds,
    script: 'select',
    times: true,
  }
  const found = await alternate(
    {
      direct: () => pgbench(doors.direct, load),
      pgbouncer: () => pgbench(doors.pgbouncer, load),
      gateway: () => pgbench(doors.gateway, load),
    },
    rounds,
  )
  const pick = (name: string, of: (measured: Measured) => number): number[] =>
    (found[name] ?? []).map(of)
  const added = (name: string, of: (measured: Measured) => number): number[] => {
    const base = pick('direct', of)
    return pick(name, of).map((value, round) => value - (base[round] ?? Number.NaN))
  }
  const p50 = (measured: Measured): number => measured.p50
  const p99 = (measured: Measured): number => measured.p99
  return {
    results: [
      {
        name: 'P2 added p50 ÷ pgbouncer added',
        values: ratios(added('gateway', p50), added('pgbouncer', p50)),
      },
      { name: 'P2 added p99, µs', values: added('gateway', p99) },
    ],
    absolute: {
      ...medians('P2', 'p50 µs', mapValues(found, p50)),
      ...medians('P2', 'p99 µs', mapValues(found, p99)),
    },
  }
}

/** Connect, log in, SELECT 1, close. PgBouncer reuses server connections, ours are never shared: shown, not judged. */
const connections: Work = async ({ doors }, { rounds }) => {
  const file = fileURLToPath(new URL('select-1.sql', import.meta.url))
  const load: Load = {
    clients: 8,
    mode: 'simple',
    seconds: rounds.seconds,
    script: { file },
    connects: true,
  }
  const tps = await tpsOf(rounds, {
    direct: [doors.direct, load],
    pgbouncer: [doors.pgbouncer, load],
    gateway: [doors.gateway, load],
  })
  return {
    results: [{ name: 'P6 gateway ÷ direct', values: ratios(tps.gateway!, tps.direct!) }],
    absolute: medians('P6', 'tps', tps),
  }
}

export const WORKS: Readonly<Record<string, Work>> = {
  'P1+P3': throughput,
  P1rw: readWrite,
  P1s: sustained,
  P1r: recorded,
  P2: latency,
  P6: connections,
}

async function tpsOf(
  rounds: Rounds,
  contenders: Readonly<Record<string, readonly [Door, Load]>>,
): Promise<Record<string, number[]>> {
  const runs = Object.entries(contenders).map(
    ([name, [door, load]]) => [name, () => pgbench(door, load)] as const,
  )
  return mapValues(await alternate(Object.fromEntries(runs), rounds), ({ tps }) => tps)
}

function mapValues(
  found: Readonly<Record<string, readonly Measured[]>>,
  of: (measured: Measured) => number,
): Record<string, number[]> {
  return Object.fromEntries(Object.entries(found).map(([name, list]) => [name, list.map(of)]))
}

function medians(
  work: string,
  unit: string,
  lists: Readonly<Record<string, readonly number[]>>,
): Record<string, number> {
  const named = Object.entries(lists).map(
    ([name, values]) => [`${work} ${name} ${unit}`, Math.round(median(values) * 10) / 10] as const,
  )
  return Object.fromEntries(named)
}
