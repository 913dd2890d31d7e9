import { describe, expect, test } from 'vitest'
import { ownNames } from '../../src/decide/policy-detectors.ts'
import { readPolicy } from '../../src/decide/policy-file.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'

function read(...lines: string[]) {
  const head = ['apiVersion: sluice/v1', 'kind: Policy', 'name: p']
  return readPolicy({ path: 'p.yaml', text: [...head, ...lines, ''].join('\n') }, KNOWN_DETECTORS)
}

function problems(...lines: string[]): string[] {
  return read(...lines).problems.map((one) => `${one.line}:${one.column} ${one.message}`)
}

const MASKS = 'masks: [{ detect: [badge-number, jwt], with: redact }]'

describe('detectors of a policy', () => {
  test('reach its masks', () => {
    const { policy, problems: found } = read(
      'detectors:',
      '  - { name: badge-number, pattern: "EMP-[0-9]{6}", words: [badge] }',
      MASKS,
    )
    expect(found).toEqual([])
    const [own, known] = policy!.masks.detectors
    expect(own).toMatchObject({
      detector: 'badge-number',
      custom: { id: 'badge-number', group: 'custom', words: ['badge'] },
    })
    expect(known).not.toHaveProperty('custom')
  })

  test('are known in their own file alone', () => {
    expect(problems(MASKS)).toEqual([expect.stringMatching(/^4:20 there is no such detector/)])
  })

  test('name the place of what is wrong', () => {
    expect(
      problems(
        'detectors:',
        '  - name: badge',
        '    pattern: "EMP-[0-9]{6}"',
        '  - name: a-b',
        '    pattern: "(?=x)y"',
        '  - name: c-d',
        '    pattern: "[a-z]{1,9}*"',
        '    words: ["a|b"]',
        '  - { name: e-f, pattern: "\\\\p{L}{300}" }',
      ),
    ).toEqual([
      expect.stringMatching(/^5:11 expected small letters and digits with a dash/),
      expect.stringMatching(/^8:14 not a pattern of RE2/),
      expect.stringMatching(/^10:14 /),
      expect.stringMatching(/^11:13 expected a word/),
      expect.stringMatching(/^12:27 the pattern is too large/),
    ])
  })

  test('have names that stand once', () => {
    const one = '{ name: a-b, pattern: abc }'
    expect(problems(`detectors: [${one}, ${one}]`)).toEqual(['4:12 a-b stands here twice'])
  })

  test('their names are read from any file', () => {
    expect(ownNames({ detectors: [{ name: 'a-b' }, { name: 3 }, 'x', { name: 'jwt' }] })).toEqual([
      'a-b',
    ])
    for (const file of [null, 3, {}, { detectors: 'x' }]) expect(ownNames(file)).toEqual([])
  })
})
