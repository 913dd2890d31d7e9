import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UNBOUND } from '../../src/accept/channel-binding.ts'
import {
  clientFinal,
  clientFirst,
  md5Answer,
  preparePassword,
  ROUNDS_MAX,
  readServerFirst,
} from '../../src/dial/scram.ts'

const OURS = 'rOprNGfwEbeRWgbNEkqO'
const GOOD = `r=${OURS}theirs,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`

describe('the first message of a target', () => {
  test('is read', () => {
    expect(readServerFirst(GOOD, OURS)).toMatchObject({ nonce: `${OURS}theirs`, rounds: 4096 })
    expect(readServerFirst(`${GOOD},x=later`, OURS)).toMatchObject({ rounds: 4096 })
  })

  test.each([
    ['the empty text', ''],
    ['a nonce that is only ours', `r=${OURS},s=W22ZaA==,i=4096`],
    ['a nonce that is not ours', 'r=other,s=W22ZaA==,i=4096'],
    ['a nonce that holds ours elsewhere', `r=x${OURS},s=W22ZaA==,i=4096`],
    ['a nonce that is too long', `r=${OURS}${'x'.repeat(1100)},s=W22ZaA==,i=4096`],
    ['a nonce with a control character', `r=${OURS}\u0001,s=W22ZaA==,i=4096`],
    ['a message that is too long', `${GOOD},${'x'.repeat(4096)}`],
    ['no salt', `r=${OURS}x,i=4096`],
    ['an empty salt', `r=${OURS}x,s=,i=4096`],
    ['a salt that is not base64', `r=${OURS}x,s=a,i=4096`],
    ['a salt that is too long', `r=${OURS}x,s=${'A'.repeat(1400)},i=4096`],
    ['no rounds', `r=${OURS}x,s=W22ZaA==`],
    ['zero rounds', `r=${OURS}x,s=W22ZaA==,i=0`],
    ['negative rounds', `r=${OURS}x,s=W22ZaA==,i=-1`],
    ['2^31 rounds', `r=${OURS}x,s=W22ZaA==,i=2147483648`],
    ['one round too many', `r=${OURS}x,s=W22ZaA==,i=${ROUNDS_MAX + 1}`],
    ['rounds in another notation', `r=${OURS}x,s=W22ZaA==,i=1e3`],
    ['an extension that is mandatory', `m=x,${GOOD}`],
    ['fields in another order', `s=W22ZaA==,r=${OURS}x,i=4096`],
  ])('with %s is refused', (_, text) => {
    expect(typeof readServerFirst(text, OURS)).toBe('string')
  })

  test('never makes the reader throw, nor the complaint quote it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (noise) => {
        const read = readServerFirst(`r=${OURS}${noise}`, OURS)
        if (typeof read === 'string' && noise.length > 12) expect(read).not.toContain(noise)
      }),
    )
  })
})

/** The other side of RFC 5802, as a server does it from what it stores. */
function serverAccepts(first: string, final: string, password: string): string | undefined {
  const salted = pbkdf2Sync(
    password,
    Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
    4096,
    32,
    'sha256',
  )
  const key = (name: string): Buffer => createHmac('sha256', salted).update(name).digest()
  const stored = createHash('sha256').update(key('Client Key')).digest()
  const [withoutProof, proof] = final.split(',p=') as [string, string]
  const message = `${first.replace(/^[ny],,|^p=[^,]*,,/, '')},${GOOD},${withoutProof}`
  const signature = createHmac('sha256', stored).update(message).digest()
  const clientKey = Buffer.from(proof, 'base64').map((byte, at) => byte ^ signature[at]!)
  if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), stored)) return undefined
  return `v=${createHmac('sha256', key('Server Key')).update(message).digest('base64')}`
}

describe('the final message', () => {
  const read = readServerFirst(GOOD, OURS)
  if (typeof read === 'string') throw new Error(read)
  const salted = pbkdf2Sync('pencil', read.salt, read.rounds, 32, 'sha256')

  test('proves the password to a server that stores only its keys, and knows what it must answer', () => {
    const final = clientFinal(salted, { nonce: OURS, binding: UNBOUND }, read)
    expect(final.message.startsWith(`c=biws,r=${OURS}theirs,p=`)).toBe(true)
    const first = clientFirst(OURS, UNBOUND)
    expect(serverAccepts(first, final.message, 'pencil')).toBe(final.serverFinal)
    expect(serverAccepts(first, final.message, 'pencils')).toBeUndefined()
  })

  test('says whether and to what it is bound', () => {
    const bound = { flag: 'p', data: Buffer.from('hash') } as const
    expect(clientFirst(OURS, bound).startsWith('p=tls-server-end-point,,n=,r=')).toBe(true)
    const { message } = clientFinal(salted, { nonce: OURS, binding: bound }, read)
    const said = Buffer.from(message.split(',')[0]!.substring(2), 'base64').toString()
    expect(said).toBe('p=tls-server-end-point,,hash')
    const unoffered = { flag: 'y', data: UNBOUND.data } as const
    expect(clientFirst(OURS, unoffered).startsWith('y,,')).toBe(true)
    expect(clientFinal(salted, { nonce: OURS, binding: unoffered }, read).message).toMatch(
      /^c=eSws,/,
    )
  })
})

describe('a password', () => {
  test('of plain ASCII stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => preparePassword(text) === text),
    )
  })

  test('is prepared as RFC 4013 says in its examples', () => {
    expect(preparePassword('I\u00adX')).toBe('IX')
    expect(preparePassword('\u00aa')).toBe('a')
    expect(preparePassword('\u2168')).toBe('IX')
  })

  test('that SASLprep prohibits stays as it is', () => {
    for (const text of ['\u0007\u00e9', '\u0627\u0031', '\ud800\u00e9'])
      expect(preparePassword(text)).toBe(text)
  })

  test('is answered in md5 as PostgreSQL documents it', () => {
    const md5 = (...parts: (string | Uint8Array)[]): string => {
      const hash = createHash('md5')
      for (const part of parts) hash.update(part)
      return hash.digest('hex')
    }
    const salt = Uint8Array.of(1, 2, 3, 4)
    expect(md5Answer({ user: 'u', password: 'p' }, salt)).toBe(`md5${md5(md5('p', 'u'), salt)}`)
  })
})
