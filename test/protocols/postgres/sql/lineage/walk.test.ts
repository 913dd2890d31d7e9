import { expect, test } from 'vitest'
import type { ColumnMask } from '../../../../../src/mask/plan.ts'
import { columnValue, derived } from '../../../../../src/protocols/postgres/sql/lineage/value.ts'
import {
  Walk,
  type Walkers,
  type World,
} from '../../../../../src/protocols/postgres/sql/lineage/walk.ts'

const walk = () => new Walk({} as World, {} as Walkers)

const MASK: ColumnMask = {
  transform: { type: 'partial', keepFirst: 0, keepLast: 4 },
  inPredicates: 'deny',
  derived: 'mask',
  monitor: false,
  rule: 'p/0',
  name: 't.c',
}

function column(mask: Partial<ColumnMask> | undefined, unknown = false) {
  const whole = mask === undefined ? undefined : { ...MASK, ...mask }
  return columnValue({ label: 't.c', relation: 1, column: 2, mask: whole, unknown }, 'text')
}

test('an output is its own mask, redacted where it is computed, clear where nothing hides it', () => {
  expect(walk().output(column({}))).toMatchObject({ transform: { type: 'partial' }, relation: 1 })
  const upper = derived([column({})], { how: 'total', kind: 'text' })
  expect(walk().output(upper)).toMatchObject({ transform: { type: 'redact' }, relation: 0 })
  expect(walk().output(column(undefined))).toBeNull()
})

test.each([
  ['unknown', column(undefined, true)],
  ['computed by a view in a way that tells', column({ fallible: true })],
  ['computed by other functions', derived([column({})], { how: 'other', kind: 'text' })],
  [
    'computed where policy denies it',
    derived([column({ derived: 'deny' })], { how: 'total', kind: 'text' }),
  ],
])('%s is refused', (_, value) => {
  const at = walk()
  at.output(value)
  expect(at.refusal).toBeDefined()
})

test('what only watches refuses nothing', () => {
  const at = walk()
  at.decides(column({ monitor: true }))
  at.forbid(column({ monitor: true }).marks)
  at.output(derived([column({ monitor: true })], { how: 'other', kind: 'text' }))
  expect(at).toMatchObject({ refusal: undefined, touches: true })
  expect([...at.rules]).toEqual(['p/0'])
})

test('deciding is policy’s to allow, and is remembered', () => {
  const at = walk()
  at.decides(column({ inPredicates: 'allow' }))
  expect(at.refusal).toBeUndefined()
  expect([...at.deciding.keys()]).toEqual(['t.c'])
  at.guard(column({}).marks)
  expect(at.refusal?.reason).toContain('t.c')
})

test('work has an end', () => {
  const at = walk()
  while (at.step());
  expect(at.refusal?.reason).toContain('too large')
})

test('a text that the target may fail to send is not asked for', () => {
  const refusedOf = (sending: World['sending'], how: 'identity' | 'total', kind = 'text') => {
    const at = new Walk({ sending } as World, {} as Walkers)
    at.output(how === 'identity' ? column({}) : derived([column({})], { how, kind }))
    return at.refusal?.hint
  }
  expect(refusedOf('fails', 'identity')).toContain('UTF8')
  expect(refusedOf('fails', 'total')).toContain('UTF8')
  expect(refusedOf('fails', 'total', 'int4')).toBeUndefined()
  expect(refusedOf('cuts', 'total')).toBeDefined()
  expect(refusedOf('cuts', 'identity')).toBeUndefined()
  expect(refusedOf(undefined, 'total')).toBeUndefined()
  const clear = new Walk({ sending: 'fails' } as World, {} as Walkers)
  clear.output(column(undefined))
  clear.output(column({ monitor: true }))
  expect(clear.refusal).toBeUndefined()
})
