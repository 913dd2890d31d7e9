import { expect, test } from 'vitest'
import { DetectorSet, KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { findingsIn } from '../../src/mask/findings.ts'

const all = new DetectorSet(
  [...KNOWN_DETECTORS.keys()].map((detector) => ({
    detector,
    with: { type: 'redact' },
    monitor: false,
  })),
)

test('a card number in the text and two addresses in the parameters are found and counted apart', () => {
  const places = {
    text: ["SELECT '4111 1111 1111 1111'"],
    params: ['a@example.org', 'b@example.org'],
  }
  expect(findingsIn(places, all)).toEqual([
    { detector: 'credit_card', count: 1, where: 'text' },
    { detector: 'email', count: 2, where: 'params' },
  ])
})

test('nothing is found in ordinary text', () => {
  expect(findingsIn({ text: ['SELECT 1'], params: [] }, all)).toEqual([])
})
