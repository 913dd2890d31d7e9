import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvHead, csvItem } from '../../src/replay/export-csv.ts'
import type { Item } from '../../src/replay/timeline.ts'

const OF = { seq: 1, at: 1_700_000_000_000_000, offset: 1_500_000, action: 2 }

/** RFC 4180, strictly. */
function cells(text: string): string[][] {
  expect(text.endsWith('\r\n')).toBe(true)
  const records: string[][] = [[]]
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const found = pattern.exec(text)
    if (found === null) throw new Error(`no CSV at ${at}: ${text.substring(at, at + 40)}`)
    records.at(-1)!.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    if (found[3] === '\r\n') records.push([])
  }
  records.pop()
  return records
}

function action(statement: string, more: object = {}): Item {
  const of = { class: 'read', verb: 'SELECT', objects: [], params: [], verdict: 'allow', rule: '' }
  return { ...OF, type: 'action', ...of, statement, bytes_up: 9, ...more } as unknown as Item
}

test('every record has the columns of the head', () => {
  const [head] = cells(csvHead())
  const [line] = cells(csvItem(action('SELECT "a",\n\'b\'', { params: ['1'] })))
  expect(line).toHaveLength(head!.length)
  const named = Object.fromEntries(head!.map((name, at) => [name, line![at]]))
  expect(named).toMatchObject({
    time: '2023-11-14T22:13:20.000Z',
    offset_s: '1.5',
    statement: 'SELECT "a",\n\'b\'',
    params: '["1"]',
  })
})

const FORMULAS = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  ' =1',
  'a\n=1',
  '|cmd',
  '%x',
  '＝1',
  '\u00a0=1',
  '"=1"',
]

test('no cell begins a formula', () => {
  for (const formula of FORMULAS) {
    const [line] = cells(csvItem(action(formula, { verb: formula, rule: formula, class: formula })))
    for (const cell of line!)
      for (const part of cell.split('\n'))
        expect([formula, /^[\s"]*[=+\-@|%＝＋－＠\t\r]/.test(part)]).toEqual([formula, false])
  }
})

test('whatever was recorded, it is CSV without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const row = { ...OF, type: 'row', values: [text, null, { hex: 'ff' }] } as Item
      for (const one of [action(text), row]) {
        const out = csvItem(one)
        expect(cells(out)).toHaveLength(1)
        expect(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/.test(out)).toBe(false)
      }
    }),
  )
})

test('bookkeeping of the protocol is left out', () => {
  expect(csvItem({ ...OF, type: 'ready', transaction: 'I' })).toBe('')
})
