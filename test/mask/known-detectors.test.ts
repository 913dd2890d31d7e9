import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { SCORE_LEAST, WORD_SCORE } from '../../src/mask/detectors/detector.ts'
import { EXAMPLES } from '../corpus/detect/examples.ts'
import { holds } from '../lib/detector-examples.ts'

/** Those whose examples stand in the test of their own file. */
const APART = readdirSync(new URL('detectors', import.meta.url)).map((name) =>
  name.replace('.test.ts', '').replaceAll('-', '_'),
)

test('every detector has examples that it must find and examples that it must leave', () => {
  for (const id of KNOWN_DETECTORS.keys()) {
    if (APART.includes(id)) continue
    expect(EXAMPLES[id]?.hits.length, id).toBeGreaterThan(0)
    expect(EXAMPLES[id]?.passes.length, id).toBeGreaterThan(0)
  }
  expect(Object.keys(EXAMPLES).filter((id) => !KNOWN_DETECTORS.has(id))).toEqual([])
})

test('there are at least forty, with the identity numbers of at least ten countries', () => {
  expect(KNOWN_DETECTORS.size).toBeGreaterThanOrEqual(40)
  const countries = [...KNOWN_DETECTORS.values()].filter(
    ({ group, id }) => group === 'identity' && /^[a-z]{2}_/.test(id),
  )
  expect(countries.length).toBeGreaterThanOrEqual(10)
})

test('no form is out of reach, and one that needs a word has words', () => {
  for (const { id, forms, words } of KNOWN_DETECTORS.values())
    for (const { score } of forms) {
      if (score >= SCORE_LEAST) continue
      expect(words?.length, id).toBeGreaterThan(0)
      expect(score + WORD_SCORE, id).toBeGreaterThanOrEqual(SCORE_LEAST)
    }
})

for (const [id, examples] of Object.entries(EXAMPLES))
  describe(id, () => holds(KNOWN_DETECTORS.get(id)!, examples))
