import { expect, test } from 'vitest'
import { stepsOfPath } from '../../../../../src/protocols/postgres/sql/lineage/json-path.ts'

test.each([
  ['$', []],
  [' lax $ ', []],
  ['$.a.b', [{ key: 'a' }, { key: 'b' }]],
  ['strict $ . "a b" [ 0 ][*].c_1', [{ key: 'a b' }, 'place', 'place', { key: 'c_1' }]],
  ['$."0"', [{ key: '0' }]],
])('%s is steps', (path, steps) => {
  expect(stepsOfPath(path)).toEqual(steps)
})

test.each([
  'a',
  '',
  '$x',
  '$.*',
  '$.**',
  '$.**.card',
  '$.a ? (@ > 1)',
  '$.a.size()',
  '$.keyvalue().value',
  '$[last]',
  '$[0 to 2]',
  '$[0, 1]',
  '$."a\\u0062"',
  '$.\\u0061',
  '$.a + 1',
  '$.a == 1',
  '$.ä',
  '-$.a',
  'exists($.a)',
  '$.a /* c */ .b',
])('%s is more than steps', (path) => {
  expect(stepsOfPath(path)).toBeUndefined()
})
