import { expect, test } from 'vitest'
import { CLASSES, highest } from '../../src/decide/action.ts'

test('the highest class is the last in rising order, wherever it stands', () => {
  expect(highest(['schema', 'read', 'write'])).toBe('schema')
  expect(highest([...CLASSES].reverse())).toBe('opaque')
  expect(highest(['read'])).toBe('read')
})
