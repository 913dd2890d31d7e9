import { describe, expect, test } from 'vitest'
import { ContextWords } from '../../src/mask/context-words.ts'

const words = new ContextWords(['nhs', 'social security', 'マイナンバー', 't.c. no'])

/** `|` stands for the candidate. */
function near(text: string, ...names: string[]): boolean {
  const [before, after] = text.split('|')
  const bytes = Buffer.from(`${before}12345${after}`)
  const start = Buffer.byteLength(before!)
  return words.near(bytes, { start, end: start + 5 }, names.map(Buffer.from))
}

function before(text: string, ...names: string[]): boolean {
  return words.before(Buffer.from(`${text}12345`), Buffer.byteLength(text), names.map(Buffer.from))
}

describe('near', () => {
  test('before, after, and in a name', () => {
    expect(near('NHS no. |')).toBe(true)
    expect(near('|(the NHS)')).toBe(true)
    expect(near('|', 'patient_nhs')).toBe(true)
    expect(near('|', 'nhsNumber')).toBe(true)
    expect(near('|', 'patientNhs')).toBe(true)
    expect(near('|', 'patientnhs')).toBe(false)
  })

  test('as a word of its own, spaced as one likes', () => {
    expect(near('social-security |')).toBe(true)
    expect(near('socialsecurity: |')).toBe(true)
    expect(near('t.c. no |')).toBe(true)
    expect(near('txcx no |')).toBe(false)
    expect(near('anhsb |')).toBe(false)
  })

  test('not from far away', () => {
    expect(near(`NHS ${'. '.repeat(40)}|`)).toBe(false)
  })

  test('in scripts without spaces', () => {
    expect(near('私のマイナンバーは|')).toBe(true)
  })
})

test('right before: the last word, or one that only links', () => {
  expect(before('NHS ')).toBe(true)
  expect(before('NHS no: ')).toBe(true)
  expect(before('NHS number is ')).toBe(true)
  expect(before('NHS gave him ')).toBe(false)
  expect(before('', 'nhs_no')).toBe(true)
  expect(before('x ', 'nhs_no')).toBe(false)
})
