import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cell, printable, sheet, table } from '../../src/cli/table.ts'

describe('recorded text on a terminal', () => {
  test('holds nothing that a terminal obeys, whatever was recorded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        )
        expect(table([{ [text]: text }], [text]).split('\n')).toHaveLength(3)
      }),
    )
  })

  test('writes escapes out, so that they can be read', () => {
    expect(printable('a\u001b]0;title\u0007\n\u202e\u{e0001}')).toBe(
      'a\\x1b]0;title\\x07\\n\\u202e\\u{e0001}',
    )
    expect(printable('Grüße, 한국어 😀')).toBe('Grüße, 한국어 😀')
  })

  test('shows every kind of value on one line', () => {
    const shown = [null, undefined, 1, true, ['a', 'b'], { a: '\n' }, '\t'].map(cell)
    expect(shown).toEqual(['', '', '1', 'true', 'a,b', '{"a":"\\n"}', '\\t'])
  })
})

describe('a table', () => {
  test('is aligned, wide characters included, without blanks at the end', () => {
    const rows = [
      { id: 'a', name: '한국', more: 1 },
      { id: 'long', name: 'x', more: '' },
    ]
    expect(table(rows, ['id', 'name', 'more'])).toBe('ID    NAME  MORE\na     한국  1\nlong  x\n')
  })

  test('cuts long cells and says so, and is empty without rows', () => {
    expect(table([{ a: 'x'.repeat(500) }], ['a']).split('\n')[1]).toMatch(/^x{119}…$/)
    expect(table([], ['a'])).toBe('')
  })

  test('of one record is a line a name', () => {
    expect(sheet({ id: 's1', masked_values: 2 })).toBe('id             s1\nmasked_values  2\n')
  })
})
