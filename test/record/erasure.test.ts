/**
 * Erasure on the real engine, judged by the verifier: with it a record is intact, and whatever looks like it without being signed
 * is not.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { Erasure } from '../../src/record/erasure.ts'
import { TABLES, type World, WorldStore } from './worlds.ts'

let store: WorldStore

beforeAll(async () => {
  store = await WorldStore.start()
}, 180_000)

afterEach(() => store.end())

afterAll(() => store.close())

const world = () => store.world()
const change = (table: string, what: string) => store.change(table, what)

describe('erasure', () => {
  const inLog = (one: World, session: string) =>
    readdirSync(join(one.folder, 'chain', one.chain.id))
      .filter((name) => name.endsWith('ndjson'))
      .flatMap((name) =>
        readFileSync(join(one.folder, 'chain', one.chain.id, name), 'utf8').split('\n'),
      )
      .filter((line) => line.includes(session))
      .map((line) => JSON.parse(line).salt)

  test('of a subject: contents and salt are gone, the chain is whole, and it is said who did it', async () => {
    const one = world()
    const sessions = [await one.session({ subject: 'eve' }), await one.session({ subject: 'eve' })]
    const other = await one.session({ subject: 'adam' })
    const found = await one.erase({ kind: 'subject', name: 'eve' }, { by: 'officer' })
    expect(found).toMatchObject({ sessions: 2, events: 6, held: 0, changed: [] })
    const later = await one.session({ subject: 'eve' })
    expect(
      await one.count(
        "subject = 'eve' AND (statement != '' OR facts != '' OR notEmpty(params) OR payload != '')",
      ),
    ).toBe(2)
    expect(await one.count(`session_id = '${later}' AND payload = 'secret'`)).toBe(1)
    for (const session of sessions) expect(inLog(one, session)).toEqual([''])
    expect(inLog(one, other)).not.toEqual([''])
    const report = await one.verify()
    expect(report).toMatchObject({ status: 'intact', erased: 6, findings: [] })
    expect(report.erasures).toMatchObject([
      { by: 'officer', kind: 'subject', name: 'eve', reason: 'asked for', events: 6 },
    ])
    const single = await one.verify({ type: 'session', session: sessions[0]! })
    expect(single).toMatchObject({ status: 'intact', erased: 3, findings: [] })
    // Again is the same.
    await one.erase({ kind: 'subject', name: 'eve' })
    expect(await one.verify()).toMatchObject({ status: 'intact', erased: 9, findings: [] })
  }, 180_000)

  test('that nobody signed is tampering', async () => {
    const one = world()
    const session = await one.session({ subject: 'mallory' })
    await one.erase({ kind: 'session', name: session }, { silent: true })
    expect((await one.verify()).findings).toMatchObject([{ kind: 'erased', session }])
    const other = await one.session({ subject: 'mallory' })
    await change(
      'events',
      `UPDATE statement = '', facts = '', params = [], payload = '' WHERE session_id = '${other}'`,
    )
    expect((await one.verify()).findings).toMatchObject([
      { kind: 'erased', session },
      { kind: 'changed', session: other },
    ])
  }, 180_000)

  test('excuses nothing but what it erased', async () => {
    const one = world()
    const [subject, stranger] = [`s${ulid()}`, `t${ulid()}`]
    const erased = await one.session({ subject })
    const free = await one.session({ subject: stranger })
    await one.erase({ kind: 'subject', name: subject })
    const later = await one.session({ subject })
    expect((await one.verify()).findings).toEqual([])
    const blank = "statement = '', facts = '', params = [], payload = ''"
    // Facts of the event, another text in the place of none, another's contents under that name, and what came later.
    await change('events', `UPDATE rows = 999 WHERE session_id = '${erased}' AND kind = 'outcome'`)
    expect((await one.verify()).findings.map(({ kind }) => kind)).toContain('changed')
    await change(
      'events',
      `UPDATE rows = 3, payload = 'harmless' WHERE session_id = '${erased}' AND kind = 'outcome'`,
    )
    expect((await one.verify()).findings).toMatchObject([{ kind: 'erased', session: erased }])
    await change('events', `UPDATE payload = '' WHERE session_id = '${erased}'`)
    expect((await one.verify()).findings).toEqual([])
    await change('events', `UPDATE ${blank}, subject = '${subject}' WHERE session_id = '${free}'`)
    expect((await one.verify()).findings.map((found) => found.session)).toContain(free)
    await change('events', `UPDATE ${blank} WHERE session_id = '${later}'`)
    await change('chain_leaves', `UPDATE salt = '', hints = '' WHERE session_id = '${later}'`)
    const { findings } = await one.verify()
    expect(findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'erased', session: later })]),
    )
  }, 180_000)

  test('of one subject says nothing about originals of another', async () => {
    const one = world()
    const [subject, stranger] = [`s${ulid()}`, `t${ulid()}`]
    const text = JSON.stringify({ batch: 1, sha256: '00' })
    const gone = { kind: 'sealed', status: 'ok', text } as const
    const session = await one.session({ subject: stranger }, gone)
    await one.session({ subject })
    await one.erase({ kind: 'subject', name: subject })
    expect((await one.verify()).findings).toMatchObject([{ kind: 'missing', session }])
    await one.erase({ kind: 'subject', name: stranger })
    expect((await one.verify()).findings).toEqual([])
  }, 180_000)

  test('finds what somebody wants it to hide', async () => {
    const one = world()
    const session = await one.session({ subject: 'trudy' })
    await change(
      'events',
      `UPDATE payload = 'other' WHERE session_id = '${session}' AND kind = 'outcome'`,
    )
    const found = await new Erasure(store.reader, TABLES).look(
      { scope: { kind: 'session', name: session }, holds: [] },
      one.chain,
    )
    expect(found.changed).toEqual([session])
  }, 180_000)
})
