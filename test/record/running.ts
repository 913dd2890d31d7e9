/**
 * Not a test: a spool, a recorder and a ship thread's inside over the real engine, in a folder of
 * their own.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clock } from '../../src/base/clock.ts'
import { ulid } from '../../src/base/id.ts'
import type { ActionShape, Outcome, Recorder, SessionFacts } from '../../src/record/event.ts'
import { openRecorder, type RecorderOptions } from '../../src/record/recorder.ts'
import type { ShipWorkerData } from '../../src/record/ship-messages.ts'
import { type ShipThread, startShipping } from '../../src/record/ship-thread.ts'
import { built } from '../lib/gateway.ts'

/** `npm test` builds first: a child process runs compiled code. */
export const ENGINE = built('workers/engine.js')

export const SHAPE: ActionShape = {
  class: 'read',
  verb: 'SELECT',
  objects: ['public.customers'],
  statement: 'SELECT * FROM customers WHERE id = $1',
  exact: 'SELECT * FROM customers WHERE id = $1',
  verdict: 'allow',
  rule: '',
  policyVersion: 7,
  requestId: '',
  facts: '{"sql":{"commands":["SELECT"]}}',
}

export const TIMES = { params: ['42'], bytesUp: 300, parseUs: 12, decideUs: 3, waitUs: 0 }

export const OUTCOME: Outcome = {
  status: 'ok',
  error: '',
  rows: 3,
  bytesDown: 512,
  upstreamUs: 800,
  gatewayUs: 40,
  masked: undefined,
  payload: undefined,
  payloadCut: false,
}

export function facts(instance: string, more: Partial<SessionFacts> = {}): SessionFacts {
  return {
    sessionId: ulid(),
    instance,
    protocol: 'postgres',
    connection: 'demo',
    targetDatabase: 'demo',
    subject: 'ci',
    kindOfIdentity: 'workload',
    owner: 'ann',
    job: 'nightly',
    run: '1',
    agent: 'coder',
    parentAgent: '',
    jobVerified: true,
    clientIp: '127.0.0.1',
    roles: ['agents'],
    groups: [],
    ...more,
  }
}

export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-record-'))
  readonly spool = join(this.folder, 'spool')
  instance = ulid()
  readonly said: string[] = []
  readonly #running: (Recorder | ShipThread)[] = []

  recorder(more: Partial<RecorderOptions> = {}): Recorder {
    const recorder = openRecorder({
      spoolFolder: this.spool,
      instance: this.instance,
      thread: 1,
      recordKey: Buffer.alloc(32, 1),
      bytesMax: 1e9,
      clock,
      ...more,
    })
    this.#running.push(recorder)
    return recorder
  }

  /** `keys`: of encrypted segments. */
  ship(
    spoolKeys: NonNullable<ShipWorkerData['spoolKeys']> = [],
    more: Partial<ShipWorkerData> = {},
  ): ShipThread {
    if (!existsSync(ENGINE)) throw new Error('dist is missing: run `npm run build` first')
    const ship = startShipping(
      {
        instance: this.instance,
        gateway: 'test',
        spoolFolder: this.spool,
        spoolKeys,
        retention: { days: 400, connections: {} },
        store: { embedded: true, folder: join(this.folder, 'clickhouse') },
        chainFolder: join(this.folder, 'chain'),
        ...more,
      },
      (level, text) => this.said.push(`${level} ${text}`),
      ENGINE,
    )
    this.#running.push(ship)
    return ship
  }

  async rows(ship: ShipThread, sql: string): Promise<readonly Record<string, unknown>[]> {
    return ship.store.question((reader) => reader.query({ sql }))
  }

  async close(): Promise<void> {
    for (const part of this.#running.reverse()) {
      if ('attach' in part) await part.stop(0)
      else closeQuietly(part)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A recorder whose spool was made to fail says so once more when it is closed. */
function closeQuietly(recorder: Recorder): void {
  try {
    recorder.close()
  } catch {
    // The test has seen it.
  }
}

/**
 * Somebody waits for its engine from here on, as an auditor would: beside other tests that need the machine, an engine that
 * nobody waits for gets next to nothing of it.
 */
export function waitFor(ship: ShipThread): void {
  ship.store.question(() => new Promise<never>(() => {})).catch(() => {})
}

/** Until it holds, asked every 50 ms; throws after `ms`. */
export async function until(holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<number> {
  const start = performance.now()
  for (;;) {
    try {
      if (await holds()) return performance.now() - start
    } catch (error) {
      if (performance.now() - start > ms) throw error
    }
    if (performance.now() - start > ms) throw new Error(`not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
