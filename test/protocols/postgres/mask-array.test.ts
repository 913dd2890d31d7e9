import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../../src/base/bytes.ts'
import { maskArrayBinary, maskArrayText } from '../../../src/protocols/postgres/mask-array.ts'

/** Hides what begins with `s`, makes `n` NULL. */
function element(bytes: Uint8Array): Buffer | null | undefined {
  if (bytes[0] === 0x73) return Buffer.from('*"\\*')
  return bytes[0] === 0x6e ? null : undefined
}

function text(value: string): string | null | undefined {
  const masked = maskArrayText(Buffer.from(value), element)
  return Buffer.isBuffer(masked) ? masked.toString() : masked
}

function binary(values: readonly (string | null)[]): Buffer {
  const sink = new ByteSink()
  sink.i32(1)
  sink.i32(values.includes(null) ? 1 : 0)
  sink.i32(25)
  sink.i32(values.length)
  sink.i32(1)
  for (const value of values) {
    sink.i32(value === null ? -1 : Buffer.byteLength(value))
    if (value !== null) sink.append(Buffer.from(value))
  }
  return Buffer.from(sink.view())
}

test('elements of text arrays are read as they are meant, and written so', () => {
  expect(text('{a,secret,NULL,"NULL",n1}')).toBe('{a,"*\\"\\\\*",NULL,"NULL",NULL}')
  expect(text('{{a,"s \\" , }"},{"b\\\\",c}}')).toBe('{{a,"*\\"\\\\*"},{"b\\\\",c}}')
  expect(text('[2:3]={s,b}')).toBe('[2:3]={"*\\"\\\\*",b}')
  expect(text('{}')).toBeUndefined()
  expect(text('{"\\\\s"}')).toBeUndefined()
})

test('what is no array is malformed', () => {
  for (const value of ['', 'abc', '{a', '{"a}', '{"a\\"}']) expect(text(value)).toBe('malformed')
})

test('binary arrays keep their shape, and say so when a NULL comes in', () => {
  expect(maskArrayBinary(binary(['a', 'secret', null]), element)).toEqual(
    binary(['a', '*"\\*', null]),
  )
  expect(maskArrayBinary(binary(['n', 'b']), element)).toEqual(binary([null, 'b']))
  expect(maskArrayBinary(binary(['a']), element)).toBeUndefined()
  const empty = Buffer.alloc(12)
  expect(maskArrayBinary(empty, element)).toBeUndefined()
})

test('binary arrays that do not add up are malformed', () => {
  const whole = binary(['a', 'b'])
  for (let end = 0; end < whole.length; end++) {
    expect(maskArrayBinary(whole.subarray(0, end), element)).toBe('malformed')
  }
  expect(maskArrayBinary(Buffer.concat([whole, Buffer.of(0)]), element)).toBe('malformed')
  const many = Buffer.from(whole)
  many.writeInt32BE(2 ** 31 - 1, 12)
  expect(maskArrayBinary(many, element)).toBe('malformed')
})

test('noise never fails', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.stringMatching(/^\{[sn"\\,{}a]*\}$/), (noise, value) => {
      maskArrayBinary(noise, element)
      maskArrayText(noise, element)
      maskArrayText(Buffer.from(value), element)
    }),
  )
})
