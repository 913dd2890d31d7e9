/**
 * Not a test: a record in the real engine that is attacked, each time on a copy of its tables, and judged by the verifier as
 * `sluice audit verify` uses it and by the same file as a program, which must agree.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import type { Recorder } from '../../src/record/event.ts'
import { Evidence, type OwnChain } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { facts, OUTCOME, type Place, SHAPE, TIMES, waitFor } from '../record/running.ts'

const VERIFIER = fileURLToPath(new URL('../../src/replay/verifier.mjs', import.meta.url))
export const TABLES = ['events', 'chains', 'chain_leaves', 'chain_keys', 'sealed', 'sealed_keys']

export const ALL: EvidenceScope = { type: 'range', since: 0 }

export interface Attack {
  readonly scope?: EvidenceScope
  readonly anchors?: readonly object[]
  /** What the gateway itself still knows; default all that it signed. */
  readonly log?: OwnChain
}

interface HeadRow {
  readonly size: number
  readonly number: number
  readonly text: string
  readonly signature: string
}

/** A session of so many actions, in the spool when this returns. */
export function record(at: Place, recorder: Recorder, actions: number, ends = true): string {
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  for (let i = 0; i < actions; i++) {
    const payload = Buffer.from([0xff, 0x00, i])
    session.outcome(shape, session.action(shape, TIMES), { ...OUTCOME, payload })
  }
  if (ends) session.moment({ kind: 'close', status: 'client', text: '' })
  recorder.flush()
  return session.sessionId
}

export class Attacks {
  readonly #at: Place
  readonly ship: ShipThread
  readonly admin: ClickHouse
  #copies = 0
  /** The head that the gateway itself remembers. */
  known: object | undefined

  private constructor(at: Place, ship: ShipThread, admin: ClickHouse) {
    this.#at = at
    this.ship = ship
    this.admin = admin
  }

  static async on(at: Place, ship = at.ship()): Promise<Attacks> {
    waitFor(ship)
    return new Attacks(at, ship, await ship.store.ready())
  }

  /** The log of the gateway as it is now. */
  get own(): OwnChain {
    const { chain } = this.ship
    const leaves = (from: number, to: number) => chain.leaves(from, to)
    return { id: chain.id, size: chain.head?.size ?? 0, leaves, settle: () => Promise.resolve() }
  }

  /** One that knows nothing: the gateway's disk is lost, or is in the attacker's hands. */
  get silent(): OwnChain {
    return { ...this.own, size: 0, leaves: () => new Map() }
  }

  async heads(): Promise<readonly HeadRow[]> {
    await this.ship.copyChain()
    const rows = await this.#at.rows(
      this.ship,
      'SELECT DISTINCT number, size, text, signature FROM chains ORDER BY number',
    )
    return rows as never
  }

  /** The newest head is what the gateway knows from now on. */
  async remember(): Promise<void> {
    const last = (await this.heads()).at(-1)!
    this.known = { source: 'gateway', text: last.text, signature: last.signature }
  }

  /** Verifies a copy of the record after the statements were run on it. */
  async after(
    statements: readonly string[],
    { scope = ALL, ...attack }: Attack = {},
  ): Promise<Report> {
    return (await this.each(statements, [scope], attack))[0]!
  }

  /** The same copy, in several scopes. */
  async each(
    statements: readonly string[],
    scopes: readonly EvidenceScope[],
    { anchors = [], log = this.own }: Attack = {},
  ): Promise<Report[]> {
    const database = `copy${++this.#copies}`
    const { admin } = this
    await admin.command({ sql: `CREATE DATABASE ${database}` })
    for (const table of TABLES) {
      await admin.command({ sql: `CREATE TABLE ${database}.${table} AS sluice.${table}` })
      await admin.command({ sql: `INSERT INTO ${database}.${table} SELECT * FROM sluice.${table}` })
    }
    const client = this.reader(database)
    const reports: Report[] = []
    try {
      for (const sql of statements) await client.command({ sql, settings: { mutations_sync: 2 } })
      for (const scope of scopes)
        reports.push(
          this.judge(await this.lines(new Evidence(client, database, log), scope), anchors),
        )
      return reports
    } finally {
      await client.close()
      await admin.command({ sql: `DROP DATABASE ${database}` })
    }
  }

  reader(database = 'sluice'): ClickHouse {
    const socket = join(this.#at.folder, 'clickhouse', 'http.sock')
    return openClickHouse({ socket }, database)
  }

  async lines(evidence: Evidence, scope: EvidenceScope): Promise<object[]> {
    let page = await evidence.begin(scope, Date.now() * 1000)
    const known = scope.type === 'range' && this.known !== undefined ? [this.known] : []
    const found: object[] = [...page.lines, { known }]
    while (page.next !== undefined) {
      page = await evidence.next(page.next)
      found.push(...page.lines)
    }
    return found
  }

  /** By both verifiers. */
  judge(found: readonly object[], anchors: readonly object[] = []): Report {
    const verifier = new Verifier({ anchors })
    for (const line of found) verifier.line(JSON.parse(JSON.stringify(line)))
    const report = verifier.finish()
    const file = join(this.#at.folder, 'evidence.ndjson')
    writeFileSync(file, found.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const anchor = join(this.#at.folder, 'anchor.ndjson')
    writeFileSync(anchor, anchors.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const words = [VERIFIER, file, '--anchor', anchor, '--json']
    let text: string
    try {
      text = execFileSync(process.execPath, words, { encoding: 'utf8' })
    } catch (error) {
      const { stdout, status } = error as { stdout: string; status: number }
      expect(status).toBe(1)
      expect(report.status).not.toBe('intact')
      text = stdout
    }
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(report)))
    return report
  }
}
