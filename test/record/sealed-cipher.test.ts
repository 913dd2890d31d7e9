import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isSealedBeginning,
  RecordsEncryptor,
  readSealedFile,
} from '../../src/record/sealed-cipher.ts'
import { keyRecord, SEALED_HEADER, sealedRecord } from '../../src/record/sealed-segment.ts'
import type { SealedRow, SealKey } from '../../src/record/sealer.ts'
import { makeRunKey, SpoolKeys } from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'

const bytes = randomBytes(32)
const KEY = { id: spoolKeyId(bytes), key: bytes }
const KEYS = new SpoolKeys([KEY])
const NAME = '01RUN-1-1.seg'

const key: SealKey = {
  session: '01SESSION',
  dataKey: Buffer.alloc(32),
  wrapped: Buffer.from('wrapped'),
  keyId: 'k1',
  recipients: ['age1somebody'],
}

function row(batch: number): SealedRow {
  const ciphertext = Buffer.alloc(100, batch)
  const rest = { action: 7, values: 2, nonce: Buffer.alloc(12, 1), digest: 'd' }
  return { batch, ciphertext, ...rest, cut: { values: 0, bytes: 0 } }
}

const WRITES = [
  Buffer.concat([keyRecord(key, 1), sealedRecord(key, row(1), 2)]),
  sealedRecord(key, row(2), 3),
  sealedRecord(key, row(3), 4),
]
const cipher = new RecordsEncryptor(makeRunKey(KEY))
const FRAMES = WRITES.map((one) => cipher.encrypt(one))
const WHOLE = Buffer.concat([cipher.header, ...FRAMES])

function read(file: Buffer) {
  const content = readSealedFile(file, { keys: KEYS, name: NAME })
  if (content === 'foreign' || 'locked' in content) throw new Error(JSON.stringify(content))
  return content
}

test('rows of both tables are found again, beside those of a clear segment', () => {
  const clear = read(Buffer.concat([SEALED_HEADER, ...WRITES]))
  const content = read(WHOLE)
  expect(content.rows).toEqual(clear.rows)
  expect(content).toMatchObject({ end: WHOLE.length, torn: 0, isDamaged: false })
  expect(clear).toMatchObject({ torn: 0, isDamaged: false })
  expect(content.rows.sealed).toHaveLength(3)
})

test('a clear one in the name of a run that encrypts is foreign, of another run it is not', () => {
  const clear = Buffer.concat([SEALED_HEADER, ...WRITES])
  const keys = new SpoolKeys([KEY], '01RUN')
  expect(readSealedFile(clear, { keys, name: NAME })).toBe('foreign')
  expect(readSealedFile(clear, { keys, name: '01OTHER-1-1.seg' })).toMatchObject({ torn: 0 })
  expect(readSealedFile(WHOLE, { keys, name: NAME })).toMatchObject({ torn: 0, isDamaged: false })
})

test('neither session nor recipient stands in it', () => {
  for (const text of ['01SESSION', 'age1somebody', 'wrapped', 'values'])
    expect(WHOLE.includes(text)).toBe(false)
})

test('without its key it is locked', () => {
  expect(readSealedFile(WHOLE, { keys: new SpoolKeys(), name: NAME })).toEqual({
    locked: KEY.id.toString('hex'),
  })
})

test('cut anywhere, whole writes before the cut are kept', () => {
  fc.assert(
    fc.property(fc.integer({ min: cipher.header.length, max: WHOLE.length - 1 }), (size) => {
      const content = read(WHOLE.subarray(0, size))
      let end = cipher.header.length
      let whole = 0
      for (const frame of FRAMES) {
        if (end + frame.length > size) break
        end += frame.length
        whole++
      }
      expect(content).toMatchObject({ end, torn: size - end, isDamaged: false })
      expect(content.rows.sealed).toHaveLength(whole)
    }),
  )
  for (let size = 0; size < cipher.header.length; size++) {
    expect(readSealedFile(WHOLE.subarray(0, size), { keys: KEYS, name: NAME })).toBe('foreign')
    expect(isSealedBeginning(WHOLE.subarray(0, size))).toBe(true)
  }
  expect(isSealedBeginning(Buffer.from('something else'))).toBe(false)
})

test('a changed byte is noticed, and a write that was changed is damage where its checksum was made good', () => {
  fc.assert(
    fc.property(fc.integer({ min: cipher.header.length, max: WHOLE.length - 1 }), (at) => {
      const changed = Buffer.from(WHOLE)
      changed[at]! ^= 1
      const content = read(changed)
      expect(content.torn > 0 || content.isDamaged).toBe(true)
    }),
  )
  for (const at of [0, 1, 2]) {
    const frame = Buffer.from(FRAMES[at]!)
    frame[20]! ^= 1
    frame.writeUInt32BE(crc32(frame.subarray(8)) >>> 0, 4)
    const content = read(Buffer.concat([cipher.header, ...FRAMES.with(at, frame)]))
    expect(content).toMatchObject({ torn: 0, isDamaged: true })
    expect(content.rows.sealed).toHaveLength(2)
  }
  const without = read(Buffer.concat([cipher.header, FRAMES[0]!, FRAMES[2]!]))
  expect(without).toMatchObject({ torn: 0, isDamaged: true })
})
