/**
 * Pure. The Merkle tree of RFC 6962 §2.1 (SHA-256): a leaf is hashed with a 0 in front, a node with a 1, and the left
 * half of a tree is the largest power of two of leaves that is smaller than all of it. Hashes are hexadecimal.
 *
 * A tree that only grows is kept as its peaks: the roots of the complete subtrees that it is made of, largest first.
 * Everything after them can be checked without what came before.
 */
import { hash } from 'node:crypto'

/** The root of an empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT = hash('sha256', '', 'hex')

export function leafHash(text: string): string {
  return hash('sha256', Buffer.from(`\0${text}`), 'hex')
}

export function nodeHash(left: string, right: string): string {
  return hash('sha256', Buffer.from(`01${left}${right}`, 'hex'), 'hex')
}

/** A growing tree. */
export class Tree {
  size: number
  readonly #peaks: string[]

  /** `peaks`: of a tree of this size. */
  constructor(size = 0, peaks: readonly string[] = []) {
    if (peaks.length !== peakCount(size)) throw new Error('these are not the peaks of that tree')
    this.size = size
    this.#peaks = [...peaks]
  }

  get peaks(): readonly string[] {
    return [...this.#peaks]
  }

  append(leaf: string): void {
    let node = leaf
    // Each one-bit at the end of the size is a subtree as large as what comes from the right.
    for (let size = this.size; size % 2 === 1; size = Math.floor(size / 2)) {
      node = nodeHash(this.#peaks.pop()!, node)
    }
    this.#peaks.push(node)
    this.size++
  }

  get root(): string {
    const last = this.#peaks.at(-1)
    if (last === undefined) return EMPTY_ROOT
    let root = last
    for (let i = this.#peaks.length - 2; i >= 0; i--) root = nodeHash(this.#peaks[i]!, root)
    return root
  }
}

function peakCount(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/** Part of a tree: its peaks at `from`, and the hashes of all leaves after that. */
export interface Grown {
  readonly from: number
  readonly peaks: readonly string[]
  readonly leaves: readonly string[]
}

/**
 * The audit path (RFC 6962 §2.1.1) of leaf `index`, lowest first, in a tree of `from + leaves.length` leaves. The leaf
 * must be one of `leaves`.
 */
export function auditPath(index: number, grown: Grown): string[] {
  const starts = peakStarts(grown)
  const path: string[] = []
  let [begin, end] = [0, grown.from + grown.leaves.length]
  while (end - begin > 1) {
    const split = begin + largestPower(end - begin)
    if (index < split) {
      path.unshift(rootOf(split, end, grown, starts))
      end = split
    } else {
      path.unshift(rootOf(begin, split, grown, starts))
      begin = split
    }
  }
  return path
}

/** Start of each peak → the peak and its end. */
function peakStarts({ from, peaks }: Grown): Map<number, { end: number; peak: string }> {
  const starts = new Map<number, { end: number; peak: string }>()
  let begin = 0
  for (const peak of peaks) {
    let size = 1
    while (size * 2 <= from - begin) size *= 2
    starts.set(begin, { end: begin + size, peak })
    begin += size
  }
  return starts
}

function rootOf(
  begin: number,
  end: number,
  grown: Grown,
  starts: ReadonlyMap<number, { end: number; peak: string }>,
): string {
  const known = starts.get(begin)
  if (known?.end === end) return known.peak
  if (end - begin === 1) {
    const leaf = grown.leaves[begin - grown.from]
    if (leaf === undefined) throw new Error('the path leads into what is not known')
    return leaf
  }
  const split = begin + largestPower(end - begin)
  return nodeHash(rootOf(begin, split, grown, starts), rootOf(split, end, grown, starts))
}

/** The largest power of two below `count`, which is at least 2. */
function largestPower(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}
