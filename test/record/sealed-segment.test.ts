import { expect, test } from 'vitest'
import {
  keyRecord,
  readSealedSegment,
  SEALED_HEADER,
  sealedRecord,
} from '../../src/record/sealed-segment.ts'
import type { SealedRow, SealKey } from '../../src/record/sealer.ts'

const key: SealKey = {
  session: '01S',
  dataKey: Buffer.alloc(32),
  wrapped: Buffer.from('wrapped'),
  keyId: 'k1',
  recipients: ['age1a', 'age1b'],
}
const row: SealedRow = {
  batch: 3,
  action: 7,
  values: 2,
  nonce: Buffer.alloc(12, 1),
  ciphertext: Buffer.alloc(300, 2),
  digest: 'd',
  cut: { values: 1, bytes: 9 },
}
const records = [keyRecord(key, 1_000_000), sealedRecord(key, row, 1_000_001)]
const segment = Buffer.concat([SEALED_HEADER, ...records])

test('rows of both tables are found again', () => {
  const content = readSealedSegment(segment)
  if (content === 'foreign') throw new Error('foreign')
  expect(content.end).toBe(segment.length)
  expect(content.rows.sealed_keys).toHaveLength(1)
  expect(content.rows.sealed).toHaveLength(1)
  // RowBinary: Int64 of the time, then texts with their length before them.
  const [wrapped] = content.rows.sealed_keys
  expect(wrapped!.readBigInt64LE(0)).toBe(1_000_000n)
  expect(wrapped!.toString('latin1', 8, 12)).toBe('\x0301S')
  const [sealed] = content.rows.sealed
  expect(sealed!.includes('01S-7')).toBe(true)
  expect(sealed!.subarray(-24).readBigInt64LE(0)).toBe(3n)
})

test('a data key is in no record', () => {
  const secret = { ...key, dataKey: Buffer.from('this is the key of the session!!') }
  const all = Buffer.concat([keyRecord(secret, 1), sealedRecord(secret, row, 1)])
  expect(all.includes('this is the key')).toBe(false)
})

test('what is torn at its end is left out, wherever it is cut', () => {
  const first = SEALED_HEADER.length + records[0]!.length
  for (let end = SEALED_HEADER.length; end < segment.length; end++) {
    const content = readSealedSegment(segment.subarray(0, end))
    if (content === 'foreign') throw new Error('foreign')
    expect(content.end).toBe(end < first ? SEALED_HEADER.length : first)
  }
  expect(readSealedSegment(segment.subarray(0, 9))).toBe('foreign')
})

test('a changed byte ends it there', () => {
  for (let at = SEALED_HEADER.length; at < segment.length; at++) {
    const changed = Buffer.from(segment)
    changed[at]! ^= 0x40
    const content = readSealedSegment(changed)
    if (content === 'foreign') throw new Error('foreign')
    expect(content.end).toBeLessThan(segment.length)
  }
})
