import { expect, test } from 'vitest'
import {
  Bundle,
  BundleReader,
  EVIDENCE_BEGINS,
  EVIDENCE_ENDS,
  offeredVerifier,
} from '../../src/replay/bundle.ts'

const LINES = [
  {
    sluice: 'evidence',
    version: 1,
    scope: { type: 'session', session: '01S' },
    made: 5,
    columns: [],
  },
  { keys: [{ text: '</script><script>alert(1)</script>', signature: 'a\u2028b' }] },
  { known: [{ source: 'x', text: '<b>' }] },
  { end: true },
]

function file(): string {
  const bundle = new Bundle('the verifier')
  return bundle.begin() + LINES.map((line) => bundle.line(line)).join('') + bundle.end()
}

test('the lines of evidence are read again as they were written', () => {
  const reader = new BundleReader()
  const lines = file()
    .split('\n')
    .filter((line) => reader.isEvidence(line))
  expect(lines.map((line) => JSON.parse(line))).toEqual(LINES)
  expect(reader.isBundle).toBe(true)
  expect(offeredVerifier(reader.page.behind)).toBe('the verifier')
})

test('nothing in a line ends the script that it stands in, or the line', () => {
  const text = file()
  expect(text.split(EVIDENCE_ENDS)).toHaveLength(2)
  expect(text.split(EVIDENCE_BEGINS)).toHaveLength(2)
  expect(text.split(/\r|\n|\u2028/).filter((line) => line.startsWith('{'))).toHaveLength(4)
})

test('a file of lines alone has no page', () => {
  const reader = new BundleReader()
  expect(['{"sluice":"evidence"}', '{"end":true}'].every((one) => reader.isEvidence(one))).toBe(
    true,
  )
  expect(reader.isBundle).toBe(false)
})

test('the same lines make the same page, and a changed one shows', () => {
  const page = (text: string): BundleReader['page'] => {
    const reader = new BundleReader()
    for (const line of text.split('\n')) reader.isEvidence(line)
    return reader.page
  }
  expect(page(file())).toEqual(page(file()))
  expect(page(file().replace('<h1>Session 01S', '<h1>Session 02S'))).not.toEqual(page(file()))
})
