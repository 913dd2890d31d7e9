/**
 * Sealed originals from the mask to the recipient, over the real engine: what a session's masks replaced is written before
 * anything else, stands in the store once, and opens for a recipient with an approval, and for nobody without either.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import type { Caller } from '../../src/control/api/route.ts'
import { releaseSealed, type SealedSession } from '../../src/control/release.ts'
import { Seals } from '../../src/control/seals.ts'
import { approveUnseal, type UnsealApproval } from '../../src/decide/unseal.ts'
import { newIdentity } from '../../src/record/age.ts'
import type { ClickHouse } from '../../src/record/clickhouse.ts'
import { Evidence } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { SealedRecorder } from '../../src/record/sealed-recorder.ts'
import type { Sealer } from '../../src/record/sealer.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { sealedBatches, sealedKey } from '../../src/replay/sealed.ts'
import { type Release, unseal } from '../../src/replay/unseal.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { IDENTITY } from '../lib/identity.ts'
import { facts, Place, until } from '../record/running.ts'

const at = new Place()
const seal = join(at.folder, 'seal')
const [ann, bob] = [await newIdentity(), await newIdentity()]
let seals: Seals
let ship: ShipThread
let store: ClickHouse
const recorded: string[] = []
const used = new Set<string>()

beforeAll(async () => {
  seals = new Seals(seal, [ann.recipient, bob.recipient], Date.now)
  ship = at.ship()
  store = await ship.store.reader()
}, 60_000)

afterAll(() => at.close())

/** A session that masks replace `values` in, one turn each; closed. */
async function sealed(values: readonly string[], thread: number): Promise<string> {
  const recorder = at.recorder({ thread })
  const sealing = sealingOf(recorder, thread)
  const key = await seals.keyFor(`S${thread}-${randomBytes(4).toString('hex')}`)
  const recording = recorder.open(facts(at.instance, { sessionId: key.session }))
  const sealer = sealing.open(key, recording)
  for (const [row, value] of values.entries()) {
    put(sealer, row, value)
    expect(sealing.pending).toBe(true)
    sealing.flush()
  }
  put(sealer, values.length, 'the last one')
  sealing.finish(sealer)
  recording.moment({ kind: 'close', status: 'client closed', text: '' })
  sealing.flush()
  sealing.close()
  recorder.close()
  await until(
    async () => (await rows(`events WHERE session_id = '${key.session}' AND kind = 'close'`)) > 0,
  )
  await until(async () => (await rows(`sealed WHERE session_id = '${key.session}'`)) > 0)
  return key.session
}

function sealingOf(recorder: ReturnType<Place['recorder']>, thread: number): SealedRecorder {
  return new SealedRecorder({
    recorder,
    clock,
    spoolFolder: at.spool,
    instance: at.instance,
    thread,
    bytesMax: 1e9,
    strict: false,
    actionBytesMax: 1 << 20,
  })
}

function put(sealer: Sealer, row: number, value: string): void {
  sealer.begin(1, row)
  sealer.row += 1
  sealer.value('text', { column: 0, name: 'public.users.ssn', by: 'column' }, Buffer.from(value))
}

async function rows(what: string): Promise<number> {
  const [found] = await store.query({ sql: `SELECT count() AS n FROM sluice.${what}` })
  return Number(found?.n)
}

async function stored(session: string): Promise<SealedSession> {
  const [key] = await store.query(sealedKey(session))
  const batches = await store.query(sealedBatches(session))
  return {
    key: key && {
      keyId: String(key.key_id),
      wrapped: Buffer.from(String(key.wrapped), 'base64'),
    },
    batches: batches as unknown as Release['batches'],
  }
}

function approval(session: string, request = `req_${session}`): UnsealApproval {
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

const caller = {
  ...{ name: 'ann', credentialId: 'c', address: '127.0.0.1', api: ['auditor'] },
  identity: { ...IDENTITY, subject: 'ann' },
} as Caller

function release(session: string, by = approval(session), from = seals): Promise<Release> {
  return releaseSealed(caller, by, session, {
    seals: from,
    sealed: stored,
    record: (who, { status, text }) => recorded.push(`${who.name} ${status} ${text}`),
    use: (request) => Promise.resolve(!used.has(request) && used.add(request) !== undefined),
    now: Date.now,
  })
}

describe('with an approval and an identity', () => {
  test('each recipient reads what was replaced, in order; the use is recorded', async () => {
    const session = await sealed(['123-45-6789', '987-65-4321'], 1)
    const given = await release(session)
    expect(recorded.at(-1)).toContain(`ann unsealed {"session":"${session}"`)
    expect(recorded.at(-1)).toContain('"approvers":["bob"]')
    for (const { identity } of [ann, bob]) {
      const { values, findings } = await unseal(given, identity)
      expect(findings).toEqual([])
      expect(values.map(({ row, value }) => `${row} ${value}`)).toEqual([
        '1 123-45-6789',
        '2 987-65-4321',
        '3 the last one',
      ])
    }
    // The close is the last event, behind the last batch.
    const [last] = await store.query({
      sql: `SELECT argMax(kind, seq) AS last, countIf(kind = 'sealed') AS n FROM sluice.events WHERE session_id = '${session}'`,
    })
    expect(last).toEqual({ last: 'close', n: 3 })
  })

  test('nothing of a value is in the store or the spool in clear', async () => {
    await sealed(['a-very-secret-value'], 2)
    for (const table of ['sealed', 'sealed_keys', 'events'])
      expect(await rows(`${table} WHERE toString(tuple(*)) LIKE '%very-secret%'`)).toBe(0)
    expect(readdirSync(join(at.spool, 'sealed')).filter((name) => !name.endsWith('.seg'))).toEqual(
      [],
    )
  })

  test('an approval is good once', async () => {
    const session = await sealed(['x'], 3)
    const by = approval(session)
    await release(session, by)
    await expect(release(session, by)).rejects.toThrow(/used already/)
  })

  test('what cannot be recorded is not released', async () => {
    const session = await sealed(['x'], 4)
    let released = 0
    const parts = {
      seals: {
        release: () => {
          released++
          return Buffer.alloc(0)
        },
      },
      sealed: stored,
      record: () => {
        throw new Error('full')
      },
      use: () => Promise.resolve(true),
      now: Date.now,
    }
    await expect(releaseSealed(caller, approval(session), session, parts)).rejects.toThrow('full')
    expect(released).toBe(0)
  })
})

describe('without one of them', () => {
  test('the record store and an identity do not suffice', async () => {
    const session = await sealed(['x'], 5)
    const { key, batches } = await stored(session)
    const stolen: Release = {
      ...{ sluice: 'release', version: 1, session, request: '', approvers: [], batches },
      key: Buffer.from(key!.wrapped).toString('base64'),
    }
    await expect(unseal(stolen, ann.identity)).rejects.toThrow()
  })

  test('the gateway, with its keys and the store, does not either', async () => {
    const session = await sealed(['x'], 6)
    const given = await release(session)
    const eve = await newIdentity()
    await expect(unseal(given, eve.identity)).rejects.toThrow()
  })

  test('another session’s approval, another person and the operator are refused', async () => {
    const [one, other] = [await sealed(['x'], 7), await sealed(['y'], 8)]
    await expect(release(one, approval(other))).rejects.toThrow(/another session/)
    const eve = { ...caller, identity: { ...IDENTITY, subject: 'eve' } } as Caller
    const operator = { ...caller, identity: undefined } as Caller
    const parts = {
      seals,
      sealed: stored,
      record: () => {},
      use: () => Promise.resolve(true),
      now: Date.now,
    }
    await expect(releaseSealed(eve, approval(one), one, parts)).rejects.toThrow(/somebody else/)
    await expect(releaseSealed(operator, approval(one), one, parts)).rejects.toThrow(/operator/)
  })

  test('a key put in another session’s place does not come off', async () => {
    const [one, other] = [await sealed(['x'], 9), await sealed(['y'], 10)]
    const { key } = await stored(one)
    expect(() => seals.release(other, key!.wrapped, key!.keyId)).toThrow(/changed/)
    const changed = Buffer.from(key!.wrapped)
    changed[20]! ^= 1
    expect(() => seals.release(one, changed, key!.keyId)).toThrow(/changed/)
  })
})

describe('attacks on what is stored', () => {
  test('a batch that is changed, swapped, or deleted shows', async () => {
    const session = await sealed(['one', 'two'], 11)
    const given = await release(session)
    const [first, second, third] = given.batches
    const among = (batches: Release['batches']) => unseal({ ...given, batches }, ann.identity)
    const bytes = Buffer.from(first!.ciphertext, 'base64')
    bytes[0]! ^= 1
    const changed = await among([{ ...first!, ciphertext: bytes.toString('base64') }, second!])
    expect(changed.findings.map(({ say }) => say)).toEqual([
      'batch 1 is not the one that was recorded',
      expect.stringContaining('batch 1 does not open'),
    ])
    expect(changed.values.map(({ value }) => `${value}`)).toEqual(['two'])
    const swapped = await among([{ ...first!, ciphertext: third!.ciphertext }])
    expect(swapped.findings.length).toBe(2)
    const added = await among([...given.batches, { ...third!, batch: 4, sha256: '' }])
    expect(added.findings[0]?.say).toContain('in no event of the record')
  })

  test('without its wrapped key a session is unreadable for ever: crypto-shredding', async () => {
    const session = await sealed(['x'], 12)
    await store.command({
      sql: `ALTER TABLE sluice.sealed_keys DELETE WHERE session_id = '${session}'`,
      settings: { mutations_sync: 2 },
    })
    await expect(release(session)).rejects.toThrow(/erased/)
  })
})

describe('what verify says of sealed originals', () => {
  async function verified(scope: EvidenceScope): Promise<Report> {
    await ship.copyChain()
    const { chain } = ship
    const own = {
      id: chain.id,
      size: chain.head?.size ?? 0,
      leaves: (from: number, to: number) => chain.leaves(from, to),
      settle: () => Promise.resolve(),
    }
    const evidence = new Evidence(store, 'sluice', own)
    const verifier = new Verifier()
    let page = await evidence.begin(scope, Date.now() * 1000)
    for (;;) {
      for (const line of page.lines) verifier.line(JSON.parse(JSON.stringify(line)))
      if (page.next === undefined) return verifier.finish()
      page = await evidence.next(page.next)
    }
  }

  async function change(sql: string): Promise<void> {
    await store.command({ sql: `ALTER TABLE sluice.${sql}`, settings: { mutations_sync: 2 } })
  }

  test('a batch that is deleted or changed is named, in a session and in a range', async () => {
    const session = await sealed(['one', 'two'], 16)
    const scope = { type: 'session', session } as const
    expect(await verified(scope)).toMatchObject({ status: 'intact', findings: [] })
    await change(`sealed DELETE WHERE session_id = '${session}' AND batch = 2`)
    const deleted = await verified(scope)
    expect(deleted.status).toBe('broken')
    expect(deleted.findings).toMatchObject([{ kind: 'missing', session, first: 2 }])
    expect(deleted.findings[0]!.say).toContain('sealed originals')
    await change(
      `sealed UPDATE ciphertext = concat(ciphertext, 'x') WHERE session_id = '${session}' AND batch = 1`,
    )
    const range = await verified({ type: 'range', since: 0 })
    expect(range.findings.filter((one) => one.session === session)).toMatchObject([
      { kind: 'changed', session, first: 1 },
      { kind: 'missing', session, first: 2 },
    ])
  }, 30_000)
})

describe('the keys of the gateway', () => {
  test('rotate: what the old one wraps still opens, and new sessions have the new one', async () => {
    const old = await sealed(['before'], 13)
    seals.rotate()
    const young = await sealed(['after'], 14)
    const ids = [(await stored(old)).key!.keyId, (await stored(young)).key!.keyId]
    expect(new Set(ids).size).toBe(2)
    // After a new start likewise.
    const again = new Seals(seal, [], Date.now)
    for (const session of [old, young]) {
      const { values } = await unseal(
        await release(session, approval(session, `r${session}`), again),
        bob.identity,
      )
      expect(values).toHaveLength(2)
    }
  })

  test('a key that is gone is named; a damaged one stops the start', async () => {
    const session = await sealed(['x'], 15)
    const { keyId } = (await stored(session)).key!
    const elsewhere = join(at.folder, 'other-seal')
    const other = new Seals(elsewhere, [], Date.now)
    await expect(release(session, approval(session), other)).rejects.toThrow(keyId)
    const [name] = readdirSync(elsewhere)
    writeFileSync(join(elsewhere, name!), 'short')
    expect(() => new Seals(elsewhere, [], Date.now)).toThrow(/damaged/)
  })
})

describe('the spool of sealed originals', () => {
  test('that cannot be written lets nothing go, and loses nothing', async () => {
    const recorder = at.recorder({ thread: 20 })
    const sealing = sealingOf(recorder, 20)
    const key = await seals.keyFor('S20')
    const recording = recorder.open(facts(at.instance, { sessionId: 'S20' }))
    const sealer = sealing.open(key, recording)
    const folder = join(at.spool, 'sealed')
    renameSync(folder, `${folder}.away`)
    writeFileSync(folder, '')
    try {
      put(sealer, 0, 'first')
      expect(() => sealing.flush()).toThrow(/sealed/)
      expect(sealing.pending).toBe(true)
      put(sealer, 1, 'second')
      expect(() => sealing.flush()).toThrow(/sealed/)
      // Not an event that would speak of what is not there.
      expect(recorder.pending).toBe(false)
    } finally {
      renameSync(folder, `${folder}.file`)
      renameSync(`${folder}.away`, folder)
    }
    sealing.flush()
    sealing.finish(sealer)
    recording.moment({ kind: 'close', status: '', text: '' })
    sealing.flush()
    sealing.close()
    recorder.close()
    await until(async () => (await rows("sealed WHERE session_id = 'S20'")) === 2)
    await until(async () => (await rows("events WHERE session_id = 'S20'")) === 3)
    const { values, findings } = await unseal(await release('S20'), ann.identity)
    expect(findings).toEqual([])
    expect(values.map(({ value }) => `${value}`)).toEqual(['first', 'second'])
  })

  test('what a killed run left is shipped once by the next, a torn end cut off', async () => {
    const folder = join(at.spool, 'sealed')
    mkdirSync(folder, { recursive: true })
    const former = '01AAAAAAAAAAAAAAAAAAAAAAAA'
    const place = new Place()
    const recorder = place.recorder({ thread: 21 })
    const sealing = new SealedRecorder({
      ...{ recorder, clock, spoolFolder: place.spool, instance: former, thread: 21 },
      ...{ bytesMax: 1e9, strict: true, actionBytesMax: 1 << 20 },
    })
    const key = await seals.keyFor('S21')
    const recording = recorder.open(facts(place.instance, { sessionId: 'S21' }))
    put(sealing.open(key, recording), 0, 'before the kill')
    sealing.flush()
    // As a kill leaves it: still open, and half a record behind it.
    const [name] = readdirSync(join(place.spool, 'sealed'))
    writeFileSync(join(place.spool, 'sealed', name!), Buffer.from([0, 0, 1, 0, 9]), { flag: 'a' })
    const next = place.ship()
    const reader = await next.store.reader()
    const count = async () =>
      Number((await reader.query({ sql: 'SELECT count() AS n FROM sluice.sealed' }))[0]?.n)
    await until(async () => (await count()) === 1)
    // The segment goes once its rows were counted.
    await until(() => readdirSync(join(place.spool, 'sealed')).length === 0)
    expect(place.said.filter((line) => line.includes('.bad'))).toEqual([])
    await place.close()
  }, 30_000)
})
