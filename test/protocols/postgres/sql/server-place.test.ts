import { expect, test } from 'vitest'
import { placeIn, placeOf } from '../../../../src/protocols/postgres/sql/server-place.ts'

const HERE = { at: '10.0.0.1', start: '2026-11-22T03:17:35.938187+00:00' }

test('equal for the same run of the same server, in whatever time zone it says so', () => {
  const here = placeOf(HERE)
  expect(placeOf({ ...HERE, start: '2026-11-22T08:47:35.938187+05:30' })).toBe(here)
  expect(placeOf({ ...HERE, start: '2026-11-21T21:17:28.938187-06:00:07' })).toBe(here)
  expect(placeIn(JSON.stringify({ path: [], ...HERE }))).toBe(here)
  expect(placeOf({ ...HERE, at: '10.0.0.2' })).not.toBe(here)
  expect(placeOf({ ...HERE, at: null })).not.toBe(here)
  expect(placeOf({ ...HERE, start: '2026-11-22T03:17:35.940187+00:00' })).not.toBe(here)
})

test('undefined where it is no answer', () => {
  const long = 'x'.repeat(65)
  for (const wrong of [
    {},
    { at: 1, start: '' },
    { at: null },
    { start: '' },
    { at: '', start: 1 },
    { at: '', start: '' },
    { at: '', start: 'infinity' },
    { at: '', start: '2026-11-22T03:17:35.938187' },

    { at: '', start: null },
  ])
    expect(placeOf(wrong)).toBeUndefined()
  expect(placeOf({ at: long, start: HERE.start })).toBeUndefined()
  expect(placeOf({ at: null, start: long })).toBeUndefined()
  for (const text of ['', 'null', '7', '[]', '{"at":']) expect(placeIn(text)).toBeUndefined()
})
