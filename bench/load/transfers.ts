/**
 * IO. The measurements of results that are large: P4 rows with and without masks, P5 COPY both ways, P16 what a small
 * statement waits for beside a transfer at full speed on the same worker.
 *
 * The client reads and does nothing (reader.ts), so that the gateway is compared with what the target can send, not with what
 * a driver can take. Not measured: TLS, binary formats, several transfers at once.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from '../judge.ts'
import { type Door, type Load, pgbench } from '../pgbench.ts'
import { alternate, ratios } from '../rounds.ts'
import type { Stage } from '../stage.ts'
import type { Transfer, Transferred } from './reader.ts'
import type { Findings, Work } from './works.ts'

const ROWS = 1_000_000
/** COPY in: 500 lines each. */
const BLOCKS = 1500
const SELECT = 'SELECT id, name, email, note, amount, created FROM parcels'
const COPY_OUT = 'COPY parcels TO STDOUT'
const COPY_IN = 'COPY parcels_in FROM STDIN'
const READER = fileURLToPath(new URL('reader.js', import.meta.url))

const NOTHING: Findings = { results: [], absolute: {} }

/** A million rows of about 130 bytes on the wire, read by nobody but these works. */
function fill(stage: Stage): void {
  stage.sql(`
    CREATE TABLE IF NOT EXISTS parcels
      (id int, name text, email text, note text, amount numeric(12,2), created timestamptz);
    CREATE UNLOGGED TABLE IF NOT EXISTS parcels_in (LIKE parcels);
    ALTER TABLE parcels_in SET (autovacuum_enabled = off);
    GRANT ALL ON parcels, parcels_in TO PUBLIC;
    INSERT INTO parcels SELECT n, 'Customer Name ' || n, 'customer.' || n || '@mail.example',
      (ARRAY['Left the parcel with the neighbour on the second floor',
        'asked for a refund of order 20417, paid on 12 May', 'VIP',
        'prefers to be called in the morning; speaks French and some German'])[n % 4 + 1],
      n % 10000 + 0.5, timestamptz '2024-05-12 10:11:12.123456+00'
      FROM generate_series(1, ${ROWS}) n WHERE NOT EXISTS (SELECT FROM parcels);
    VACUUM ANALYZE parcels`)
}

/** A client that is logged in. */
class Taker {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async at(door: Door): Promise<Taker> {
    const child = fork(READER, [JSON.stringify(door)])
    await answerOf(child)
    return new Taker(child)
  }

  async transfer(transfer: Transfer): Promise<Transferred> {
    this.#child.send(transfer)
    return (await answerOf(this.#child)) as Transferred
  }

  /** Resolves when the first one is through. */
  async forever(text: string): Promise<void> {
    await this.transfer({ text, forever: true })
  }

  stop(): void {
    this.#child.kill()
  }
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const answered = new AbortController()
  const { signal } = answered
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('bench: the reader ended')
  })
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), ended])
    return answer
  } finally {
    // It is asked hundreds of times: who has the answer listens no more.
    ended.catch(() => {})
    answered.abort()
  }
}

interface Pace {
  readonly ms: number
  readonly bytes: number
  /** Of the gateway's own time on a core; NaN for others. */
  readonly coreMs: number
}

async function paceOf(taker: Taker, transfer: Transfer, pid?: number): Promise<Pace> {
  const before = pid === undefined ? Number.NaN : cpuMs(pid)
  const { ms, bytes } = await taker.transfer(transfer)
  return { ms, bytes, coreMs: pid === undefined ? Number.NaN : cpuMs(pid) - before }
}

/** Of all threads of a process that live, in milliseconds. */
function cpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    )
    .reduce((sum, ns) => sum + ns / 1e6, 0)
}

const rows: Work = async (stage, { rounds, isQuick }) => {
  if (isQuick) return NOTHING
  fill(stage)
  const masking = await stage.gatewayWith({
    rules: true,
    masked: 'public.parcels.email',
    detects: true,
  })
  const direct = await Taker.at(stage.doors.direct)
  const masked = await Taker.at(masking.door)
  const passed = await Taker.at(stage.doors.gateway)
  try {
    const transfer = { text: SELECT }
    const settled = async (taker: Taker, door: Door, pid: number): Promise<Pace> => {
      const pace = await paceOf(taker, transfer, pid)
      await door.settle?.()
      return pace
    }
    const found = await alternate(
      {
        direct: () => paceOf(direct, transfer),
        masked: () => settled(masked, masking.door, masking.pid),
        passed: () => settled(passed, stage.doors.gateway, stage.gateway.pid),
      },
      rounds,
    )
    return {
      results: [
        { name: 'P4 masked ÷ direct', values: faster(found.masked, found.direct) },
        { name: 'P4 nothing masked ÷ direct', values: faster(found.passed, found.direct) },
      ],
      // Of what the target sends: a masked row may be shorter.
      absolute: rates('P4', found, found.direct),
    }
  } finally {
    for (const taker of [direct, masked, passed]) taker.stop()
    await masking.stop()
  }
}

const copies: Work = async (stage, { rounds, isQuick }) => {
  if (isQuick) return NOTHING
  fill(stage)
  const { doors } = stage
  const names = ['direct', 'splice', 'gateway'] as const
  const takers = await Promise.all(names.map((name) => Taker.at(doors[name])))
  const pid = (name: string): number | undefined =>
    name === 'gateway' ? stage.gateway.pid : undefined
  try {
    const each = (transfer: Transfer, before = ''): Record<string, () => Promise<Pace>> =>
      Object.fromEntries(
        names.map((name, at) => [
          name,
          async () => {
            if (before !== '') stage.sql(before)
            const pace = await paceOf(takers[at]!, transfer, pid(name))
            await doors[name].settle?.()
            return pace
          },
        ]),
      )
    const out = await alternate(each({ text: COPY_OUT }), rounds)
    const into = { text: COPY_IN, blocks: BLOCKS }
    const inward = await alternate(each(into, 'TRUNCATE parcels_in; CHECKPOINT'), rounds)
    return {
      results: [
        { name: 'P5 COPY out ÷ direct', values: faster(out.gateway, out.direct) },
        { name: 'P5 COPY out ÷ splice', values: faster(out.gateway, out.splice) },
        { name: 'P5 COPY in ÷ direct', values: faster(inward.gateway, inward.direct) },
      ],
      absolute: { ...rates('P5 out', out, out.direct), ...rates('P5 in', inward, inward.direct) },
    }
  } finally {
    for (const taker of takers) taker.stop()
  }
}

/** Who else runs on two cores makes small statements wait too: the peers beside the same transfer say how much that is. */
const fairness: Work = async (stage, { rounds, isQuick }) => {
  if (isQuick) return NOTHING
  fill(stage)
  const file = fileURLToPath(new URL('select-1.sql', import.meta.url))
  const { seconds } = rounds
  const load: Load = { clients: 1, mode: 'simple', seconds, script: { file }, times: true }
  const beside = async (door: Door): Promise<number> => {
    const taker = await Taker.at(door)
    try {
      await taker.forever(COPY_OUT)
      return (await pgbench({ ...door, settle: async () => {} }, load)).p99 / 1000
    } finally {
      taker.stop()
      await door.settle?.()
    }
  }
  const { direct, splice, pgbouncer, gateway } = stage.doors
  const found = await alternate(
    {
      direct: () => beside(direct),
      pgbouncer: () => beside(pgbouncer),
      splice: () => beside(splice),
      gateway: () => beside(gateway),
    },
    { ...rounds, count: Math.min(rounds.count, 5), dropped: 0 },
  )
  return {
    results: [{ name: 'P16 p99 beside a COPY, ms', values: found.gateway ?? [] }],
    absolute: Object.fromEntries(
      Object.entries(found).map(([name, values]) => [`P16 ${name} p99 ms`, shown(values)]),
    ),
  }
}

export const TRANSFERS: Readonly<Record<string, Work>> = { P4: rows, P5: copies, P16: fairness }

/** Round by round: how many times the pace of the other. */
function faster(one: readonly Pace[] = [], other: readonly Pace[] = []): number[] {
  const times = (paces: readonly Pace[]): number[] => paces.map(({ ms }) => ms)
  return ratios(times(other), times(one))
}

/** MB a second for each contender, and of a core where that is known. */
function rates(
  work: string,
  found: Readonly<Record<string, readonly Pace[]>>,
  source: readonly Pace[] = [],
): Record<string, number> {
  const megabytes = median(source.map(({ bytes }) => bytes / 1e6))
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, paces]) => {
      const all = shown(paces.map(({ ms }) => (megabytes / ms) * 1000))
      const core = shown(paces.map(({ coreMs }) => (megabytes / coreMs) * 1000))
      const whole: [string, number][] = [[`${work} ${name} MB/s`, all]]
      return Number.isNaN(core) ? whole : [...whole, [`${work} ${name} MB/s per core`, core]]
    }),
  )
}

function shown(values: readonly number[]): number {
  return Math.round(median(values) * 100) / 100
}
