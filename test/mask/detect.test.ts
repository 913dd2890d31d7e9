import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CANDIDATES_MAX, DetectorSet, KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'
import { marked, setOf } from '../lib/detector-examples.ts'

const ALL = [...KNOWN_DETECTORS.keys()]
const REDACT: Transform = { type: 'redact' }
const PARTIAL: Transform = { type: 'partial', keepFirst: 0, keepLast: 4 }

describe('a detector set', () => {
  test('names what it finds and where, counted in bytes from the start of the value', () => {
    const bytes = Buffer.from('éé a@b.example 4111111111111111 é')
    const hits = setOf('email', 'credit_card').scan(Buffer.concat([Buffer.from('zz'), bytes]), 2)
    expect(hits.map((hit) => [hit.detector, bytes.toString('utf8', hit.start, hit.end)])).toEqual([
      ['email', 'a@b.example'],
      ['credit_card', '4111111111111111'],
    ])
  })

  test('of hits that overlap makes one, under the stronger transform', () => {
    const set = new DetectorSet([
      { detector: 'email', with: PARTIAL, monitor: true },
      { detector: 'high_entropy', with: REDACT, monitor: false },
    ])
    const hits = set.scan(Buffer.from('to kX9vQ2mZ7pL4tR8wB3nY@mail.example'))
    expect(hits).toEqual([
      { detector: 'high_entropy', start: 3, end: 36, score: 55, transform: REDACT, monitor: false },
    ])
  })

  test('takes the stronger of two uses of one detector', () => {
    const set = new DetectorSet([
      { detector: 'email', with: PARTIAL, monitor: false },
      { detector: 'email', with: REDACT, monitor: true },
    ])
    expect(set.scan(Buffer.from('a@b.example'))[0]).toMatchObject({
      transform: REDACT,
      monitor: false,
    })
    expect(set.enforced?.scan(Buffer.from('a@b.example'))[0]).toMatchObject({ transform: PARTIAL })
  })

  test('without an enforced use changes nothing for clients', () => {
    const uses = [{ detector: 'email', with: REDACT, monitor: true }]
    expect(new DetectorSet(uses).enforced).toBeUndefined()
    const set = setOf('email')
    expect(set.enforced).toBe(set)
  })

  test('judges the value alone: what stands before and after it in the buffer does not count', () => {
    const bytes = Buffer.from('4111111111111111')
    const around = Buffer.concat([Buffer.from('1'), bytes, Buffer.from('1')])
    expect(setOf('credit_card').scan(around)).toEqual([])
    expect(setOf('credit_card').scan(around, 1, 17)).toHaveLength(1)
    expect(setOf('credit_card').mayHit(around)).toBe(true)
  })

  test('never finds in a value what the cheap looks at it and at its surroundings deny', () => {
    const set = setOf(...ALL)
    const piece = fc.oneof(
      ...ALL.flatMap((id) =>
        KNOWN_DETECTORS.get(id)!.forms.map((form) => fc.stringMatching(javascript(form.source))),
      ),
      fc.constantFrom('4111 1111 1111 1111', 'DE89 3704 0044 0532 0130 00', '123-45-6789'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), fc.uint8Array(), (pieces, noise) => {
        const value = Buffer.from(pieces.join(' '))
        if (set.scan(value).length === 0) return
        expect(set.mayHold(value, 0, value.length)).toBe(true)
        const amid = Buffer.concat([noise, value, noise])
        expect(set.mayHit(amid)).toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  test('never fails on noise, and its hits are in order and within the value', () => {
    const set = setOf(...ALL)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        let last = 0
        for (const hit of set.scan(noise)) {
          expect(hit.start).toBeGreaterThanOrEqual(last)
          expect(hit.end).toBeGreaterThan(hit.start)
          last = hit.end
        }
        expect(last).toBeLessThanOrEqual(noise.length)
      }),
    )
  })

  test('redacts a value with too many candidates as a whole', () => {
    const set = new DetectorSet([
      { detector: 'ipv4', with: PARTIAL, monitor: false },
      { detector: 'email', with: PARTIAL, monitor: true },
    ])
    const address = '10.1.2.3 '
    const few = Buffer.from(address.repeat(CANDIDATES_MAX / 2 - 1))
    expect(set.scan(few)).toHaveLength(CANDIDATES_MAX / 2 - 1)
    const many = Buffer.from(`${address.repeat(CANDIDATES_MAX + 1)} a@b.example`)
    expect(set.scan(many)).toEqual([
      {
        ...{ detector: 'ipv4', start: 0, end: many.length, score: 100 },
        ...{ transform: REDACT, monitor: false },
      },
    ])
  })

  test('finds several kinds in one text', () => {
    const text = 'mail a@b.example, card 4111111111111111, ssn 123-45-6789'
    expect(marked(setOf(...ALL), text)).toBe(
      'mail «a@b.example», card «4111111111111111», ssn «123-45-6789»',
    )
  })
})

/** RE2 source as one that fast-check can make examples of. */
function javascript(source: string): RegExp {
  const plain = source
    .replaceAll('\\b', '')
    .replace(/\(\?i:/g, '(?:')
    .replaceAll('\\p{M}', '')
    .replaceAll('\\p{L}', 'a-zé')
    .replaceAll('\\p{N}', '0-9')
  return new RegExp(plain)
}
