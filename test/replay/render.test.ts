import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PostgresReader } from '../../src/replay/postgres-reader.ts'
import { clockOf, Renderer } from '../../src/replay/render.ts'
import { type Item, Timeline } from '../../src/replay/timeline.ts'
import { answered, asked, columns, error, row, tag, values } from './rows.ts'

/** What a terminal would obey, apart from line breaks. */
const OBEYED = /[\p{Cc}\p{Cf}\u2028\u2029]/u

function shown(rowsMax: number, ...rows: readonly ReturnType<typeof row>[]): string {
  const renderer = new Renderer({ rowsMax })
  const timeline = new Timeline(new PostgresReader())
  const items = [...rows.flatMap((one) => timeline.push(one)), ...timeline.end('closed')]
  return items.map((item) => renderer.item(item)).join('') + renderer.end()
}

test('a statement, its result and its end', () => {
  const bytes = Buffer.concat([
    columns([{ name: 'id' }, { name: 'email' }]),
    ...[values(['1', '****']), values(['2', null]), tag('SELECT 2')],
  ])
  const outcome = { rows: 2, bytes_down: 99, upstream_us: 1500, masked: { 'public.t.email': 1 } }
  expect(
    shown(
      9,
      asked(1, 'SELECT id,\n  email FROM t', { params: ['x'] }),
      answered(2, 1, bytes, outcome),
    ),
  ).toBe(
    [
      '    +0.000  #1  SELECT',
      '            SELECT id,',
      '              email FROM t',
      '            $1 = x',
      '            id | email',
      '            ---+------',
      '            1  | ****',
      '            2  | NULL',
      '            SELECT 2',
      '    +1.000  #1  ok · 2 rows · 99 bytes · 1.5 ms at the target · masked public.t.email 1',
      '    +1.000  end of the record, session closed',
      '',
    ].join('\n'),
  )
})

test('nothing that was recorded is obeyed by a terminal', () => {
  const evil = '\x1b]0;owned\x07\x9b2J\u202e\r\n\x1b[1A'
  const bytes = Buffer.concat([
    columns([{ name: evil }]),
    ...[values([evil]), error('42P01', evil, evil), tag(evil)],
  ])
  const text = shown(
    9,
    row(1, { kind: evil, status: evil, text: evil }),
    asked(2, evil, { params: [evil], verb: evil, verdict: evil, rule: evil }),
    answered(3, 2, bytes, { status: evil, error: evil, masked: { [evil]: 1 } }),
  )
  for (const line of text.split('\n')) expect(OBEYED.test(line)).toBe(false)
  expect(text).toContain('\\x1b]0;owned\\x07')
})

test('no text of any kind is obeyed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const item = {
        seq: 1,
        at: 0,
        offset: 0,
        action: 1,
        type: 'row',
        values: [text, { hex: 'ff' }],
      }
      const renderer = new Renderer({ rowsMax: 5 })
      const out = renderer.item(item as Item) + renderer.end()
      expect(OBEYED.test(out.replace(/\n$/, ''))).toBe(false)
    }),
  )
})

test('rows beyond the most are counted, and what is long is cut', () => {
  const many = Array.from({ length: 100 }, (_, i) => values([`${i}`]))
  const bytes = Buffer.concat([columns([{ name: 'a' }]), ...many, tag('SELECT 100')])
  const text = shown(3, asked(1, 'x'.repeat(5000)), answered(2, 1, bytes))
  expect(text).toContain('… 97 more rows are not shown (--rows)')
  expect(text).toContain('… 1000 characters more')
  expect(text).not.toContain(' 3\n')
  const wide = shown(3, asked(1, 'q'), answered(2, 1, values(['y'.repeat(1000)])))
  expect(wide).toContain(`${'y'.repeat(80)}… (920 more)`)
})

test('rows that are shown early have no second heading, and are counted on', () => {
  const renderer = new Renderer({ rowsMax: 2 })
  const of = { seq: 1, at: 0, offset: 0, action: 1 }
  renderer.item({ ...of, type: 'columns', columns: [{ name: 'a', type: 'text' }] })
  const parts = ['1', '2', '3'].map((one) => {
    return renderer.item({ ...of, type: 'row', values: [one] }) + renderer.flush()
  })
  expect(parts.map((part) => part.trim().split(/\n */))).toEqual([['a', '-', '1'], ['2'], ['']])
  expect(renderer.end()).toContain('1 more rows')
})

test('cut payloads and outcomes that are missing are told', () => {
  const text = shown(
    9,
    asked(1, 'SELECT 1'),
    answered(2, 1, columns([{ name: 'a' }]).subarray(0, 9), { payload_cut: true }),
    asked(5, 'SELECT 2'),
  )
  expect(text).toContain('… 9 bytes of the record are no whole message')
  expect(text).toContain('the record of the result is cut here')
  expect(text).toContain('events 3 to 4 are not in the record')
  expect(text).toContain('#5  unknown: no outcome was recorded')
})

test('times of a session', () => {
  expect([0, 1_234_000, 61_000_000, 3_723_004_000, -5].map(clockOf)).toEqual([
    ...['+0.000', '+1.234', '+1:01.000', '+1:02:03.004', '+0.000'],
  ])
})
