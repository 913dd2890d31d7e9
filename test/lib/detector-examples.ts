/** Pure. What every detector owes, checked on its own examples; used by each detector's test. */
import { expect, test } from 'vitest'
import { DetectorSet } from '../../src/mask/detect.ts'
import type { Detector } from '../../src/mask/detectors/detector.ts'

export interface Examples {
  /** `«…»` encloses what must be hidden. */
  readonly hits: readonly string[]
  readonly passes: readonly string[]
}

export function setOf(...ids: string[]): DetectorSet {
  return new DetectorSet(
    ids.map((detector) => ({ detector, with: { type: 'redact' }, monitor: false })),
  )
}

/** The text with `«` and `»` around its hits. */
export function marked(set: DetectorSet, text: string): string {
  const bytes = Buffer.from(text)
  let out = ''
  let at = 0
  for (const hit of set.scan(bytes)) {
    out += `${bytes.toString('utf8', at, hit.start)}«${bytes.toString('utf8', hit.start, hit.end)}»`
    at = hit.end
  }
  return out + bytes.toString('utf8', at)
}

export function holds(detector: Detector, examples: Examples): void {
  const set = setOf(detector.id)
  test.each(examples.hits)('it finds %s', (example) => {
    expect(marked(set, example.replace(/[«»]/g, ''))).toBe(example)
  })
  test.each(examples.passes)('it leaves %s', (example) => {
    expect(marked(set, example)).toBe(example)
  })
  test('what it finds passes the cheap looks, alone and amid anything', () => {
    for (const example of examples.hits) {
      const plain = example.replace(/[«»]/g, '')
      const part = /«(.*)»/s.exec(example)![1]!
      // Where the hit is only a part of what tells, the whole must pass.
      const hit = set.scan(Buffer.from(part)).length > 0 ? part : plain
      for (const text of [hit, `\u0000${hit}\u0001`, `9${hit}z`, `x.${hit}0`]) {
        const bytes = Buffer.from(text)
        expect(set.mayHit(bytes)).toBe(true)
        expect(set.mayHold(bytes, 0, bytes.length)).toBe(true)
      }
    }
  })
  test('bytes that are no UTF-8 beside a hit do not hide it', () => {
    for (const example of examples.hits) {
      const text = Buffer.from(` ${example.replace(/[«»]/g, '')} `)
      const bytes = Buffer.concat([Buffer.of(0xff, 0xc3), text, Buffer.of(0x80, 0xfe)])
      expect(set.scan(bytes).length).toBeGreaterThan(0)
    }
  })
}
