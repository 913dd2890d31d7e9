import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { SessionRows, Shape } from '../../src/record/session-rows.ts'

const SALT = Buffer.alloc(16, 9)
const SPAN = Buffer.from('columns of the session')
const sha256 = (...parts: Buffer[]) => hash('sha256', Buffer.concat(parts), 'hex')

function begun(rows: SessionRows, shape: Shape): void {
  rows.mark()
  rows.begin(() => SALT)
  rows.put(shape)
  rows.eventsAt = rows.events.size
  rows.contentsAt += shape.contents.length
}

/** One row of this shape, with numbers and contents of its own. */
function add(rows: SessionRows, shape: Shape, seq: number, own: Buffer): Buffer {
  begun(rows, shape)
  rows.events.put(own)
  rows.contents.put(own)
  rows.add(seq, rows.checksum(shape))
  return Buffer.concat([shape.events, own])
}

test('digests and checksums are of what was put there, whatever its size', () => {
  for (const size of [3, 127, 128, 5000, 90_000]) {
    const rows = new SessionRows({ session: 'S', connection: 'shop' }, SPAN)
    const shape = new Shape(
      Buffer.concat([SPAN, Buffer.from('shape')]),
      Buffer.alloc(size % 200, 1),
    )
    const own = [1, 2, 3].map((n) => Buffer.alloc(size, n))
    const events = own.map((bytes, at) => add(rows, shape, at + 4, bytes))
    const contents = own.map((bytes) => Buffer.concat([shape.contents, bytes]))
    const sums = events.map((bytes, at) => crc32(contents[at]!, crc32(bytes)))
    expect(rows.finish()).toEqual({
      session: 'S',
      connection: 'shop',
      first: 4,
      last: 6,
      events: sha256(...events),
      contents: sha256(SALT, ...contents),
      hints: sums.map((sum) => sum.toString(16).padStart(8, '0')).join(''),
    })
    expect(rows.count).toBe(0)
  }
})

test('a row that is taken back leaves nothing, and one that is taken away is given whole', () => {
  const shape = new Shape(SPAN, Buffer.from('text'))
  const [rows, alone] = [1, 2].map(() => new SessionRows({ session: 'S', connection: 'c' }, SPAN))
  add(rows!, shape, 1, Buffer.from('first'))
  add(alone!, shape, 1, Buffer.from('first'))
  begun(rows!, shape)
  rows!.takeBack()
  begun(rows!, shape)
  rows!.events.put(Buffer.from('other'))
  expect(rows!.takeRow()).toEqual({
    events: Buffer.concat([SPAN, Buffer.from('other')]),
    contents: Buffer.from('text'),
  })
  expect(rows!.finish()).toEqual(alone!.finish())
})
