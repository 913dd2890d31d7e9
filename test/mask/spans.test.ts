import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DetectorSet } from '../../src/mask/detect.ts'
import { maskJson, maskText, type SpanContext, strongestHit } from '../../src/mask/spans.ts'
import { transformText } from '../../src/mask/transform.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'
import { setOf } from '../lib/detector-examples.ts'

const CARD = '4111111111111111'
const MAIL = 'alice@mail.example'

function context(card: Transform = { type: 'redact' }): SpanContext {
  const detectors = new DetectorSet([
    { detector: 'credit_card', with: card, monitor: false },
    { detector: 'email', with: { type: 'redact' }, monitor: false },
  ])
  return { detectors, key: Buffer.alloc(32, 1), tally: new Map() }
}

function json(value: string, within = context()): string | null | undefined {
  const masked = maskJson(Buffer.from(value), within)
  return masked === undefined || masked === null ? masked : masked.toString()
}

test('a hash of what a client makes up is no hash of a column', () => {
  const within = context({ type: 'hash' })
  const [shown, again] = [0, 1].map(() => maskText(Buffer.from(CARD), within)?.toString())
  expect(shown).toMatch(/^[0-9a-f]{16}$/)
  expect(again).toBe(shown)
  expect(json(`["${CARD}"]`, within)).toBe(`["${shown}"]`)
  const other = { ...within, key: Buffer.alloc(32, 2) }
  expect(maskText(Buffer.from(CARD), other)?.toString()).not.toBe(shown)
  const column = transformText(Buffer.from(CARD), { type: 'hash' }, { ...within, lengthMax: 0 })
  expect(shown).not.toBe(column?.toString())
})

test('only the span of a hit changes, and each is counted', () => {
  const within = context({ type: 'partial', keepFirst: 0, keepLast: 4 })
  const masked = maskText(Buffer.from(`é ${CARD}, ${MAIL} or b@c.example!`), within)
  expect(masked?.toString()).toBe('é ************1111, **** or ****!')
  expect([...within.tally]).toEqual([
    ['credit_card', 1],
    ['email', 2],
  ])
  expect(maskText(Buffer.from('nothing here'), within)).toBeUndefined()
})

test('a hit whose transform is null takes the whole value along', () => {
  expect(maskText(Buffer.from(`x ${CARD} y`), context({ type: 'null' }))).toBeNull()
  expect(json(`{"a":"${CARD}","b":1}`, context({ type: 'null' }))).toBeNull()
})

test('in JSON strings, keys, escapes and numbers are read, and all else stays byte for byte', () => {
  expect(json(`{ "a" : "to ${MAIL}" , "n":[1, 2.50] }`)).toBe('{ "a" : "to ****" , "n":[1, 2.50] }')
  expect(json(`{"${MAIL}":true}`)).toBe('{"****":true}')
  expect(json('["alice\\u0040mail.example","\\"q\\""]')).toBe('["****","\\"q\\""]')
  expect(json(`{"card":${CARD}}`)).toBe('{"card":"****"}')
  expect(json(`{"card":[-1e5,"x"]}`)).toBeUndefined()
})

test('text that is no JSON becomes NULL when it holds a hit', () => {
  expect(json(`{"a":"${MAIL}`)).toBeNull()
  expect(json('{"a":"x\\')).toBeUndefined()
})

test('masked JSON is JSON, and holds no hit any more', () => {
  const within = context()
  const secret = fc.constantFrom(CARD, MAIL, 4111111111111111, `"${MAIL}\n`)
  const value = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), secret), fc.array(secret))
  fc.assert(
    fc.property(value, (document) => {
      const masked = json(JSON.stringify(document), within)
      expect(masked).not.toBeNull()
      if (masked === undefined || masked === null) return
      JSON.parse(masked)
      expect(masked).not.toContain(CARD)
      expect(masked).not.toContain(MAIL)
    }),
  )
})

test('noise never fails', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (noise) => {
      maskJson(noise, context())
      maskText(noise, context())
    }),
  )
})

test('for a value that is hidden whole the strongest of its hits counts', () => {
  const within = context({ type: 'partial', keepFirst: 0, keepLast: 4 })
  expect(strongestHit(Buffer.from(`${CARD} ${MAIL}`), within)).toEqual({ type: 'redact' })
  expect(strongestHit(Buffer.from('nothing'), within)).toBeUndefined()
})

test('words in the name of a column, or in the key of a member, count', () => {
  const detectors = setOf('uk_nhs_number')
  const context = { detectors, key: Buffer.alloc(32), tally: new Map() }
  const value = Buffer.from('9434765919')
  expect(maskText(value, context)).toBeUndefined()
  expect(maskText(value, { ...context, names: [Buffer.from('nhs_no')] })?.toString()).toBe('****')
  const json = Buffer.from('{"order":"9434765919","nhsNumber": 9434765919,"a":["9434765919"]}')
  expect(maskJson(json, context)?.toString()).toBe(
    '{"order":"9434765919","nhsNumber": "****","a":["9434765919"]}',
  )
  expect(maskJson(Buffer.from('{"nhs":["9434765919"]}'), context)?.toString()).toBe(
    '{"nhs":["****"]}',
  )
})
