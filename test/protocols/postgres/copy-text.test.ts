import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../../src/base/bytes.ts'
import {
  type CopyField,
  type CopySyntax,
  decodeField,
  encodeField,
  RowEnds,
  readField,
} from '../../../src/protocols/postgres/copy-text.ts'

const [TAB, COMMA, QUOTE, BACKSLASH] = [0x09, 0x2c, 0x22, 0x5c]
const SYNTAXES: CopySyntax[] = [
  { csv: false, delimiter: TAB, quote: QUOTE, escape: QUOTE },
  { csv: false, delimiter: COMMA, quote: QUOTE, escape: QUOTE },
  { csv: true, delimiter: COMMA, quote: QUOTE, escape: QUOTE },
  { csv: true, delimiter: COMMA, quote: 0x27, escape: BACKSLASH },
]

test('what is encoded reads back as it was, and ends where it ends', () => {
  const value = fc.array(fc.constantFrom(...Buffer.from('ab\\"\'\n\r\t\b\f\v,é')))
  fc.assert(
    fc.property(fc.constantFrom(...SYNTAXES), value, value, (syntax, one, two) => {
      const sink = new ByteSink()
      encodeField(Buffer.from(one), sink, syntax)
      const middle = sink.size
      sink.u8(syntax.delimiter)
      encodeField(Buffer.from(two), sink, syntax)
      const size = sink.size
      sink.u8(0x0a)
      const bytes = Buffer.from(sink.view())
      const field: CopyField = { start: 0, end: 0, quoted: false, escaped: false }
      expect(readField(bytes, field, { start: 0, end: size, syntax })).toBe(true)
      expect(field.end).toBe(middle)
      const out = new ByteSink()
      decodeField(bytes, field, { sink: out, syntax })
      expect(out.view()).toEqual(Buffer.from(one))
      expect(new RowEnds(syntax).next(bytes, 0, bytes.length)).toBe(bytes.length)
    }),
  )
})

test('a quote amid a bare csv value, after a quoted one, or without an end is malformed', () => {
  const field: CopyField = { start: 0, end: 0, quoted: false, escaped: false }
  for (const text of ['a"b', '"a"b', '"a', '"a""']) {
    const at = { start: 0, end: text.length, syntax: SYNTAXES[2]! }
    expect(readField(Buffer.from(text), field, at)).toBe(false)
  }
  const lone = { start: 0, end: 2, syntax: SYNTAXES[0]! }
  expect(readField(Buffer.from('a\\'), field, lone)).toBe(false)
})
