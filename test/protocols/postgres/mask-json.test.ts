import { expect, test } from 'vitest'
import { DOCUMENT_BYTES_MAX } from '../../../src/mask/json-paths.ts'
import type { TypeFamily } from '../../../src/mask/plan.ts'
import type { PathMask, ValueTransform } from '../../../src/mask/transform-spec.ts'
import { fieldMasker, type MaskContext } from '../../../src/protocols/postgres/mask-value.ts'
import { column, context } from '../../lib/mask-frames.ts'

function part(
  path: string,
  transform: ValueTransform = { type: 'redact' },
  monitor = false,
): PathMask {
  return { path: path.split('.'), transform, monitor, name: `t.d->'${path}'` }
}

interface Job {
  readonly masks?: readonly PathMask[]
  readonly family?: TypeFamily
  readonly format?: number
  readonly context?: Partial<MaskContext>
}

function masked(value: string | Buffer, job: Job = {}): [string | null, Record<string, number>] {
  const { masks = [part('card')], family = 'jsonb', format = 0 } = job
  const ctx = context(job.context)
  const field = column(family, { type: 'paths', paths: masks }, { format })
  const masker = fieldMasker(field, ctx)!
  const bytes = Buffer.from(value)
  const result =
    masker.constant === undefined ? masker.mask(bytes, 0, bytes.length) : masker.constant
  const shown = result === undefined ? bytes : result
  return [shown === null ? null : shown.toString('latin1'), Object.fromEntries(ctx.tally)]
}

test('json and jsonb, in text and in binary with its version byte', () => {
  const document = '{"card": "4111", "n": 1}'
  const wanted = '{"card": "****", "n": 1}'
  expect(masked(document)).toEqual([wanted, { "t.d->'card'": 1 }])
  expect(masked(document, { family: 'json' })[0]).toBe(wanted)
  expect(masked(document, { family: 'json', format: 1 })[0]).toBe(wanted)
  expect(masked(`\u0001${document}`, { format: 1 })[0]).toBe(`\u0001${wanted}`)
  // Another version than the one that is known, or none.
  expect(masked(document, { format: 1 })[0]).toBeNull()
})

test('arrays of documents, element by element', () => {
  const text = '{"{\\"card\\": \\"4\\"}",NULL,"{}"}'
  expect(masked(text, { family: 'jsonb-array' })[0]).toBe('{"{\\"card\\": \\"****\\"}",NULL,"{}"}')
  const one = Buffer.from('\u0001{"card": 4}')
  const head = Buffer.alloc(20)
  head.writeInt32BE(1, 0)
  head.writeInt32BE(3802, 8)
  head.writeInt32BE(1, 12)
  head.writeInt32BE(1, 16)
  const size = Buffer.alloc(4)
  size.writeInt32BE(one.length)
  const binary = Buffer.concat([head, size, one])
  expect(masked(binary, { family: 'jsonb-array', format: 1 })[0]).toContain('{"card": "****"}')
  expect(masked('{"x', { family: 'jsonb-array' })).toEqual([null, { 'col (unreadable)': 1 }])
})

test('each transform as for a JSON value', () => {
  const card = (transform: ValueTransform, value = '"4111-22"') =>
    masked(`{"card":${value}}`, { masks: [part('card', transform)] })[0]
  expect(card({ type: 'null' })).toBe('{"card":null}')
  expect(card({ type: 'fixed', value: 'a"b' })).toBe('{"card":"a\\"b"}')
  expect(card({ type: 'hash' })).toMatch(/^\{"card":"[0-9a-f]{16}"\}$/)
  expect(card({ type: 'partial', keepFirst: 0, keepLast: 2 })).toBe('{"card":"*****22"}')
  expect(card({ type: 'partial', keepFirst: 0, keepLast: 2 }, '411122')).toBe('{"card":"****"}')
  expect(card({ type: 'pseudonym', domain: 'd' })).toMatch(/^\{"card":"pn_/)
})

test('what is no document becomes NULL, what is too large is hidden whole, and both are told', () => {
  expect(masked('{"card": ')).toEqual([null, { 'col (unreadable)': 1 }])
  const large = `{"card":"${'x'.repeat(DOCUMENT_BYTES_MAX)}"}`
  expect(masked(large)).toEqual(['"****"', { 'col (too large)': 1 }])
})

test('a type that holds no documents becomes NULL', () => {
  for (const family of ['text', 'other', 'uuid', 'scalar'] as const)
    expect(masked('{"card": 1}', { family })[0]).toBeNull()
})

test('detectors read the rest, and what is partly shown', () => {
  const [shown, tally] = masked('{"card":1,"note":"mail ada@example.com"}')
  expect(shown).toBe('{"card":"****","note":"mail ****"}')
  expect(tally).toEqual({ "t.d->'card'": 1, email: 1 })
  const partial = part('card', { type: 'partial', keepFirst: 0, keepLast: 11 })
  expect(masked('{"card":"ada@example.com"}', { masks: [partial] })[0]).toBe('{"card":"****"}')
})

test('parts that only monitor are hidden in the record alone', () => {
  const masks = [part('card'), part('name', { type: 'redact' }, true)]
  const document = '{"card":1,"name":"Ada"}'
  expect(masked(document, { masks })[0]).toBe('{"card":"****","name":"Ada"}')
  const all = { masks, context: { applies: 'all' as const } }
  expect(masked(document, all)[0]).toBe('{"card":"****","name":"****"}')
})
