import { expect, test } from 'vitest'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { screenOf } from '../../src/mask/screen.ts'

const email = KNOWN_DETECTORS.get('email')!
const jwt = KNOWN_DETECTORS.get('jwt')!

test('the same detectors share what was compiled, in whatever order', () => {
  expect(screenOf([email, jwt])).toBe(screenOf([jwt, email]))
  expect(screenOf([email])).not.toBe(screenOf([jwt]))
})

test('the sieve names the forms that may occur', () => {
  const { sieve, forms } = screenOf([jwt, email])
  const named = (text: string) => {
    const bytes = Buffer.from(text)
    return [...sieve.candidates(bytes, 0, bytes.length)].map((at) => forms[at]!.detector.id)
  }
  expect(named('to a@b.example')).toEqual(['email'])
  expect(named('nothing at all')).toEqual([])
})

test('few detectors have a probe for many values; of many it always says yes', () => {
  expect(screenOf([email, jwt]).mayOccur(Buffer.from('nothing'))).toBe(false)
  expect(screenOf([email, jwt]).mayOccur(Buffer.from('a@b'))).toBe(true)
  expect(screenOf([...KNOWN_DETECTORS.values()]).mayOccur(Buffer.from('x'))).toBe(true)
})

test('a form asks for what its source, its detector and it itself ask for', () => {
  const { forms } = screenOf([KNOWN_DETECTORS.get('aws_key')!])
  expect(forms[0]!.needs).toMatchObject({ length: 20, run: 20, literals: ['akia', 'asia'] })
  expect(forms[1]!.needs).toMatchObject({ mixedRun: 40 })
})

test('two detectors of one name are two', () => {
  const other = { ...email, forms: [{ source: 'zzz', score: 60 }] }
  expect(screenOf([other])).not.toBe(screenOf([email]))
})
