/**
 * Pure. The only door to `yaml`: a text becomes plain data plus the place of every part of it, or problems.
 *
 * Total: no text makes it throw. Refused besides what YAML 1.2 refuses: more than one document, duplicate keys, keys
 * that are no text or that JavaScript gives a meaning (`__proto__`), tags, aliases that expand without end, and depth.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { type Problem, pathText } from './problem.ts'

export type Path = readonly (string | number)[]

export interface YamlFile {
  /** Objects have no prototype. undefined for an empty file. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** False: the problems make the data meaningless, so that checking it further would only make noise. */
  readonly isReadable: boolean
  /** A problem at the value at `path`, or at its key; at the nearest part that exists where there is none. */
  problem(path: Path, message: string, at?: 'key' | 'value'): Problem
  /** A problem inside the text at `path`, `offset` UTF-16 code units into the value. */
  problemInText(path: Path, message: string, offset: number): Problem
}

const TEXT_CHARACTERS_MAX = 4 * 1024 * 1024
/** Nodes after aliases are expanded. */
const NODES_MAX = 500_000
/** Each one walks the document. */
const ALIASES_MAX = 1000
const DEPTH_MAX = 50
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

export function readYaml(file: string, text: string): YamlFile {
  const reader = new Reader(file, text)
  try {
    reader.read()
  } catch (error) {
    // The parser recurses; a text of nothing but brackets ends its stack.
    reader.isReadable = false
    reader.report(0, [], `not readable as YAML: ${error instanceof Error ? error.name : 'error'}`)
  }
  return reader
}

class Reader implements YamlFile {
  value: unknown
  readonly problems: Problem[] = []
  isReadable = false
  readonly #file: string
  readonly #text: string
  readonly #lines = new LineCounter()
  readonly #seen = new Set<string>()
  #document: Document | undefined
  #nodes = 0
  #aliases = 0

  constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
  }

  read(): void {
    if (this.#text.length > TEXT_CHARACTERS_MAX) {
      this.report(0, [], `longer than ${TEXT_CHARACTERS_MAX} characters`)
      return
    }
    const documents = parseAllDocuments(this.#text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      logLevel: 'silent',
    })
    if (!Array.isArray(documents)) return
    this.#document = documents[0]
    const second = documents[1]
    if (second !== undefined) this.report(second.range[0], [], 'expected one document')
    for (const document of documents)
      for (const fault of [...document.errors, ...document.warnings])
        this.report(fault.pos[0], [], sentence(fault.message))
    if (this.problems.length > 0) return
    this.isReadable = true
    if (this.#document?.contents) this.value = this.#plain(this.#document.contents, [])
  }

  /** Once a place and message: a broken text gives the parser the same reason at every step. */
  report(offset: number, path: Path, message: string): undefined {
    const problem = this.#at(offset, path, message)
    const known = this.#seen.has(`${offset} ${message}`)
    this.#seen.add(`${offset} ${message}`)
    if (!known) this.problems.push(problem)
    return undefined
  }

  problem(path: Path, message: string, at: 'key' | 'value' = 'value'): Problem {
    const found = this.#find(path)
    const node = at === 'key' ? (found.key ?? found.node) : found.node
    return this.#at(node?.range?.[0] ?? 0, path, message)
  }

  problemInText(path: Path, message: string, offset: number): Problem {
    const { node } = this.#find(path)
    const start = isScalar(node) ? offsetInSource(this.#text, node, offset) : node?.range?.[0]
    return this.#at(start ?? 0, path, message)
  }

  #at(offset: number, path: Path, message: string): Problem {
    const place = this.#lines.lineStarts.length > 0 ? this.#lines.linePos(offset) : undefined
    const line = place?.line ?? 0
    const column = place?.col ?? 0
    return { file: this.#file, line, column, path: pathText(path), message }
  }

  /** Plain data; undefined where it was refused, with a problem. */
  #plain(node: unknown, path: Path): unknown {
    const start = (node as Node | null)?.range?.[0] ?? 0
    if (++this.#nodes > NODES_MAX) return this.#stop(start, path, 'too large once aliases expand')
    if (path.length > DEPTH_MAX) return this.#stop(start, path, `deeper than ${DEPTH_MAX} levels`)
    if (isAlias(node)) {
      if (++this.#aliases > ALIASES_MAX) return this.#stop(start, path, 'too many aliases')
      return this.#plain(this.#resolve(node), path)
    }
    if (isScalar(node)) return node.value
    if (isSeq(node)) {
      const list: unknown[] = []
      for (const item of node.items) list.push(this.#plain(item, [...path, list.length]))
      return list
    }
    return isMap(node) ? this.#object(node, path) : null
  }

  #object(node: YAMLMap, path: Path): unknown {
    const object: Record<string, unknown> = Object.create(null)
    for (const pair of node.items) {
      const key = isAlias(pair.key) ? this.#resolve(pair.key) : pair.key
      const start = (pair.key as Node | null)?.range?.[0] ?? 0
      if (!isScalar(key) || typeof key.value !== 'string')
        this.report(start, path, 'expected a key that is text; put it in quotes')
      else if (FORBIDDEN_KEYS.has(key.value))
        this.report(start, path, `the key ${key.value} is not allowed`)
      else if (Object.hasOwn(object, key.value))
        this.report(start, path, `the key ${key.value} stands here twice`)
      else object[key.value] = this.#plain(pair.value, [...path, key.value])
    }
    return object
  }

  #resolve(node: unknown): Node | undefined {
    return isAlias(node) && this.#document ? node.resolve(this.#document) : undefined
  }

  /** Reported once: what expands without end would be reported without end. */
  #stop(offset: number, path: Path, message: string): undefined {
    this.isReadable = false
    if (!this.problems.some((problem) => problem.message === message))
      this.report(offset, path, message)
    return undefined
  }

  #find(path: Path): { key: Node | undefined; node: Node | undefined } {
    let node: Node | undefined = this.#document?.contents ?? undefined
    let key: Node | undefined
    for (const step of path) {
      const inside: Node | undefined = isAlias(node) ? this.#resolve(node) : node
      const found: { key: unknown; node: unknown } | undefined = child(inside, step)
      if (found === undefined) break
      // A key without a value has no node of its own: the key is the nearest.
      key = (found.key as Node | null) ?? undefined
      node = (found.node as Node | null) ?? key
    }
    return { key, node }
  }
}

function child(
  node: Node | undefined,
  step: string | number,
): { key: unknown; node: unknown } | undefined {
  if (isSeq(node) && typeof step === 'number')
    return step < node.items.length ? { key: undefined, node: node.items[step] } : undefined
  if (!isMap(node)) return undefined
  const pair: Pair | undefined = node.items.find(
    (item) => isScalar(item.key) && item.key.value === step,
  )
  return pair === undefined ? undefined : { key: pair.key, node: pair.value }
}

/** Exact where the text stands in the file as it is (plain, quoted without escapes, `|`); else its start. */
function offsetInSource(text: string, node: Scalar, offset: number): number | undefined {
  const range = node.range
  if (!range || typeof node.value !== 'string') return range?.[0]
  const [start, end] = range
  if (node.type === 'BLOCK_LITERAL')
    return offsetInBlock(text.substring(start, end), node.value, { start, offset })
  const quoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE' ? 1 : 0
  const source = text.substring(start + quoted, end - quoted)
  return source === node.value ? start + quoted + offset : start
}

function offsetInBlock(
  source: string,
  value: string,
  at: { start: number; offset: number },
): number {
  const head = value.substring(0, at.offset)
  const row = head.split('\n').length - 1
  const lines = source.split('\n')
  // Line 0 of the source is the header (`|`).
  const line = lines[row + 1]
  const wanted = value.split('\n')[row]
  if (line === undefined || wanted === undefined || !line.endsWith(wanted)) return at.start
  const before = lines
    .filter((_, index) => index <= row)
    .reduce((sum, one) => sum + one.length + 1, 0)
  const column = at.offset - (head.lastIndexOf('\n') + 1)
  return at.start + before + (line.length - wanted.length) + column
}

function sentence(message: string): string {
  return message.split('\n', 1)[0]!.replace(/\.$/, '')
}
