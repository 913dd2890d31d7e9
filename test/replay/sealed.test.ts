/**
 * Sealed originals from the mask to the recipient, over the real engine: what a session's masks replaced is written before
 * anything else, stands in the store once, and opens for a recipient with an approval, and for nobody without either.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../../src/control/api/route.ts'
import { releaseSealed } from '../../src/control/release.ts'
import { Seals } from '../../src/control/seals.ts'
import { newIdentity } from '../../src/record/age.ts'
import { Evidence } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { type Release, unseal } from '../../src/replay/unseal.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { IDENTITY } from '../lib/identity.ts'
import { ANN, approval, BOB, CALLER, Sealing } from './sealing.ts'

let sealing: Sealing

beforeAll(async () => {
  sealing = await Sealing.start()
}, 180_000)

afterAll(() => sealing.close())

const sealed = (values: readonly string[], thread: number) => sealing.session(values, thread)
const rows = (what: string) => sealing.rows(what)
const stored = (session: string) => sealing.stored(session)
const release: Sealing['release'] = (...given) => sealing.release(...given)

describe('with an approval and an identity', () => {
  test('each recipient reads what was replaced, in order; the use is recorded', async () => {
    const session = await sealed(['123-45-6789', '987-65-4321'], 1)
    const given = await release(session)
    expect(sealing.recorded.at(-1)).toContain(`ann unsealed {"session":"${session}"`)
    expect(sealing.recorded.at(-1)).toContain('"approvers":["bob"]')
    for (const { identity } of [ANN, BOB]) {
      const { values, findings } = await unseal(given, identity)
      expect(findings).toEqual([])
      expect(values.map(({ row, value }) => `${row} ${value}`)).toEqual([
        '1 123-45-6789',
        '2 987-65-4321',
        '3 the last one',
      ])
    }
    // The close is the last event, behind the last batch.
    const [last] = await sealing.store.query({
      sql: `SELECT argMax(kind, seq) AS last, countIf(kind = 'sealed') AS n FROM sluice.events WHERE session_id = '${session}'`,
    })
    expect(last).toEqual({ last: 'close', n: 3 })
  })

  test('nothing of a value is in the store or the spool in clear', async () => {
    await sealed(['a-very-secret-value'], 2)
    for (const table of ['sealed', 'sealed_keys', 'events'])
      expect(await rows(`${table} WHERE toString(tuple(*)) LIKE '%very-secret%'`)).toBe(0)
    expect(
      readdirSync(join(sealing.at.spool, 'sealed')).filter((name) => !name.endsWith('.seg')),
    ).toEqual([])
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
    await expect(releaseSealed(CALLER, approval(session), session, parts)).rejects.toThrow('full')
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
    await expect(unseal(stolen, ANN.identity)).rejects.toThrow()
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
    const eve = { ...CALLER, identity: { ...IDENTITY, subject: 'eve' } } as Caller
    const operator = { ...CALLER, identity: undefined } as Caller
    const parts = {
      seals: sealing.seals,
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
    expect(() => sealing.seals.release(other, key!.wrapped, key!.keyId)).toThrow(/changed/)
    const changed = Buffer.from(key!.wrapped)
    changed[20]! ^= 1
    expect(() => sealing.seals.release(one, changed, key!.keyId)).toThrow(/changed/)
  })
})

describe('attacks on what is stored', () => {
  test('a batch that is changed, swapped, or deleted shows', async () => {
    const session = await sealed(['one', 'two'], 11)
    const given = await release(session)
    const [first, second, third] = given.batches
    const among = (batches: Release['batches']) => unseal({ ...given, batches }, ANN.identity)
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
    await sealing.store.command({
      sql: `ALTER TABLE sluice.sealed_keys DELETE WHERE session_id = '${session}'`,
      settings: { mutations_sync: 2 },
    })
    await expect(release(session)).rejects.toThrow(/erased/)
  })
})

describe('what verify says of sealed originals', () => {
  async function verified(scope: EvidenceScope): Promise<Report> {
    await sealing.ship.copyChain()
    const { chain } = sealing.ship
    const own = {
      id: chain.id,
      size: chain.head?.size ?? 0,
      leaves: (from: number, to: number) => chain.leaves(from, to),
      settle: () => Promise.resolve(),
    }
    const evidence = new Evidence(sealing.store, 'sluice', own)
    const verifier = new Verifier()
    let page = await evidence.begin(scope, Date.now() * 1000)
    for (;;) {
      for (const line of page.lines) verifier.line(JSON.parse(JSON.stringify(line)))
      if (page.next === undefined) return verifier.finish()
      page = await evidence.next(page.next)
    }
  }

  async function change(sql: string): Promise<void> {
    await sealing.store.command({
      sql: `ALTER TABLE sluice.${sql}`,
      settings: { mutations_sync: 2 },
    })
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
  }, 180_000)
})

describe('the keys of the gateway', () => {
  test('rotate: what the old one wraps still opens, and new sessions have the new one', async () => {
    const old = await sealed(['before'], 13)
    sealing.seals.rotate()
    const young = await sealed(['after'], 14)
    const ids = [(await stored(old)).key!.keyId, (await stored(young)).key!.keyId]
    expect(new Set(ids).size).toBe(2)
    // After a new start likewise.
    const again = new Seals(sealing.folder, [], Date.now)
    for (const session of [old, young]) {
      const { values } = await unseal(
        await release(session, approval(session, `r${session}`), again),
        BOB.identity,
      )
      expect(values).toHaveLength(2)
    }
  })

  test('a key that is gone is named; a damaged one stops the start', async () => {
    const session = await sealed(['x'], 15)
    const { keyId } = (await stored(session)).key!
    const elsewhere = join(sealing.at.folder, 'other-seal')
    const other = new Seals(elsewhere, [], Date.now)
    await expect(release(session, approval(session), other)).rejects.toThrow(keyId)
    const [name] = readdirSync(elsewhere)
    writeFileSync(join(elsewhere, name!), 'short')
    expect(() => new Seals(elsewhere, [], Date.now)).toThrow(/damaged/)
  })
})
