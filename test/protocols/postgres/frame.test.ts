import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DOWN, downCourses, framer, UP, upCourses } from '../../../src/protocols/postgres/frame.ts'
import { END, HOLD, MALFORMED, SHORT } from '../../../src/relay/lane.ts'

function frame(kind: string, size: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.write(kind)
  bytes.writeUInt32BE(size, 1)
  return bytes
}

test('a size counts itself and the body, and the frame the kind as well', () => {
  expect(framer.size(frame('Q', 4), 0, 5)).toBe(5)
  expect(framer.size(frame('Q', 0x3fffffff), 0, 5)).toBe(0x40000000)
  expect(framer.kind(frame('Q', 4), 0)).toBe(UP.query)
})

test('a header that is not whole is short', () => {
  for (let end = 0; end < 5; end++) expect(framer.size(frame('Q', 4), 0, end)).toBe(SHORT)
})

test('sizes of 0 to 3, negative ones and those past what PostgreSQL takes are malformed', () => {
  for (const size of [0, 1, 3, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff]) {
    expect(framer.size(frame('Q', size), 0, 5)).toBe(MALFORMED)
  }
})

test('no header of noise throws or gives less than a header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 5, maxLength: 20 }), (noise) => {
      const size = framer.size(Buffer.from(noise), 0, noise.length)
      expect(size === MALFORMED || size >= 5).toBe(true)
    }),
  )
})

test('what nobody knows ends the session in both directions', () => {
  const known = (kinds: object) => new Set<number>(Object.values(kinds))
  for (let kind = 0; kind < 256; kind++) {
    if (!known(UP).has(kind)) expect(upCourses()[kind]).toBe(END)
    if (!known(DOWN).has(kind)) expect(downCourses()[kind]).toBe(END)
  }
  for (const kind of [DOWN.authentication, DOWN.backendKeyData, DOWN.negotiate]) {
    expect(downCourses()[kind]).toBe(END)
  }
  expect(upCourses()[UP.password]).toBe(END)
})

test('everything going up is looked at, and of what comes down all but rows', () => {
  expect(upCourses()[UP.query]).toBe(HOLD)
  expect(upCourses()[UP.copyData]).toBe(HOLD)
  expect(downCourses()[DOWN.error]).toBe(HOLD)
  expect(downCourses()[DOWN.dataRow]).toBe(HOLD)
})
