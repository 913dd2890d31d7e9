import { expect, test } from 'vitest'
import type { FieldPlan } from '../../../src/mask/plan.ts'
import { Originals } from '../../../src/protocols/postgres/mask-originals.ts'

const PLAN: readonly (FieldPlan | undefined)[] = [
  undefined,
  {
    ...{ by: 'column', transform: { type: 'redact' }, family: 'text', format: 1 },
    ...{ lengthMax: 0, monitor: false, name: 'public.users.email' },
  },
  { by: 'detector', names: ['note'], family: 'text', format: 0 },
]

function keeping(isCopy: boolean) {
  const kept: unknown[] = []
  const sealer = {
    row: 0,
    value(place: string, at: object, value: Uint8Array) {
      kept.push({ place, row: sealer.row, ...at, value: Buffer.from(value).toString() })
    },
  }
  const tally = new Map<string, number>()
  return { kept, sealer, tally, originals: new Originals(sealer, { plan: PLAN, tally, isCopy }) }
}

test('a value is told with its row, column and what hid it', () => {
  const { kept, originals, tally } = keeping(false)
  originals.nextRow()
  originals.value(1, Buffer.from('ann@example.com'))
  originals.nextRow()
  originals.tally.set('iban', (originals.tally.get('iban') ?? 0) + 1)
  originals.tally.set('email', 1)
  originals.value(2, Buffer.from('DE…'))
  expect(kept).toEqual([
    {
      ...{ place: 'binary', row: 1, column: 1, value: 'ann@example.com' },
      ...{ name: 'public.users.email', by: 'column public.users.email' },
    },
    { place: 'text', row: 2, column: 2, name: 'note', by: 'iban, email', value: 'DE…' },
  ])
  // Counted where the session counts.
  expect([...tally]).toEqual([
    ['iban', 1],
    ['email', 1],
  ])
})

test('detectors of one value are not told of the next', () => {
  const { kept, originals } = keeping(true)
  originals.tally.set('iban', 1)
  originals.value(2, Buffer.from('a'))
  originals.value(2, Buffer.from('b'))
  expect(kept).toMatchObject([
    { place: 'copy', by: 'iban' },
    { place: 'copy', by: '' },
  ])
})
