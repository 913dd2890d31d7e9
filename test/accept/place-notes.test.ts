import { expect, test } from 'vitest'
import { PlaceNotes } from '../../src/accept/place-notes.ts'

test('a place is known for a while, and anew when it is told anew', () => {
  let now = 0
  const notes = new PlaceNotes({ forMs: 100, placesMax: 10, now: () => now })
  expect(notes.has('a')).toBe(false)
  notes.add('a')
  now = 99
  expect(notes.has('a')).toBe(true)
  notes.add('a')
  now = 150
  expect(notes.has('a')).toBe(true)
  now = 199
  expect(notes.has('a')).toBe(false)
})

test('it can be forgotten', () => {
  const notes = new PlaceNotes({ forMs: 100, placesMax: 10, now: () => 0 })
  notes.add('a')
  notes.forget('a')
  expect(notes.has('a')).toBe(false)
})

test('of more places than it keeps, those told last stay', () => {
  const notes = new PlaceNotes({ forMs: 100, placesMax: 2, now: () => 0 })
  for (const place of ['a', 'b', 'a', 'c']) notes.add(place)
  expect(['a', 'b', 'c'].map((place) => notes.has(place))).toEqual([true, false, true])
})
