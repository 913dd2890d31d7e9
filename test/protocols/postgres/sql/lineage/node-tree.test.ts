import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isList,
  isNode,
  readTree,
} from '../../../../../src/protocols/postgres/sql/lineage/node-tree.ts'

test('nodes, lists, tokens with backslashes, nothing, and the bytes of constants', () => {
  const tree = readTree(
    '({A :name a\\ b\\) :none <> :value 4 [ 1 -2 0 ] :list (o 1 2) :inner {B :x :odd}})',
  )
  const [node] = isList(tree) ? tree : []
  if (!isNode(node)) throw new Error('no node')
  expect(node.kind).toBe('A')
  expect(Object.fromEntries(node.fields)).toMatchObject({
    name: 'a b)',
    none: undefined,
    value: '4',
    list: ['o', '1', '2'],
    inner: { kind: 'B' },
  })
})

test.each(['', '{A', '(a', 'a)', '{A b}', '{A :x 1 2}', '{A :x 1 [ 2}', '('.repeat(1000)])(
  '%j is none',
  (text) => {
    expect(readTree(text)).toBe('unread')
  },
)

test('whatever it is given, it answers', () => {
  const sign = fc.constantFrom('{', '}', '(', ')', ':a', ' ', '[', ']', '\\', '<>', 'x', '4')
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 60 }), (signs) => {
      readTree(signs.join(''))
    }),
  )
})
