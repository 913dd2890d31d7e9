/**
 * IO. P11: what one idle session keeps in the gateway's memory. Beside a target in memory, because PostgreSQL has no place for
 * so many; the gateway has rules, a mask and recording as everywhere here.
 *
 * What a gateway takes once is no part of it: some sessions and statements come before, and are stored, before it is measured.
 */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PostgresClient } from '../../test/chaos/client.ts'
import { type Gateway, startGateway } from '../../test/lib/gateway.ts'
import { median } from '../judge.ts'
import { maskPolicy, rulesPolicy } from '../policies.ts'
import type { Work } from './works.ts'

const ROUNDS = 3
const SESSIONS_MAX = 6_000
/** Of the limit for open files: a session takes two in the gateway. */
const FILES_SPARED = 1_000
const AT_ONCE = 32
const WARM = { sessions: 300, statements: 1_500, settleMs: 3_000 }

const TARGET = fileURLToPath(new URL('../../test/chaos/fixtures/crowd-target.js', import.meta.url))
/** It stands beside its source, and the compiled bench two folders below. */
const FIXTURE = fileURLToPath(new URL('../../../test/contract/fixture.json', import.meta.url))

export const idle: Work = async (_, { isQuick }) => {
  if (isQuick) return { results: [], absolute: {} }
  const sessions = Math.min(SESSIONS_MAX, Math.floor((openFiles() - FILES_SPARED) / 2))
  const kib: number[] = []
  for (let at = 0; at < ROUNDS; at++) kib.push(await perSession(sessions))
  return {
    results: [{ name: 'P11 resident for each idle session, KiB', values: kib }],
    absolute: {
      'P11 idle sessions': sessions,
      'P11 KiB a session': Math.round(median(kib) * 10) / 10,
    },
  }
}

/** A gateway of its own each time: memory that was given back once is not asked for again. */
async function perSession(sessions: number): Promise<number> {
  const target = fork(TARGET, [FIXTURE])
  let gateway: Gateway | undefined
  const open: PostgresClient[] = []
  try {
    const port = await new Promise<number>((resolve, reject) => {
      target.once('message', resolve)
      target.once('exit', (code) => reject(new Error(`the target ended with ${code}`)))
    })
    gateway = await startGateway({
      connections: {
        idle: { server: { host: '127.0.0.1', port }, database: 'd', user: 'u', auth: ['trust'] },
      },
      policies: { 'rules.yaml': rulesPolicy(50), 'mask.yaml': maskPolicy('public.t.secret') },
      config: { workers: 1, limits: { connections_per_address: 20_000, handshake: '60s' } },
    })
    const password = await gateway.token({ subject: 'bench', kind: 'workload', ttl: '2h' })
    const door = { port: gateway.port, database: 'idle', password }
    const more = async (count: number): Promise<void> => {
      const until = open.length + count
      while (open.length < until) {
        const batch = Math.min(AT_ONCE, until - open.length)
        open.push(
          ...(await Promise.all(Array.from({ length: batch }, () => PostgresClient.open(door)))),
        )
      }
    }
    await more(WARM.sessions)
    for (let at = 0; at < WARM.statements; at++) await open[0]!.query('SELECT 1')
    await new Promise((resolve) => setTimeout(resolve, WARM.settleMs))
    const before = residentKib(gateway.pid)
    await more(sessions)
    await new Promise((resolve) => setTimeout(resolve, WARM.settleMs))
    if (open.some(({ isClosed }) => isClosed)) throw new Error('an idle session was not held')
    return (residentKib(gateway.pid) - before) / sessions
  } finally {
    for (const client of open) client.socket.destroy()
    await gateway?.stop()
    target.kill()
  }
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function openFiles(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return Number(soft ?? 1 << 20)
}
