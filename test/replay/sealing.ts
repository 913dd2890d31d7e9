/**
 * Not a test: sessions whose masks replaced values, over the real engine, with the originals sealed for two recipients; and
 * what it takes to open them.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { clock } from '../../src/base/clock.ts'
import type { Caller } from '../../src/control/api/route.ts'
import { releaseSealed, type SealedSession } from '../../src/control/release.ts'
import { Seals } from '../../src/control/seals.ts'
import { approveUnseal, type UnsealApproval } from '../../src/decide/unseal.ts'
import { newIdentity } from '../../src/record/age.ts'
import type { ClickHouse } from '../../src/record/clickhouse.ts'
import { SealedRecorder, type SealedRecorderOptions } from '../../src/record/sealed-recorder.ts'
import type { Sealer } from '../../src/record/sealer.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { sealedBatches, sealedKey } from '../../src/replay/sealed.ts'
import type { Release } from '../../src/replay/unseal.ts'
import { IDENTITY } from '../lib/identity.ts'
import { facts, Place, until, waitFor } from '../record/running.ts'

export const [ANN, BOB] = [await newIdentity(), await newIdentity()]

export const CALLER = {
  ...{ name: 'ann', credentialId: 'c', address: '127.0.0.1', api: ['auditor'] },
  identity: { ...IDENTITY, subject: 'ann' },
} as Caller

export class Sealing {
  readonly at = new Place()
  readonly folder = join(this.at.folder, 'seal')
  readonly seals = new Seals(this.folder, [ANN.recipient, BOB.recipient], Date.now)
  /** What releases were recorded as. */
  readonly recorded: string[] = []
  readonly #used = new Set<string>()
  ship!: ShipThread
  store!: ClickHouse

  static async start(): Promise<Sealing> {
    const sealing = new Sealing()
    sealing.ship = sealing.at.ship()
    waitFor(sealing.ship)
    sealing.store = await sealing.ship.store.reader()
    return sealing
  }

  /** A session that masks replace `values` in, one turn each, and one more value at its end; closed, and in the store. */
  async session(values: readonly string[], thread: number, ends = true): Promise<string> {
    const recorder = this.at.recorder({ thread })
    const sealing = this.recorder(recorder, thread)
    const key = await this.seals.keyFor(`S${thread}-${randomBytes(4).toString('hex')}`)
    const recording = recorder.open(facts(this.at.instance, { sessionId: key.session }))
    const sealer = sealing.open(key, recording)
    for (const [row, value] of values.entries()) {
      put(sealer, row, value)
      if (!sealing.pending) throw new Error('a value that was replaced is not pending')
      sealing.flush()
    }
    put(sealer, values.length, 'the last one')
    sealing.finish(sealer)
    const last = { status: 'client closed', text: '' }
    recording.moment(ends ? { kind: 'close', ...last } : { kind: 'notice', ...last })
    sealing.flush()
    sealing.close()
    recorder.close()
    const of = `session_id = '${key.session}'`
    await until(
      async () => (await this.rows(`events WHERE ${of} AND kind IN ('close', 'notice')`)) > 0,
    )
    await until(async () => (await this.rows(`sealed WHERE ${of}`)) > values.length)
    return key.session
  }

  recorder(
    recorder: ReturnType<Place['recorder']>,
    thread: number,
    more: Partial<SealedRecorderOptions> = {},
  ): SealedRecorder {
    return new SealedRecorder({
      recorder,
      clock,
      spoolFolder: this.at.spool,
      instance: this.at.instance,
      thread,
      bytesMax: 1e9,
      strict: false,
      actionBytesMax: 1 << 20,
      ...more,
    })
  }

  async rows(what: string): Promise<number> {
    const [found] = await this.store.query({ sql: `SELECT count() AS n FROM sluice.${what}` })
    return Number(found?.n)
  }

  readonly stored = async (session: string): Promise<SealedSession> => {
    const [key] = await this.store.query(sealedKey(session))
    const batches = await this.store.query(sealedBatches(session))
    return {
      key: key && {
        keyId: String(key.key_id),
        wrapped: Buffer.from(String(key.wrapped), 'base64'),
      },
      batches: batches as unknown as Release['batches'],
    }
  }

  release(session: string, by = approval(session), from = this.seals): Promise<Release> {
    return releaseSealed(CALLER, by, session, {
      seals: from,
      sealed: this.stored,
      record: (who, { status, text }) => this.recorded.push(`${who.name} ${status} ${text}`),
      use: (request) =>
        Promise.resolve(!this.#used.has(request) && this.#used.add(request) !== undefined),
      now: Date.now,
    })
  }

  close(): Promise<void> {
    return this.at.close()
  }
}

export function put(sealer: Sealer, row: number, value: string): void {
  sealer.begin(1, row)
  sealer.row += 1
  sealer.value('text', { column: 0, name: 'public.users.ssn', by: 'column' }, Buffer.from(value))
}

export function approval(session: string, request = `req_${session}`): UnsealApproval {
  const made = approveUnseal(
    {
      ...{ request, session, quorum: 1, expiresAt: Date.now() + 60_000 },
      asker: { subject: 'ann', kind: 'human' },
      approvers: [{ subject: 'bob', kind: 'human' }],
    },
    Date.now(),
  )
  if (typeof made === 'string') throw new Error(made)
  return made
}
