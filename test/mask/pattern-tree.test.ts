import { expect, test } from 'vitest'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { type PatternTree, patternTree } from '../../src/mask/pattern-tree.ts'

/** The tree in short: sets by their ASCII characters, `+` where others are in it too. */
function short(tree: PatternTree): string {
  switch (tree.type) {
    case 'set': {
      const chars = [...tree.set.ascii.keys()].filter((code) => tree.set.ascii[code] === 1)
      const text = chars.length > 9 ? `${chars.length}` : String.fromCharCode(...chars)
      return `[${text}${tree.set.others === 'any' ? '+' : tree.set.others.length || ''}]`
    }
    case 'empty':
      return tree.isBound ? '^' : '-'
    case 'repeat':
      return `${short(tree.part)}{${tree.least},${tree.most}}`
    default:
      return `(${tree.parts.map(short).join(tree.type === 'any' ? '|' : '')})`
  }
}

test('reads the common part of the language', () => {
  const cases: Readonly<Record<string, string>> = {
    'a\\.b': '([a][.][b])',
    'a|bc': '(([a])|([b][c]))',
    '(?:ab)?c*d+?': '(([a][b]){0,1}[c]{0,Infinity}[d]{1,Infinity})',
    'a{3}b{2,}c{1,4}': '([a]{3,3}[b]{2,Infinity}[c]{1,4})',
    'a{x}': '([a][{][x][}])',
    '[a-c_-][0-9]': '([-_abc][10])',
    '[^0-9].': '([118+][127+])',
    '(?i:ak)': '(([Aa][Kk1]))',
    '\\bx$': '(^[x]^)',
    '\\d\\s\\p{L}': '([10][\t\n\f\r ][128+])',
    é: '([1])',
  }
  for (const [source, tree] of Object.entries(cases))
    expect(short(patternTree(source)!), source).toBe(tree)
})

test('says of the rest that it does not know', () => {
  for (const source of [
    '(?i)a',
    '(?P<x>a)',
    '[[:alpha:]]',
    '[]a]',
    '\\Qa\\E',
    '\\1',
    'a)',
    '(a',
    '[a',
    '*',
  ])
    expect(patternTree(source), source).toBeUndefined()
})

test('knows every pattern of the known detectors', () => {
  for (const { id, forms } of KNOWN_DETECTORS.values())
    for (const { source } of forms) expect(patternTree(source), `${id} ${source}`).toBeDefined()
})
