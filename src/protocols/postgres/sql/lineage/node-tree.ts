/**
 * Pure. Reads the text in which PostgreSQL keeps the tree of a view's query (pg_rewrite.ev_action): nodes
 * `{KIND :field value :field value}`, lists `(a b c)`, tokens with backslashes before special characters, `<>` for
 * nothing. Nothing in it hangs on names: relations, columns and functions stand by number.
 *
 * Total: what does not have this shape gives undefined. https://doxygen.postgresql.org/outfuncs_8c.html
 */

export interface TreeNode {
  readonly kind: string
  readonly fields: ReadonlyMap<string, Tree>
}

export type Tree = TreeNode | readonly Tree[] | string | undefined

/** Deeper ones overflow the stack of whoever walks them. */
const DEPTH_MAX = 400

export function readTree(text: string): Tree | 'unread' {
  const reader = new Reader(text)
  try {
    const tree = reader.value(0)
    return reader.isAtEnd() ? tree : 'unread'
  } catch (error) {
    if (error instanceof Unread) return 'unread'
    throw error
  }
}

export function isNode(tree: Tree): tree is TreeNode {
  return typeof tree === 'object' && !Array.isArray(tree)
}

export function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree)
}

/** Never leaves this file. */
class Unread extends Error {}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    this.#blanks()
    return this.#at === this.#text.length
  }

  value(depth: number): Tree {
    if (depth > DEPTH_MAX) throw new Unread()
    const sign = this.#next()
    if (sign === '{') return this.#node(depth)
    if (sign === '(') return this.#list(depth)
    if (sign === '}' || sign === ')' || sign === '') throw new Unread()
    const token = this.#token()
    return token === '<>' ? undefined : token
  }

  #node(depth: number): TreeNode {
    this.#at++
    const kind = this.#token()
    const fields = new Map<string, Tree>()
    for (;;) {
      const sign = this.#next()
      if (sign === '}') break
      const name = this.#token()
      if (!/^:[a-zA-Z_0-9]+$/.test(name)) throw new Unread()
      const value = this.value(depth + 1)
      // A constant's bytes: `4 [ 24 0 0 0 ]`.
      if (this.#next() === '[') this.#bytes()
      fields.set(name.substring(1), value)
    }
    this.#at++
    return { kind, fields }
  }

  #list(depth: number): readonly Tree[] {
    this.#at++
    const list: Tree[] = []
    while (this.#next() !== ')') list.push(this.value(depth + 1))
    this.#at++
    return list
  }

  #bytes(): void {
    const end = this.#text.indexOf(']', this.#at)
    if (end < 0) throw new Unread()
    this.#at = end + 1
  }

  #next(): string {
    this.#blanks()
    return this.#text.charAt(this.#at)
  }

  #blanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at++
  }

  #token(): string {
    this.#blanks()
    let token = ''
    for (; this.#at < this.#text.length; this.#at++) {
      let sign = this.#text.charAt(this.#at)
      if (isBlank(sign.charCodeAt(0)) || ENDS.has(sign)) break
      if (sign === '\\') sign = this.#text.charAt(++this.#at)
      token += sign
    }
    if (token === '') throw new Unread()
    return token
  }
}

const ENDS = new Set(['(', ')', '{', '}'])

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09
}
