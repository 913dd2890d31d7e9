import { expect, test } from 'vitest'
import { Asciicast } from '../../src/replay/export-asciicast.ts'

test('a head, and events with the seconds since the one before', () => {
  const cast = new Asciicast()
  const lines = [
    cast.head('orders 01S', 1_700_000_000_000_000),
    cast.output('a\nb\n', 1_700_000_001_500_000),
    cast.output('', 1_700_000_001_600_000),
    // The clock went back.
    cast.output('c', 1_700_000_000_000_000),
    cast.output('d', 1_700_000_002_000_000),
    cast.end(),
  ]
  const [head, ...events] = lines
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(head).toMatchObject({
    version: 3,
    timestamp: 1_700_000_000,
    term: { cols: 140, rows: 40 },
  })
  expect(events).toEqual([
    [1.5, 'o', 'a\r\nb\r\n'],
    [0, 'o', 'c'],
    [0.5, 'o', 'd'],
    [0, 'x', '0'],
  ])
})
