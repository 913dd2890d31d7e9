/**
 * Pure. Masks parts of one JSON document by the keys that lead to them; everything else stays byte for byte.
 *
 * One pass over the bytes without recursion, which reads the whole grammar (RFC 8259): what is no document is
 * `unreadable`, and its caller hides it. Keys are compared as what they stand for, so that
 * `\u0063ard` is `card`; where a key stands twice both are masked. An array on the way is walked through: each of its
 * elements counts as what stands in its place.
 *
 * Bounded in memory and time: documents, parts in one, levels of nesting and what is made of it each have a limit; one
 * beyond it is `too-large`, and hidden whole.
 */
import { ByteSink } from '../base/bytes.ts'
import type { PathMask, ValueTransform } from './transform-spec.ts'
import { stronger } from './transform-spec.ts'

/** What takes the place of a part: JSON of its own; null becomes JSON's null. */
export type PartMasker = (part: Uint8Array, mask: PathMask) => Uint8Array | null

export type Unmasked = 'unreadable' | 'too-large'

export const DOCUMENT_BYTES_MAX = 8 << 20
const MASKED_BYTES_MAX = 32 << 20
const PARTS_MAX = 20_000
const DEPTH_MAX = 5000

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN = 0x7b
const CLOSE = 0x7d
const NULL = Buffer.from('null')
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word))

interface Branch {
  mask: PathMask | undefined
  readonly keys: { readonly bytes: Buffer; readonly text: string; readonly branch: Branch }[]
}

/** What may stand next. */
type Next = 'value' | 'element' | 'key' | 'member' | 'colon' | 'comma' | 'end'

/** Several masks of the same part: the stronger one counts. */
export class JsonPaths {
  readonly #root: Branch = { mask: undefined, keys: [] }

  constructor(masks: readonly PathMask[]) {
    for (const mask of masks) this.#add(mask)
  }

  /** undefined: no path leads to anything in it, and it stays as it is. */
  mask(document: Uint8Array, part: PartMasker): Buffer | Unmasked | undefined {
    if (document.length > DOCUMENT_BYTES_MAX) return 'too-large'
    const reading = new Reading(document, this.#root, part)
    if (reading.run()) return reading.masked()
    return reading.isTooLarge ? 'too-large' : 'unreadable'
  }

  #add(mask: PathMask): void {
    let branch = this.#root
    for (const text of mask.path) {
      let next = branch.keys.find((one) => one.text === text)
      if (next === undefined) {
        next = { text, bytes: Buffer.from(text), branch: { mask: undefined, keys: [] } }
        branch.keys.push(next)
      }
      branch = next.branch
    }
    const before = branch.mask
    if (before === undefined) branch.mask = mask
    else {
      const transform: ValueTransform = stronger(before.transform, mask.transform)
      branch.mask = transform === before.transform ? before : mask
    }
  }
}

class Reading {
  readonly #bytes: Uint8Array
  readonly #part: PartMasker
  #at = 0
  #next: Next = 'value'
  /** By level: whether it is an object, and which paths go on from there. */
  readonly #objects: boolean[] = []
  readonly #branches: (Branch | undefined)[] = []
  /** Of the value that comes next. */
  #branch: Branch | undefined
  /** The part that is being hidden: the mask, where it begins, and on which level. */
  #hidden: PathMask | undefined
  #hiddenFrom = 0
  #hiddenLevel = 0
  #out: ByteSink | undefined
  #copied = 0
  #parts = 0
  isTooLarge = false

  constructor(bytes: Uint8Array, root: Branch, part: PartMasker) {
    this.#bytes = bytes
    this.#branch = root
    this.#part = part
  }

  /** False: it is no document. */
  run(): boolean {
    const bytes = this.#bytes
    for (;;) {
      while (isBlank(bytes[this.#at])) this.#at++
      if (this.#at >= bytes.length) return this.#next === 'end'
      if (!this.#step(bytes[this.#at]!)) return false
    }
  }

  masked(): Buffer | undefined {
    const out = this.#out
    if (out === undefined) return undefined
    out.append(this.#bytes, this.#copied, this.#bytes.length)
    return out.view()
  }

  #step(byte: number): boolean {
    switch (this.#next) {
      case 'value':
        return this.#value(byte)
      case 'element':
        return byte === CLOSE_LIST ? this.#leave(false) : this.#value(byte)
      case 'member':
        return byte === CLOSE ? this.#leave(true) : this.#key(byte)
      case 'key':
        return this.#key(byte)
      case 'colon':
        this.#at++
        this.#next = 'value'
        return byte === COLON
      case 'comma':
        if (byte !== COMMA) return this.#leaveBy(byte)
        this.#at++
        if (this.#objects.at(-1) === true) this.#next = 'key'
        else {
          this.#next = 'value'
          this.#branch = this.#branches.at(-1)
        }
        return true
      default:
        return false
    }
  }

  #value(byte: number): boolean {
    const mask = this.#hidden === undefined ? this.#branch?.mask : undefined
    if (mask !== undefined) {
      this.#hidden = mask
      this.#hiddenFrom = this.#at
      this.#hiddenLevel = this.#objects.length
    }
    if (byte === OPEN || byte === OPEN_LIST) return this.#enter(byte === OPEN)
    const end = byte === QUOTE ? stringEnd(this.#bytes, this.#at) : scalarEnd(this.#bytes, this.#at)
    if (end < 0) return false
    this.#at = end
    return this.#over()
  }

  #enter(isObject: boolean): boolean {
    if (this.#objects.length >= DEPTH_MAX) return this.#gaveUp()
    this.#objects.push(isObject)
    const branch = this.#hidden === undefined ? this.#branch : undefined
    this.#branches.push(branch)
    this.#branch = branch
    this.#next = isObject ? 'member' : 'element'
    this.#at++
    return true
  }

  #leaveBy(byte: number): boolean {
    if (byte === CLOSE) return this.#leave(true)
    return byte === CLOSE_LIST && this.#leave(false)
  }

  #leave(isObject: boolean): boolean {
    if (this.#objects.pop() !== isObject) return false
    this.#branches.pop()
    this.#at++
    return this.#over()
  }

  #gaveUp(): false {
    this.isTooLarge = true
    return false
  }

  /** A value ends here. */
  #over(): boolean {
    const level = this.#objects.length
    this.#next = level === 0 ? 'end' : 'comma'
    const mask = this.#hidden
    if (mask === undefined || this.#hiddenLevel !== level) return true
    if (++this.#parts > PARTS_MAX) return this.#gaveUp()
    const from = this.#hiddenFrom
    this.#out ??= new ByteSink(this.#bytes.length + 64)
    this.#out.append(this.#bytes, this.#copied, from)
    this.#out.append(this.#part(this.#bytes.subarray(from, this.#at), mask) ?? NULL)
    this.#copied = this.#at
    this.#hidden = undefined
    return this.#out.size <= MASKED_BYTES_MAX || this.#gaveUp()
  }

  #key(byte: number): boolean {
    if (byte !== QUOTE) return false
    const start = this.#at
    const end = stringEnd(this.#bytes, start)
    if (end < 0) return false
    this.#at = end
    this.#next = 'colon'
    const branch = this.#branches.at(-1)
    this.#branch =
      branch === undefined || this.#hidden !== undefined
        ? undefined
        : branchOf(branch, this.#bytes.subarray(start, end))
    return true
  }
}

/** `token`: the key with its quotes. */
function branchOf({ keys }: Branch, token: Uint8Array): Branch | undefined {
  if (keys.length === 0) return undefined
  if (token.includes(BACKSLASH)) {
    const text = unescaped(token)
    return keys.find((one) => one.text === text)?.branch
  }
  for (const { bytes, branch } of keys)
    if (bytes.length === token.length - 2 && bytes.equals(token.subarray(1, -1))) return branch
  return undefined
}

function unescaped(token: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(token).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Behind the closing quote; -1 where it has none, or holds what a string must not hold. */
function stringEnd(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) return at + 1
    if (byte < 0x20) return -1
    if (byte !== BACKSLASH) continue
    const size = escapeSize(bytes, at)
    if (size === 0) return -1
    at += size - 1
  }
  return -1
}

const ESCAPES = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)))
const LETTER_U = 0x75

function escapeSize(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1]
  if (letter !== LETTER_U) return letter !== undefined && ESCAPES.has(letter) ? 2 : 0
  for (let digit = at + 2; digit < at + 6; digit++) if (!isHex(bytes[digit])) return 0
  return 6
}

/** A number, true, false or null. */
function scalarEnd(bytes: Uint8Array, start: number): number {
  let end = start
  while (end < bytes.length && !endsScalar(bytes[end]!)) end++
  const token = bytes.subarray(start, end)
  if (WORDS.some((word) => word.equals(token))) return end
  return NUMBER.test(Buffer.from(token.buffer, token.byteOffset, token.length).toString('latin1'))
    ? end
    : -1
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE || byte === CLOSE_LIST || isBlank(byte)
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isHex(byte: number | undefined): boolean {
  return (
    byte !== undefined &&
    ((byte >= 0x30 && byte <= 0x39) ||
      (byte >= 0x41 && byte <= 0x46) ||
      (byte >= 0x61 && byte <= 0x66))
  )
}
