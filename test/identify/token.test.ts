import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { hashSecret, parseToken, secretMatches, tokenText } from '../../src/identify/token.ts'

describe('a gateway token', () => {
  test('what was made is read back, whatever the secret', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(bytes, (secret) => {
        const id = ulid()
        const text = tokenText(id, secret)
        expect(parseToken(text)).toEqual({ id, secret: Buffer.from(secret).toString('base64url') })
      }),
    )
  })

  test('other texts are no token, and never throw', () => {
    const good = tokenText(ulid(), new Uint8Array(32))
    for (const text of [
      '',
      'slc_',
      `${good}x`,
      good.slice(1),
      ` ${good}`,
      `${good}\n`,
      good.toUpperCase(),
    ])
      expect({ [text]: parseToken(text) }).toEqual({ [text]: undefined })
    fc.assert(fc.property(fc.string(), (text) => parseToken(text) === undefined))
  })

  test('only its own secret matches, and no secret matches nobody', () => {
    const stored = hashSecret('a')
    expect(secretMatches('a', stored)).toBe(true)
    expect(secretMatches('b', stored)).toBe(false)
    expect(secretMatches('a', undefined)).toBe(false)
  })
})
