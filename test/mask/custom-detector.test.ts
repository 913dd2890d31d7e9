import { describe, expect, test } from 'vitest'
import {
  type CustomDetector,
  customDetector,
  patternFault,
} from '../../src/mask/custom-detector.ts'
import { CANDIDATES_MAX, DetectorSet } from '../../src/mask/detect.ts'

function setOf(custom: CustomDetector): DetectorSet {
  const { name } = custom
  return new DetectorSet([
    { detector: name, custom: customDetector(custom), with: { type: 'redact' }, monitor: false },
  ])
}

function found(custom: CustomDetector, text: string, column = ''): string[] {
  const bytes = Buffer.from(text)
  const names = column === '' ? [] : [Buffer.from(column)]
  return setOf(custom)
    .scan(bytes, 0, bytes.length, names)
    .map((hit) => bytes.toString('utf8', hit.start, hit.end))
}

describe('a detector of a policy', () => {
  test('finds what its pattern finds', () => {
    const badge = { name: 'badge-number', pattern: '\\bEMP-[0-9]{6}\\b' }
    expect(found(badge, 'ask EMP-123456, not EMP-12345 or XEMP-123456')).toEqual(['EMP-123456'])
    expect(setOf(badge).mayHit(Buffer.from('xEMP-123456'))).toBe(true)
  })

  test('with words counts only beside one of them', () => {
    const badge = { name: 'badge-number', pattern: '[0-9]{6}', words: ['Badge', 'staff no'] }
    expect(found(badge, 'order 123456')).toEqual([])
    expect(found(badge, 'badge 123456')).toEqual(['123456'])
    expect(found(badge, '123456', 'staff_no')).toEqual(['123456'])
  })

  test('of which everything is a candidate hides the whole value', () => {
    const each = { name: 'each-one', pattern: '[a-z]' }
    expect(found(each, 'a '.repeat(10))).toHaveLength(10)
    const long = 'a '.repeat(CANDIDATES_MAX + 1)
    expect(found(each, long)).toEqual([long])
  })

  test('that never ends a match is bounded', () => {
    expect(found({ name: 'a-b', pattern: '\\b|xyz' }, 'ab '.repeat(10))).toEqual([])
  })
})

describe('patterns that are refused', () => {
  test.each([
    ['', 'expected a pattern'],
    ['(', 'not a pattern of RE2'],
    ['(?=a)b', 'not a pattern of RE2'],
    ['(a)\\1', 'not a pattern of RE2'],
    ['a{1001}', 'not a pattern of RE2'],
    ['x'.repeat(501), 'at most 500 characters, this one has 501'],
    ['a*', 'match nothing'],
    ['\\b', 'match nothing'],
    ['\\p{L}{300}', 'too large'],
    ['[\\p{L}\\p{N}]{1,900}', 'too large'],
  ])('%s', (pattern, message) => {
    expect(patternFault(pattern)).toContain(message)
  })

  test.each([
    'EMP-[0-9]{6}',
    '[A-Z]{2,4}-?[0-9]{4,10}',
    '(?i:customer)[ ]?[0-9]{8}',
    '\\p{L}+-[0-9]',
  ])('not %s', (pattern) => {
    expect(patternFault(pattern)).toBeUndefined()
  })
})
