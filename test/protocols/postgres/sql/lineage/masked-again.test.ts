import { expect, test } from 'vitest'
import type { Transform, ValueTransform } from '../../../../../src/mask/transform-spec.ts'
import { looksMasked } from '../../../../../src/protocols/postgres/sql/lineage/masked-again.ts'

test('what a mask could have shown is known by its form', () => {
  const looks = (text: string, transform: Transform) => looksMasked(text, transform)
  expect(looks('****', { type: 'redact' }) && looks('"****"', { type: 'redact' })).toBe(true)
  expect(looks('\u0001"****"', { type: 'redact' })).toBe(true)
  expect(looks('00000000-0000-0000-0000-000000000000', { type: 'redact' })).toBe(true)
  expect(looks('n/a', { type: 'fixed', value: 'n/a' })).toBe(true)
  expect(looks('0123456789abcdef', { type: 'hash' })).toBe(true)
  const last = { type: 'partial', keepFirst: 0, keepLast: 4 } as const
  expect(looks('****1234', last) && looks('****', last)).toBe(true)
  for (const text of ['', '12341234', '4111111111111111', '***4-1234']) {
    expect([text, looks(text, last)]).toEqual([text, false])
  }
  expect(looks('a', { type: 'redact' }) || looks('****', { type: 'null' })).toBe(false)
})

test('inside documents it is looked for where the masks lead', () => {
  const at = (path: string[], transform: ValueTransform = { type: 'redact' }): Transform => ({
    type: 'paths',
    paths: [{ path, transform, monitor: false, name: 'd' }],
  })
  for (const text of [
    '{"card": "****"}',
    '\u0001{"card": "****"}',
    '{"x": 1, "card": ["a", "****"]}',
    '[{"card": "****"}]',
    '"****"',
  ])
    expect([text, looksMasked(text, at(['card']))]).toEqual([text, true])
  for (const text of ['{"card": "4"}', '{"other": "****"}', '{"card": {"n": "****"}}', '{', '****'])
    expect([text, looksMasked(text, at(['card']))]).toEqual([text, false])
  // What is written to a part: SET d['a'] = '{"b": "****"}'.
  expect(looksMasked('{"b": "****"}', at(['a', 'b']))).toBe(true)
  expect(
    looksMasked('{"b": "***4"}', at(['b'], { type: 'partial', keepFirst: 0, keepLast: 1 })),
  ).toBe(true)
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  expect(looksMasked(deep, at(['card']))).toBe(false)
})
