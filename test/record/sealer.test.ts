import { createDecipheriv, hash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBatch } from '../../src/record/sealed-values.ts'
import {
  additionalData,
  nonceOf,
  type SealedRow,
  Sealer,
  type SealKey,
  TAG_BYTES,
} from '../../src/record/sealer.ts'

const key: SealKey = {
  session: '01S',
  dataKey: randomBytes(32),
  wrapped: Buffer.of(1),
  keyId: 'k',
  recipients: ['age1x'],
}
const FIELD = { column: 2, name: 'public.users.email', by: 'column public.users.email' }

function opened(row: SealedRow, session = key.session, batch = row.batch): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key.dataKey, nonceOf(batch))
  decipher.setAAD(additionalData(session, batch))
  decipher.setAuthTag(row.ciphertext.subarray(-TAG_BYTES))
  const body = decipher.update(row.ciphertext.subarray(0, -TAG_BYTES))
  return Buffer.concat([body, decipher.final()])
}

function sealer(bytesMax = 1 << 20): { sealer: Sealer; touched: () => number } {
  let count = 0
  return { sealer: new Sealer(key, bytesMax, () => count++), touched: () => count }
}

describe('what is sealed', () => {
  test('comes out with its action, row, column and what hid it', () => {
    const { sealer: one, touched } = sealer()
    one.begin(7, 41)
    one.row += 1
    one.value('text', FIELD, Buffer.from('ann@example.com'))
    one.text('param', { action: 9, row: 3 }, Buffer.from('4111'))
    const row = one.seal()
    expect(touched()).toBe(2)
    expect(row).toMatchObject({ batch: 1, action: 7, values: 2, cut: { values: 0, bytes: 0 } })
    expect(row.digest).toBe(hash('sha256', row.ciphertext, 'hex'))
    expect(readBatch(opened(row)).values).toEqual([
      { place: 'text', action: 7, row: 42, ...FIELD, value: Buffer.from('ann@example.com') },
      {
        ...{ place: 'param', action: 9, row: 3, column: 0, name: '', by: '' },
        value: Buffer.from('4111'),
      },
    ])
  })

  test('shows nothing of itself, and opens under no other session or number', () => {
    const { sealer: one } = sealer()
    one.begin(1, 0)
    one.value('text', FIELD, Buffer.from('ann@example.com'))
    const row = one.seal()
    expect(row.ciphertext.includes('ann@example.com')).toBe(false)
    expect(() => opened(row, 'other')).toThrow()
    expect(() => opened(row, key.session, 2)).toThrow()
    row.ciphertext[3]! ^= 1
    expect(() => opened(row)).toThrow()
  })

  test('never uses a nonce twice', () => {
    const { sealer: one } = sealer()
    const nonces = Array.from({ length: 300 }, (_, i) => {
      one.begin(i + 1, 0)
      one.value('text', FIELD, Buffer.from('x'))
      return one.seal().nonce.toString('hex')
    })
    expect(new Set(nonces).size).toBe(300)
  })

  test('is capped for each action, and what is left out is counted', () => {
    const { sealer: one } = sealer(100)
    one.begin(1, 0)
    for (let i = 0; i < 5; i++) one.value('binary', FIELD, Buffer.alloc(40, i))
    one.begin(2, 0)
    one.value('binary', FIELD, Buffer.alloc(40, 9))
    const row = one.seal()
    expect(row).toMatchObject({ values: 3, cut: { values: 3, bytes: 120 } })
    const { values, cuts } = readBatch(opened(row))
    expect(values.map(({ action }) => action)).toEqual([1, 1, 2])
    expect(cuts).toEqual([{ action: 1, values: 3, bytes: 120 }])
    one.text('statement', { action: 3, row: 0 }, Buffer.alloc(101))
    expect(one.seal()).toMatchObject({ values: 0, action: 3, cut: { values: 1, bytes: 101 } })
  })

  test('an action that goes on keeps its cap, and the row it has reached', () => {
    const { sealer: one } = sealer(100)
    one.begin(1, 0)
    one.value('text', FIELD, Buffer.alloc(90))
    one.begin(1, 10)
    one.value('text', FIELD, Buffer.alloc(90))
    expect(one.row).toBe(10)
    expect(one.seal()).toMatchObject({ values: 1, cut: { values: 1 } })
  })

  test('any values come out as they went in, batch by batch', () => {
    const value = fc.record({
      place: fc.constantFrom('text' as const, 'binary' as const, 'copy' as const),
      row: fc.nat(),
      column: fc.nat({ max: 1600 }),
      name: fc.string({ maxLength: 20, unit: 'binary' }),
      by: fc.constantFrom('', 'email', 'credit_card, iban'),
      value: fc.uint8Array({ maxLength: 300 }),
    })
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { minLength: 1, maxLength: 20 }), { maxLength: 5 }),
        (batches) => {
          const { sealer: one } = sealer()
          for (const batch of batches) {
            one.begin(5, 0)
            for (const { place, row, value: bytes, ...field } of batch) {
              one.row = row
              one.value(place, field, bytes)
            }
            const { values } = readBatch(opened(one.seal()))
            expect(values).toEqual(
              batch.map((one) => ({ ...one, action: 5, value: Buffer.from(one.value) })),
            )
          }
        },
      ),
    )
  })
})
