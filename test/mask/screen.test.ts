import { expect, test } from 'vitest'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { screenOf } from '../../src/mask/screen.ts'

const email = KNOWN_DETECTORS.get('email')!
const jwt = KNOWN_DETECTORS.get('jwt')!

test('the same detectors share what was compiled, in whatever order', () => {
  expect(screenOf([email, jwt])).toBe(screenOf([jwt, email]))
  expect(screenOf([email])).not.toBe(screenOf([jwt]))
})

test('the set names the forms that occur', () => {
  const { set, forms } = screenOf([jwt, email])
  const found = set.match(Buffer.from('to a@b.example'))
  expect(found.map((index) => forms[index]!.detector.id)).toEqual(['email'])
  expect(set.match(Buffer.from('nothing'))).toEqual([])
})

test('all known detectors fit into one set', () => {
  const { set, forms } = screenOf([...KNOWN_DETECTORS.values()])
  expect(set.size).toBe(forms.length)
  expect(set.test(Buffer.from('nothing'))).toBe(false)
})

test('two detectors of one name are two', () => {
  const other = { ...email, forms: [{ source: 'zzz', score: 60 }] }
  expect(screenOf([other])).not.toBe(screenOf([email]))
})
