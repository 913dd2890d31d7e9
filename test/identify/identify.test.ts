import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { ulid } from '../../src/base/id.ts'
import { type IdentifyParts, identify, isOperatorToken } from '../../src/identify/identify.ts'
import { Lockout } from '../../src/identify/lockout.ts'
import { hashSecret, parseToken, type TokenRecord, tokenText } from '../../src/identify/token.ts'

const NOW = 1_800_000_000_000
const SECRET = new Uint8Array(32).fill(7)
const OTHER = new Uint8Array(32).fill(8)

/** A state of known tokens, and a clock that only waiting moves. */
function world(more: Partial<TokenRecord> = {}) {
  const id = ulid()
  const good = tokenText(id, SECRET)
  const record: TokenRecord = {
    id,
    secretHash: hashSecret(parseToken(good)!.secret),
    subject: 'ci',
    kind: 'workload',
    groups: ['g'],
    roles: undefined,
    connections: ['orders'],
    owner: 'ann',
    job: 'nightly',
    run: '7',
    agent: 'writer',
    from: undefined,
    expiresAt: NOW + 1000,
    issuedBy: 'operator',
    createdAt: NOW - 1000,
    revokedAt: undefined,
    ...more,
  }
  const clock = { elapsed: 0 }
  const lookups: string[] = []
  const parts: IdentifyParts = {
    find: async (wanted) => {
      lookups.push(wanted)
      return wanted === id ? record : undefined
    },
    lockout: new Lockout({ attemptsMax: 3, windowMs: 60_000, entriesMax: 100 }),
    now: () => NOW,
    elapsed: () => clock.elapsed,
    wait: async (ms) => {
      clock.elapsed += ms
    },
  }
  const attempt = async (credential: string, address = '10.1.2.3') => {
    const started = clock.elapsed
    try {
      return {
        identity: await identify({ credential, address }, parts),
        ms: clock.elapsed - started,
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return { code: error.code, message: error.message, ms: clock.elapsed - started }
    }
  }
  return { id, good, wrong: tokenText(id, OTHER), attempt, lookups }
}

describe('identify', () => {
  test('says who a right token is, at once', async () => {
    const { good, id, attempt } = world()
    expect(await attempt(good)).toEqual({
      ms: 0,
      identity: {
        subject: 'ci',
        kind: 'workload',
        issuer: 'gateway',
        groups: ['g'],
        rolesOnly: undefined,
        connectionsOnly: ['orders'],
        owner: 'ann',
        job: { id: 'nightly', run: '7', agent: 'writer', parentAgent: '', verified: true },
        credentialId: id,
        expiresAt: NOW + 1000,
      },
    })
  })

  test('answers everything that is wrong alike: one code, one look-up, one delay', async () => {
    const cases: [string, Partial<TokenRecord>, (w: ReturnType<typeof world>) => string][] = [
      ['a wrong secret', {}, (w) => w.wrong],
      ['an id that does not exist', {}, () => tokenText(ulid(), SECRET)],
      ['no token at all', {}, () => 'hunter2'],
      ['an empty password', {}, () => ''],
      ['a long text', {}, () => 'x'.repeat(16_384)],
      ['an expired token', { expiresAt: NOW }, (w) => w.good],
      ['an expiry that is no number', { expiresAt: Number.NaN }, (w) => w.good],
      ['a revoked token', { revokedAt: NOW - 1 }, (w) => w.good],
      ['a token used from elsewhere', { from: '192.168.0.0/16' }, (w) => w.good],
      ['a token with a malformed block', { from: 'nonsense' }, (w) => w.good],
      ["the operator's own token", {}, () => tokenText('operator', SECRET)],
    ]
    for (const [name, more, credential] of cases) {
      const one = world(more)
      const { code, ms } = await one.attempt(credential(one))
      expect({ name, code, ms, lookups: one.lookups.length }).toEqual({
        name,
        code: 'GW_CREDENTIAL_WRONG',
        ms: 300,
        lookups: 1,
      })
    }
  })

  test('never puts a secret into the message for the log', async () => {
    const { wrong, attempt } = world()
    const { message } = await attempt(wrong)
    expect(message).not.toContain(parseToken(wrong)!.secret)
    expect((await attempt('hunter2')).message).not.toContain('hunter2')
  })

  test('passes a token inside its block, mapped addresses included', async () => {
    const { good, attempt } = world({ from: '10.0.0.0/8' })
    expect((await attempt(good, '::ffff:10.9.9.9')).identity?.subject).toBe('ci')
  })

  test('locks a token id for wrong secrets only: the right one always passes', async () => {
    const { good, wrong, attempt } = world()
    const codes = []
    for (let at = 0; at < 5; at++) codes.push((await attempt(wrong, `10.0.0.${at}`)).code)
    expect(codes.join(' ')).toBe(
      'GW_CREDENTIAL_WRONG GW_CREDENTIAL_WRONG GW_CREDENTIAL_WRONG GW_CREDENTIAL_LOCKED GW_CREDENTIAL_LOCKED',
    )
    expect(await attempt(good)).toMatchObject({ ms: 0, identity: { subject: 'ci' } })
  })

  test('locks an id that does not exist just the same', async () => {
    const { attempt } = world()
    const nobody = tokenText(ulid(), SECRET)
    const codes = []
    for (let at = 0; at < 4; at++) codes.push((await attempt(nobody)).code)
    expect(codes.at(-1)).toBe('GW_CREDENTIAL_LOCKED')
  })

  test('does not tell who knows the secret of an expired token about locks', async () => {
    const { good, attempt } = world({ expiresAt: 0 })
    for (let at = 0; at < 8; at++) expect((await attempt(good)).code).toBe('GW_CREDENTIAL_WRONG')
  })

  test('never says verified of a token that names no job', async () => {
    const { good, attempt } = world({ job: '' })
    expect((await attempt(good)).identity?.job.verified).toBe(false)
  })

  test("knows the operator's token by its file's hash alone", () => {
    const text = tokenText('operator', SECRET)
    const hash = hashSecret(parseToken(text)!.secret)
    expect(isOperatorToken(text, hash)).toBe(true)
    expect(isOperatorToken(tokenText('operator', OTHER), hash)).toBe(false)
    expect(isOperatorToken(tokenText(ulid(), SECRET), hash)).toBe(false)
  })
})
