import { expect, test } from 'vitest'
import { options } from '../../bench/options.ts'

test('flags and works are taken as given', () => {
  expect(options(['--quick', '--only', 'P1,P2'], ['P1', 'P2'])).toEqual({
    isQuick: true,
    isNoiseFine: false,
    only: new Set(['P1', 'P2']),
  })
  expect(options([], ['P1']).only).toBeUndefined()
})

test('a misspelt work or flag is refused rather than measured as nothing', () => {
  expect(() => options(['--only', 'P9'], ['P1'])).toThrow('there are P1')
  expect(() => options(['--quik'], ['P1'])).toThrow('--quik')
})
