import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditPath, EMPTY_ROOT, leafHash, nodeHash, Tree } from '../../src/record/merkle.ts'
import * as verifier from '../../src/replay/verifier.mjs'

const leaves = (count: number) => Array.from({ length: count }, (_, n) => leafHash(`leaf ${n}`))

/** RFC 6962 §2.1, as it is written there. */
function root(hashes: readonly string[]): string {
  if (hashes.length === 0) return EMPTY_ROOT
  if (hashes.length === 1) return hashes[0]!
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  return nodeHash(root(hashes.slice(0, split)), root(hashes.slice(split)))
}

function grown(hashes: readonly string[]): Tree {
  const tree = new Tree()
  for (const hash of hashes) tree.append(hash)
  return tree
}

test('hashes are those of RFC 6962', () => {
  expect(EMPTY_ROOT).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(leafHash('')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  const two = [leafHash(''), leafHash('\0')]
  expect(root(two)).toBe('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125')
})

test('a tree that grows has the root of all its leaves, and goes on from its peaks', () => {
  for (let count = 0; count < 70; count++) {
    const all = leaves(count)
    expect(grown(all).root).toBe(root(all))
    const half = grown(all.slice(0, count >> 1))
    const rest = new Tree(half.size, half.peaks)
    for (const hash of all.slice(count >> 1)) rest.append(hash)
    expect(rest.root).toBe(root(all))
  }
})

test('peaks of another size are refused', () => {
  expect(() => new Tree(3, ['00'])).toThrow()
  expect(() => new Tree(0, ['00'])).toThrow()
})

test('every path leads to the root, from any earlier size, and to no other leaf', () => {
  const sizes = fc.integer({ min: 1, max: 60 })
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (from, more, pick) => {
      const all = leaves(from + more)
      const index = from + (pick % more)
      const half = grown(all.slice(0, from))
      const path = auditPath(index, { from, peaks: half.peaks, leaves: all.slice(from) })
      const { rootOfPath } = verifier
      expect(rootOfPath(all[index]!, index, all.length, path)).toBe(root(all))
      expect(rootOfPath(leafHash('x'), index, all.length, path)).not.toBe(root(all))
      expect(rootOfPath(all[index]!, index, all.length, [...path, EMPTY_ROOT])).not.toBe(root(all))
      if (path.length > 0)
        expect(rootOfPath(all[index]!, index, all.length, path.slice(1))).not.toBe(root(all))
    }),
  )
})
