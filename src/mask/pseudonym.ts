/**
 * Pure. Pseudonyms that can be translated back: of text, bytes and UUIDs (semantics §5, "Pseudonyms").
 *
 *   text    pn_ · base32 of check (8 bytes) · value enciphered
 *   bytes   the bytes `pn_` · check · value enciphered
 *   uuid    a UUID of the reserved variant 111, which no UUID of RFC 9562 has
 *
 * One value has one pseudonym in a domain, in every session and replica. Text and bytes are sealed as SIV does it (RFC
 * 5297): the check is a keyed hash of the value and starts the key stream, so that nobody without the key makes a
 * pseudonym that opens, and no real value is one. For a UUID there is no room for a check and no need of one: each
 * of variant 111 stands for one UUID that nobody without the key can choose.
 *
 * Types that have no such room stand in pseudonym-number.ts. What shows: which values are equal, and how long they are.
 */
import { type Cipher, createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { MaskKey } from './transform.ts'

export const PREFIX = 'pn_'
const CHECK_BYTES = 8
const UUID_BYTES = 16
const PREFIX_BYTES = Buffer.from(PREFIX)
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567'
/** Value of each digit of base32 by its character; 255 for what is none. */
const DIGIT_OF = new Uint8Array(256).fill(255)
for (let value = 0; value < DIGITS.length; value++) DIGIT_OF[DIGITS.charCodeAt(value)] = value

/** Keys of one domain, one for each use of them. */
export class PseudonymDomain {
  readonly #check: Buffer
  readonly #stream: Buffer
  readonly #one: Buffer
  readonly #block: Buffer
  /** Key of the permutations of numbers: four words (keyed-word.ts). */
  readonly mixing: Uint32Array
  #forward: Cipher | undefined

  /** `name` is the mask's domain: equal names under one key are one domain. */
  constructor(key: MaskKey, name: string) {
    const of = (use: string) =>
      createHmac('sha256', key).update(`pseudonym\0${use}\0`).update(name).digest()
    this.#check = of('check')
    this.#stream = of('stream')
    this.#one = of('one way')
    this.#block = of('block')
    const mixing = of('mixing')
    this.mixing = Uint32Array.from([0, 4, 8, 12], (at) => mixing.readUInt32LE(at))
  }

  /** Keyed bytes of a value that lead back to nothing. */
  oneWay(value: Uint8Array): Buffer {
    return createHmac('sha256', this.#one).update(value).digest()
  }

  /** One block of 16 bytes, permuted. */
  permuted(block: Buffer): Buffer {
    this.#forward ??= createCipheriv('aes-256-ecb', this.#block, null).setAutoPadding(false)
    return this.#forward.update(block)
  }

  /** The reverse of `permuted`, some times over until a block fits. */
  reversed(block: Buffer, fits: (block: Buffer) => boolean): Buffer {
    const backward = createDecipheriv('aes-256-ecb', this.#block, null).setAutoPadding(false)
    let next = block
    do next = backward.update(next)
    while (!fits(next))
    return next
  }

  /** Check and enciphered value. */
  seal(value: Uint8Array): Buffer {
    const check = this.#checkOf(value)
    return Buffer.concat([check, this.#xor(value, check)])
  }

  /** What was sealed; undefined: nobody with this key sealed it. */
  open(sealed: Uint8Array): Buffer | undefined {
    if (sealed.length < CHECK_BYTES) return undefined
    const check = Buffer.from(sealed.subarray(0, CHECK_BYTES))
    const value = this.#xor(sealed.subarray(CHECK_BYTES), check)
    return this.#checkOf(value).equals(check) ? value : undefined
  }

  #checkOf(value: Uint8Array): Buffer {
    return createHmac('sha256', this.#check).update(value).digest().subarray(0, CHECK_BYTES)
  }

  #xor(value: Uint8Array, check: Buffer): Buffer {
    const start = Buffer.concat([check, Buffer.alloc(16 - CHECK_BYTES)])
    return createCipheriv('aes-256-ctr', this.#stream, start).update(value)
  }
}

/** Most domains whose keys are kept at a time. */
const DOMAINS_MAX = 1000
const domains = new WeakMap<MaskKey, Map<string, PseudonymDomain>>()

export function pseudonymDomain(key: MaskKey, name: string): PseudonymDomain {
  let ofKey = domains.get(key)
  if (ofKey === undefined || ofKey.size > DOMAINS_MAX) {
    ofKey = new Map()
    domains.set(key, ofKey)
  }
  let domain = ofKey.get(name)
  if (domain === undefined) {
    domain = new PseudonymDomain(key, name)
    ofKey.set(name, domain)
  }
  return domain
}

/** Code points of the pseudonym of a text of so many bytes. */
export function pseudonymLength(valueBytes: number): number {
  return PREFIX.length + Math.ceil(((CHECK_BYTES + valueBytes) * 8) / 5)
}

/**
 * Text in UTF-8. `lengthMax`: most code points that the type takes, 0 for no limit; undefined where a pseudonym that
 * leads back does not fit.
 */
export function sealText(
  value: Uint8Array,
  domain: PseudonymDomain,
  lengthMax: number,
): Buffer | undefined {
  if (lengthMax > 0 && pseudonymLength(value.length) > lengthMax) return undefined
  return Buffer.from(PREFIX + base32(domain.seal(value)))
}

/** The text that a pseudonym stands for; undefined: it is no authentic one of this domain. */
export function openText(pseudonym: string, domain: PseudonymDomain): Buffer | undefined {
  if (!pseudonym.startsWith(PREFIX)) return undefined
  const sealed = bytesOf(pseudonym.substring(PREFIX.length))
  return sealed && domain.open(sealed)
}

/** For a text that has no room: as many digits as fit, and at most 16, which lead back to nothing. */
export function oneWayText(value: Uint8Array, domain: PseudonymDomain, lengthMax: number): Buffer {
  const digits = base32(domain.oneWay(value).subarray(0, 10))
  return Buffer.from(lengthMax > 0 ? digits.substring(0, lengthMax) : digits)
}

export function sealBytes(value: Uint8Array, domain: PseudonymDomain): Buffer {
  return Buffer.concat([PREFIX_BYTES, domain.seal(value)])
}

export function openBytes(pseudonym: Uint8Array, domain: PseudonymDomain): Buffer | undefined {
  const { length } = PREFIX_BYTES
  if (pseudonym.length < length || !PREFIX_BYTES.equals(pseudonym.subarray(0, length))) {
    return undefined
  }
  return domain.open(pseudonym.subarray(length))
}

/** undefined: not one of RFC 9562's versions 1 to 8, and without room for a pseudonym. */
export function sealUuid(value: Uint8Array, domain: PseudonymDomain): Buffer | undefined {
  if (value.length !== UUID_BYTES) return undefined
  const version = value[6]! >> 4
  if ((value[8]! & 0xc0) !== 0x80 || version < 1 || version > 8) return undefined
  let block: Buffer = Buffer.from(value)
  block[6] = ((version - 1) << 4) | (value[6]! & 0x0f)
  block[8] = value[8]! & 0x3f
  // Walking the cycle keeps it a permutation of the 2^125 blocks that fit.
  do block = domain.permuted(block)
  while (!isUuidBlock(block))
  block[6] = block[6]! | ((block[8]! & 0x20) << 2)
  block[8] = 0xe0 | (block[8]! & 0x1f)
  return block
}

export function openUuid(pseudonym: Uint8Array, domain: PseudonymDomain): Buffer | undefined {
  if (pseudonym.length !== UUID_BYTES || (pseudonym[8]! & 0xe0) !== 0xe0) return undefined
  const block = Buffer.from(pseudonym)
  block[8] = (pseudonym[8]! & 0x1f) | ((pseudonym[6]! & 0x80) >> 2)
  block[6] = pseudonym[6]! & 0x7f
  const value = domain.reversed(block, isUuidBlock)
  value[6] = (((value[6]! >> 4) + 1) << 4) | (value[6]! & 0x0f)
  value[8] = 0x80 | value[8]!
  return value
}

/** The three bits that version and variant leave are zero. */
function isUuidBlock(block: Uint8Array): boolean {
  return (block[6]! & 0x80) === 0 && (block[8]! & 0xc0) === 0
}

function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += DIGITS[(held >> (bits - 5)) & 31]
  }
  return bits === 0 ? text : text + DIGITS[(held << (5 - bits)) & 31]
}

/** undefined: other characters, or bits that no bytes have left over. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(Math.floor((text.length * 5) / 8))
  let size = 0
  let bits = 0
  let held = 0
  for (let at = 0; at < text.length; at++) {
    const digit = DIGIT_OF[text.charCodeAt(at)] ?? 255
    if (digit === 255) return undefined
    held = ((held << 5) | digit) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[size++] = (held >> bits) & 0xff
  }
  const left = held & ((1 << bits) - 1)
  return left === 0 && bits < 5 ? bytes : undefined
}
