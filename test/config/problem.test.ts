import fc from 'fast-check'
import { expect, test } from 'vitest'
import { didYouMean, formatProblems, nearest, pathText } from '../../src/config/problem.ts'

test('problems are printed one a line, by file and line', () => {
  const one = { file: 'b.yaml', line: 2, column: 3, path: 'a.b', message: 'expected x' }
  const whole = { file: 'a.yaml', line: 0, column: 0, path: '', message: 'cannot be read' }
  expect(formatProblems([one, { ...one, line: 1 }, whole])).toBe(
    'a.yaml cannot be read\nb.yaml:1:3 a.b: expected x\nb.yaml:2:3 a.b: expected x',
  )
})

test('a path is written as one would write it in code', () => {
  expect(pathText(['listeners', 0, 'tls', 'cert'])).toBe('listeners[0].tls.cert')
  expect(pathText([])).toBe('')
})

test('the nearest word has few edits, a swap being one', () => {
  expect(nearest('lisetners', ['listeners', 'limits'])).toBe('listeners')
  expect(nearest('polices', ['policies'])).toBe('policies')
  expect(nearest('banana', ['policies', 'limits'])).toBeUndefined()
  expect(nearest('x'.repeat(100), ['x'])).toBeUndefined()
  expect(didYouMean('Data', ['data'])).toBe(' (did you mean data?)')
})

test('whatever the words are, the nearest is one of them', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (word, known) => {
      const found = nearest(word, known)
      if (found !== undefined) expect(known).toContain(found)
    }),
  )
})
