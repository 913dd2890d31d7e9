import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maskRecordBinary, maskRecordText } from '../../../src/protocols/postgres/mask-record.ts'

/** Hides what begins with `s`, makes `n` NULL. */
function field(bytes: Uint8Array): Buffer | null | undefined {
  if (bytes[0] === 0x73) return Buffer.from('*"\\*')
  return bytes[0] === 0x6e ? null : undefined
}

function text(value: string): string | null | undefined {
  const masked = maskRecordText(Buffer.from(value), field)
  return Buffer.isBuffer(masked) ? masked.toString() : masked
}

test('fields of rows are read as they are meant, and written so', () => {
  expect(text('(a,secret,,"",n)')).toBe('(a,"*""\\\\*",,"",)')
  expect(text('("s "" , )",b)')).toBe('("*""\\\\*",b)')
  expect(text('(a,"b ""c"" (x)",\\\\)')).toBeUndefined()
  expect(text('()')).toBeUndefined()
  expect(text('(s)')).toBe('("*""\\\\*")')
})

test('what is no row is malformed', () => {
  for (const value of ['', 'abc', '(a', '("a)', '(a)b', '(a,b', '(a\\']) {
    expect(text(value)).toBe('malformed')
  }
})

function row(...fields: [typeOid: number, value: string | null][]): Buffer {
  const words: Buffer[] = []
  const i32 = (value: number) => {
    const word = Buffer.alloc(4)
    word.writeInt32BE(value)
    words.push(word)
  }
  i32(fields.length)
  for (const [typeOid, value] of fields) {
    i32(typeOid)
    i32(value === null ? -1 : value.length)
    if (value !== null) words.push(Buffer.from(value))
  }
  return Buffer.concat(words)
}

test('binary rows name the types of their fields', () => {
  const of = (typeOid: number) => (typeOid === 25 ? field : undefined)
  const masked = maskRecordBinary(row([25, 'secret'], [23, 's'], [25, 'n'], [25, null]), of)
  expect(masked).toEqual(row([25, '*"\\*'], [23, 's'], [25, null], [25, null]))
  expect(maskRecordBinary(row([25, 'a'], [23, 's']), of)).toBeUndefined()
  expect(maskRecordBinary(row(), of)).toBeUndefined()
})

test('binary rows that do not add up are malformed, and none throws', () => {
  const whole = row([25, 'secret'], [25, 'x'])
  for (let end = 0; end < whole.length; end++) {
    expect(maskRecordBinary(whole.subarray(0, end), () => field)).toBe('malformed')
  }
  expect(maskRecordBinary(Buffer.concat([whole, Buffer.of(0)]), () => field)).toBe('malformed')
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      maskRecordBinary(bytes, () => field)
      maskRecordText(bytes, field)
    }),
  )
})
