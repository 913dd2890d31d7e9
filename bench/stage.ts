/**
 * IO. What all measurements stand on: one PostgreSQL with pgbench's tables, the peers in front of it, and the gateway with
 * full enforcement: identity checked, 50 rules, a mask plan on a column that the tables have, recording `standard` with
 * responses, metrics. Never less when a figure is called the product's.
 *
 * Loopback only, no TLS, one small database that lies in memory.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../test/lib/child.ts'
import { type Gateway, startGateway } from '../test/lib/gateway.ts'
import { type Postgres, startPostgres } from '../test/lib/postgres.ts'
import { type Peer, startHaproxy, startPgBouncer, startSplice } from './peers/peers.ts'
import { unrecordedBuild } from './peers/unrecorded.ts'
import { type Door, environment, pgbench } from './pgbench.ts'
import { detectPolicy, maskPolicy, rulesPolicy } from './policies.ts'

const SCALE = 10
const SHIPPED_MS_MAX = 60_000
const USER = 'bench'
const PASSWORD = 'bench-password'
const DATABASE = 'bench'

export interface Stage {
  readonly doors: Readonly<Record<PeerName | 'gateway' | 'gateway on all cores', Door>>
  readonly gateway: Gateway
  /** Another gateway on the same target, such as one with fewer controls for the ladder. */
  gatewayWith(options: GatewayKind): Promise<Peer & { readonly pid: number }>
  /** Runs SQL at the target itself, in the database that all doors open. */
  sql(text: string): void
  stop(): Promise<void>
}

export type PeerName = 'direct' | 'pgbouncer' | 'haproxy' | 'splice'

export interface GatewayKind {
  readonly rules?: boolean
  readonly mask?: boolean
  /** Another column to mask than `mask` does, `schema.table.column`. */
  readonly masked?: string
  /** Detectors on every text that is not masked. */
  readonly detects?: boolean
  readonly strict?: boolean
  /** With a recorder that writes nothing. */
  readonly unrecorded?: boolean
  /** Default 1. */
  readonly workers?: number | 'auto'
}

export async function setStage(): Promise<Stage> {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of stops.reverse()) await end()
  }
  try {
    const server = await startPostgres({
      config: ['shared_buffers = 512MB', 'max_connections = 400', 'synchronous_commit = off'],
    })
    stops.push(server.stop)
    const direct = await fill(server)
    const peers: Record<string, Peer> = {}
    for (const [name, open] of Object.entries({
      pgbouncer: startPgBouncer,
      haproxy: startHaproxy,
      splice: startSplice,
    })) {
      const peer = await open(direct)
      peers[name] = peer
      stops.push(peer.stop)
    }
    const full = await open(server, { rules: true, mask: true })
    stops.push(() => full.gateway.stop())
    const wide = await open(server, { rules: true, mask: true, workers: 'auto' })
    stops.push(() => wide.gateway.stop())
    const { pgbouncer, haproxy, splice } = peers
    return {
      doors: {
        direct,
        pgbouncer: pgbouncer!.door,
        haproxy: haproxy!.door,
        splice: splice!.door,
        gateway: full.door,
        'gateway on all cores': wide.door,
      },
      gateway: full.gateway,
      gatewayWith: async (kind) => {
        const { door, gateway } = await open(server, kind)
        return { door, pid: gateway.pid, stop: () => gateway.stop() }
      },
      sql: (text) => void server.sql(text, DATABASE),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function fill(server: Postgres): Promise<Door> {
  server.sql(`CREATE ROLE ${USER} LOGIN PASSWORD '${PASSWORD}'`)
  server.sql(`CREATE DATABASE ${DATABASE} OWNER ${USER}`)
  const { host, port } = server
  const door = { host, port, user: USER, password: PASSWORD, database: DATABASE }
  const made = await run('pgbench', ['-i', '-q', '-s', String(SCALE), '-I', 'dtGvp'], {
    env: environment(door),
    timeoutMs: 120_000,
  })
  if (made.code !== 0) throw new Error(`pgbench -i: ${made.stderr}`)
  // The column that the mask hides must hold something.
  server.sql("UPDATE pgbench_tellers SET filler = 'something to hide'", DATABASE)
  return door
}

async function open(
  server: Postgres,
  kind: GatewayKind,
): Promise<{ gateway: Gateway; door: Door }> {
  const gateway = await startGateway({
    connections: {
      [DATABASE]: { server, database: DATABASE, user: USER, password: PASSWORD },
    },
    policies: {
      ...(kind.rules === true ? { 'rules.yaml': rulesPolicy(50) } : {}),
      ...(kind.mask === true ? { 'mask.yaml': maskPolicy('public.pgbench_accounts.filler') } : {}),
      ...(kind.masked === undefined ? {} : { 'masked.yaml': maskPolicy(kind.masked) }),
      ...(kind.detects === true ? { 'detect.yaml': detectPolicy() } : {}),
    },
    config: {
      // One thread, as PgBouncer and HAProxy have: two cores are full of one client, one server, one proxy.
      workers: kind.workers ?? 1,
      recorder: { store: 'embedded', durability: kind.strict === true ? 'strict' : 'standard' },
    },
    ...(kind.unrecorded === true ? { build: unrecordedBuild() } : {}),
  })
  const token = await gateway.token({ subject: 'bench', kind: 'workload', ttl: '2h' })
  const place = { host: '127.0.0.1', port: gateway.port, user: 'agent', password: token }
  const door = { ...place, database: DATABASE, settle: () => shipped(gateway) }
  await warmUp(door)
  return { gateway, door }
}

/** Sessions come before the store, so much of what was recorded in a run is stored after it. */
async function shipped(gateway: Gateway): Promise<void> {
  const deadline = Date.now() + SHIPPED_MS_MAX
  const waiting = () =>
    readdirSync(join(gateway.data, 'spool')).filter((name) => name.endsWith('.seg'))
  for (let names = waiting(); names.length > 0; names = waiting()) {
    if (Date.now() > deadline) {
      const said = gateway.output().slice(-4000)
      throw new Error(`the record store does not catch up: ${names.join(' ')}\n${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A gateway runs for weeks: what its compiler does in the first seconds is not what is measured. */
async function warmUp(door: Door): Promise<void> {
  const load = { clients: 8, script: 'select' as const }
  await pgbench(door, { ...load, mode: 'prepared', seconds: 6 })
  await pgbench(door, { ...load, mode: 'simple', seconds: 4 })
}
