import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { openState, type State } from '../../src/control/state/state.ts'
import { Tokens } from '../../src/control/state/tokens.ts'
import type { TokenRecord } from '../../src/identify/token.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-state-'))
let state: State

beforeAll(async () => {
  state = await openState(join(folder, 'state'))
})

afterAll(async () => {
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

function record(more: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: ulid(),
    secretHash: new Uint8Array(32).fill(3),
    subject: "o'brien; drop table tokens",
    kind: 'human',
    groups: ['a', 'b,"c'],
    roles: undefined,
    connections: [],
    owner: '',
    job: '',
    run: '',
    agent: '',
    from: undefined,
    expiresAt: 1_800_000_000_000,
    issuedBy: 'operator',
    createdAt: 1_700_000_000_123,
    revokedAt: undefined,
    ...more,
  }
}

describe('the state database', () => {
  test('gives a token back as it was put in, null and empty kept apart', async () => {
    const tokens = new Tokens(state)
    const plain = record()
    const full = record({ roles: ['r'], connections: undefined, from: '10.0.0.0/8', job: 'j' })
    for (const one of [plain, full]) {
      await tokens.insert(one)
      expect(await tokens.find(one.id)).toEqual(one)
    }
    expect(await tokens.find(ulid())).toBeUndefined()
    expect(await tokens.find('')).toBeUndefined()
  })

  test('a revoked token is revoked at once, kept in memory or not', async () => {
    const tokens = new Tokens(state)
    const one = record()
    await tokens.insert(one)
    await tokens.find(one.id)
    const [, found] = await Promise.all([tokens.revoke(one.id, 5000), tokens.find(one.id)])
    void found
    expect((await tokens.find(one.id))?.revokedAt).toBe(5000)
    expect(await tokens.revoke(one.id, 9000)).toBe(true)
    expect((await tokens.find(one.id))?.revokedAt).toBe(5000)
    expect(await tokens.revoke(ulid(), 1)).toBe(false)
  })

  test('lists newest first, page by page, each token once', async () => {
    const tokens = new Tokens(state)
    for (let at = 0; at < 5; at++) await tokens.insert(record({ id: ulid(9_000_000_000_000 + at) }))
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await tokens.list({ after, limit: 2 })
      seen.push(...page.tokens.map((one) => one.id))
      after = page.next
    } while (after !== undefined)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual([...seen].sort().reverse())
  })

  test('survives a restart, and refuses to open what a newer gateway made', async () => {
    const one = record()
    await new Tokens(state).insert(one)
    await state.close()
    state = await openState(join(folder, 'state'))
    expect(await new Tokens(state).find(one.id)).toEqual(one)
    await state.query('insert into migrations (number, name) values ($1, $2)', [9999, 'later'])
    await state.close()
    await expect(openState(join(folder, 'state'))).rejects.toMatchObject({
      code: 'GW_UNAVAILABLE',
      message: expect.stringContaining('migration 9999 is newer'),
    })
    // What a crash left half-made is thrown away, not opened.
    const other = join(folder, 'other')
    mkdirSync(`${other}.new`)
    writeFileSync(join(`${other}.new`, 'PG_VERSION'), 'nonsense')
    state = await openState(other)
    expect(statSync(other).mode & 0o077).toBe(0)
  })
})
