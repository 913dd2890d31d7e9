import { expect, test } from 'vitest'
import { SCORE_LEAST } from '../../../src/mask/detectors/detector.ts'
import { tokenDetector } from '../../../src/mask/detectors/token.ts'

const base = { id: 'x', group: 'service', finds: '', needs: { length: 3 } } as const

test('sources are sure, weak ones need a word', () => {
  const { forms, probe } = tokenDetector({ ...base, sources: ['ab_[0-9]'], weak: ['[0-9]{3}'] })
  expect(forms.map(({ score }) => score >= SCORE_LEAST)).toEqual([true, false])
  expect(probe).toBe('ab_[0-9]|[0-9]{3}')
})

test('a short mark does not end a word', () => {
  const loose = tokenDetector({ ...base, sources: ['ab'] })
  const tight = tokenDetector({ ...base, sources: ['ab'], apart: true })
  expect(loose.confirm(Buffer.from('xab'), 1, 3)).toHaveLength(1)
  expect(tight.confirm(Buffer.from('xab'), 1, 3)).toHaveLength(0)
  expect(tight.confirm(Buffer.from('"ab'), 1, 3)).toHaveLength(1)
})

test('what the check denies is none', () => {
  const never = tokenDetector({ ...base, sources: ['ab'], isSound: () => false })
  expect(never.confirm(Buffer.from('ab'), 0, 2)).toEqual([])
})
