/**
 * IO (the clock). P13: what a verdict costs, apart from the parse: kept with its statement; decided anew under 50 rules;
 * and under 5,000 as a large house has them, most for other connections and many for other classes.
 *
 * One statement and one grant over and over: branch prediction is kinder here than in life. 5,000 rules that all speak of
 * the one connection and name only tables are shown, not judged: nothing files rules by table.
 */
import { readConfig } from '../../src/config/config.ts'
import type { Action } from '../../src/decide/action.ts'
import { decide } from '../../src/decide/decide.ts'
import type { DecideContext } from '../../src/decide/facts/view.ts'
import { admit, type Grant } from '../../src/decide/grant.ts'
import { compilePolicies, type Guard } from '../../src/decide/policy.ts'
import { NO_JOB } from '../../src/identify/identity.ts'
import { holds, type Judged } from '../../src/protocols/postgres/judge.ts'
import type { Findings } from '../load/works.ts'
import { largeHouse, rulesPolicy } from '../policies.ts'

const ROUNDS = 9
const DROPPED = 2

/** Throws when a verdict is not the expected one: a wrong answer would be measured as a quick one. */
export async function verdicts(isQuick: boolean): Promise<Findings> {
  const runMs = isQuick ? 60 : 300
  const grant = benchGrant()
  const few = guardOf(grant, [rulesPolicy(50)])
  const many = guardOf(grant, largeHouse())
  const flat = guardOf(grant, [rulesPolicy(5000)])
  const context = contextOf(grant)
  const decides = (guard: Guard): boolean => decide(guard, ACTION, context).verdict === 'allow'
  const cached: number[] = []
  const fifty: number[] = []
  const growth: number[] = []
  // All that `holds` looks at.
  const judged = { inTransaction: false, policyVersion: 1, stable: true } as Judged
  for (let round = 0; round < ROUNDS; round++) {
    const kept = microseconds(runMs, () => holds(judged, few, false))
    const anew = microseconds(runMs, () => decides(few))
    const more = microseconds(runMs, () => decides(many))
    if (round < DROPPED) continue
    cached.push(kept)
    fifty.push(anew)
    growth.push(more / anew)
  }
  return {
    results: [
      { name: 'P13 cached verdict, µs', values: cached },
      { name: 'P13 50 rules, µs', values: fifty },
      { name: 'P13 5,000 rules ÷ 50 rules', values: growth },
    ],
    absolute: { 'P13 5,000 rules of one connection, µs': microseconds(runMs, () => decides(flat)) },
  }
}

/** Of one call, over as many as fit into `runMs`. */
function microseconds(runMs: number, act: () => boolean): number {
  const begin = performance.now()
  let calls = 0
  let spent = 0
  while (spent < runMs) {
    for (let i = 0; i < 100; i++) if (!act()) throw new Error('bench: a wrong verdict')
    calls += 100
    spent = performance.now() - begin
  }
  return (spent * 1000) / calls
}

const ACTION: Action = {
  protocol: 'postgres',
  classes: ['read'],
  verb: 'SELECT',
  objects: ['public.pgbench_accounts'],
  opaque: undefined,
  text: 'SELECT abalance FROM pgbench_accounts WHERE aid = $1',
  facts: {
    sql: {
      commands: ['SELECT'],
      tags: ['SELECT'],
      tables: ['public.pgbench_accounts'],
      tables_written: [],
      columns: ['public.pgbench_accounts.abalance', 'public.pgbench_accounts.aid'],
      functions: [],
      writes: false,
      bounded: true,
      by_key: true,
      has_where: true,
      where_always_true: false,
      literals: [],
      statements: 1,
      in_transaction: false,
      copy: '',
      params: [],
      triggers: [],
    },
  },
}

function guardOf(grant: Grant, texts: readonly string[]): Guard {
  const files = texts.map((text, at) => ({ path: `bench-${at}.yaml`, text }))
  const compiled = compilePolicies(files, { version: 1, knownDetectors: new Set() })
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems[0]))
  return compiled.policies.guard(grant)
}

function benchGrant(): Grant {
  const text = JSON.stringify({
    connections: {
      bench: {
        type: 'postgres',
        address: '127.0.0.1:5432',
        database: 'bench',
        tls: 'disable',
        credential: { user: 'bench', password: { env: 'BENCH_PASSWORD' } },
      },
    },
    roles: { agents: { members: ['subject:*'], connections: ['*'], allow: ['read', 'write'] } },
  })
  const read = readConfig({ path: 'sluice.yaml', text, cores: 2 })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const identity = {
    subject: 'bench',
    kind: 'workload' as const,
    issuer: 'gateway',
    groups: [],
    rolesOnly: undefined,
    connectionsOnly: undefined,
    owner: '',
    job: NO_JOB,
    credentialId: 'bench',
    expiresAt: Number.MAX_SAFE_INTEGER,
  }
  const grant = admit(read.config, identity, { connection: 'bench', database: undefined })
  if (grant === undefined) throw new Error('bench: no grant')
  return grant
}

function contextOf(grant: Grant): DecideContext {
  const none = { ageSeconds: 1, statements: 1, rows: 1, bytes: 1, maskedValues: 0 }
  const session = { id: 'bench', clientIp: '127.0.0.1', ...none }
  return { grant, session, now: 0, findings: [] }
}
