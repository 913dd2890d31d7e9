import { expect, test } from 'vitest'
import { numberDetector } from '../../../src/mask/detectors/number.ts'

const detector = numberDetector({
  id: 'x',
  group: 'identity',
  finds: '',
  checked: '',
  forms: [{ source: '[0-9]{2}-[0-9]{2}[a-z]', score: 60 }],
  needs: { length: 6 },
  words: ['tfn'],
  isValid: (text) => text === '1234Z',
})

test('the check sees letters in upper case and digits, nothing between them', () => {
  const bytes = Buffer.from('12-34z')
  expect(detector.confirm(bytes, 0, 6)).toEqual([{ start: 0, end: 6 }])
  expect(detector.confirm(Buffer.from('12-34y'), 0, 6)).toEqual([])
})

test('a part of a longer word or number is none', () => {
  for (const text of ['a12-34z', '12-34z9', '9-12-34z', '9.12-34z', '12-34z-9', '12-34z/1'])
    expect(detector.confirm(Buffer.from(text), text.indexOf('12'), text.indexOf('12') + 6)).toEqual(
      [],
    )
  for (const text of ['(12-34z)', '12-34z.', 'x: 12-34z-', '=12-34z,'])
    expect(
      detector.confirm(Buffer.from(text), text.indexOf('12'), text.indexOf('12') + 6),
    ).toHaveLength(1)
})

test('what other numbers are called speaks against it, its own name does not', () => {
  expect(detector.doubts).toContain('order')
  expect(detector.doubts).toContain('pesel')
  expect(detector.doubts).not.toContain('tfn')
})
