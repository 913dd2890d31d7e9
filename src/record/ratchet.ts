/**
 * IO (files, randomness). The ratchet of one writing thread: what protects its spool in the second before a head is signed.
 *
 *   key ──SHA-256──▶ key ──SHA-256──▶ key      forward only; a former key is gone
 *    │ GMAC            │ GMAC
 *   seal 0            seal 1                   each over the bytes of the segment since the seal before
 *
 * A seal is a block without rows: its number, a nonce, then the tag of AES-256-GCM over bytes that are not encrypted (GMAC,
 * NIST SP 800-38D), at a third of what HMAC with SHA-256 takes of a session worker. The writer makes one every 50 ms or
 * 256 KiB, in bulk. The reader (chain.ts) follows in the ship thread and keeps
 * beside the spool only the key from which nothing is signed yet: whoever steals it can forge what is not signed, and no
 * more. What a run that was killed left behind is checked with it by the next run.
 */
import { createCipheriv, hash, randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writerOf } from './chain-log.ts'
import type { Proof } from './proof.ts'
import { BLOCK_HEAD, type SegmentContent, sealBlock } from './segment.ts'

const KEY_BYTES = 32
/** A number and a nonce; each key seals once, and twice only where the first seal could not be written. */
const NONCE_BYTES = 12
const HEAD_BYTES = 4 + NONCE_BYTES
const TAG_BYTES = 16
/** What a seal takes in a segment. */
export const SEAL_BYTES = BLOCK_HEAD + HEAD_BYTES + TAG_BYTES
/** A seal is made for this much at once, or after this time. */
export const SEALED_BYTES_MAX = 256 << 10
export const SEAL_MS = 50
/** Keys are made for no more missing seals than this. */
const GAP_MAX = 100_000

function next(key: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from('sluice-ratchet'), key]), 'buffer')
}

/** `head`: number and nonce, which are sealed as well. */
function tag(key: Uint8Array, head: Buffer, bytes: readonly Uint8Array[]): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, head.subarray(4))
  cipher.setAAD(head)
  for (const one of bytes) cipher.setAAD(one)
  cipher.final()
  return cipher.getAuthTag()
}

/** The writer's side; one per spool. */
export class Ratchet {
  #key: Buffer
  #number = 0

  constructor(path: string, key: Buffer = randomBytes(KEY_BYTES)) {
    this.#key = key
    keep(path, { number: 0, key })
  }

  /** The block that seals `bytes`; the same key is used until `advance`. */
  seal(bytes: readonly Uint8Array[]): Buffer {
    const block = Buffer.alloc(SEAL_BYTES)
    const head = block.subarray(BLOCK_HEAD, BLOCK_HEAD + HEAD_BYTES)
    head.writeUInt32BE(this.#number)
    randomFillSync(head, 4)
    tag(this.#key, head, bytes).copy(block, BLOCK_HEAD + HEAD_BYTES)
    sealBlock(block, 0)
    return block
  }

  /** The seal was written: its key goes. */
  advance(): void {
    const key = next(this.#key)
    this.#key.fill(0)
    this.#key = key
    this.#number++
  }
}

/** `<instance>-<thread>.ratchet`, from the name of a segment or from its parts. */
export function ratchetPath(spoolFolder: string, writer: string): string {
  return join(spoolFolder, `${writer}.ratchet`)
}

interface Kept {
  readonly number: number
  readonly key: Buffer
}

function keep(path: string, { number, key }: Kept): void {
  writeFileSync(`${path}.new`, `${number} ${key.toString('hex')}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function kept(path: string): Kept | undefined {
  try {
    const [number, key = ''] = readFileSync(path, 'latin1').trim().split(' ')
    const bytes = Buffer.from(key, 'hex')
    return bytes.length === KEY_BYTES ? { number: Number(number), key: bytes } : undefined
  } catch {
    return undefined
  }
}

/** The key of a later seal. */
function forward(state: Kept, number: number): Kept {
  let { key } = state
  const steps = Math.min(number - state.number, GAP_MAX)
  for (let i = 0; i < steps; i++) key = next(key)
  return steps > 0 ? { number, key } : state
}

/** Blocks of a segment from the end of the range before up to `until`, and what speaks for them. */
export interface ProvenRange {
  readonly until: number
  readonly proof: Proof
}

interface Reading {
  readonly ranges: ProvenRange[]
  /** Seals that were looked at. */
  seals: number
}

/** The reader's side, over all threads. */
export class RatchetReader {
  readonly #folder: string
  readonly #writers = new Map<string, Kept | undefined>()
  readonly #changed = new Set<string>()
  readonly #readings = new Map<string, Reading>()
  readonly #logged: ReadonlyMap<string, number>
  readonly #isOn: boolean

  /**
   * `seals`: writer → the seal after the last one that leaves in the log speak for. The kept key may be older: it waits
   * for a head, and the segments that it was for may have been shipped by then. `isOn`: every writer of this run has one.
   */
  constructor(
    spoolFolder: string,
    seals: ReadonlyMap<string, number> = new Map(),
    isOn: boolean = false,
  ) {
    this.#folder = spoolFolder
    this.#isOn = isOn
    this.#logged = seals
  }

  /** The next seal of a segment's writer; undefined where it has no ratchet, or the key is gone. */
  seals(segment: string): number | undefined {
    return this.#writers.get(writerOf(segment))?.number
  }

  /**
   * What the ratchet says of the blocks of a segment, from the first on; asked again, it says the same and goes on. Of an
   * open segment whose writer seals, what is not sealed yet is left out; of another one, the last block.
   */
  read(
    segment: string,
    content: SegmentContent,
    run: { isOurs: boolean; isOpen: boolean },
  ): readonly ProvenRange[] {
    const writer = writerOf(segment)
    let reading = this.#readings.get(segment)
    if (reading === undefined) {
      reading = { ranges: [], seals: 0 }
      this.#readings.set(segment, reading)
    }
    if (!this.#writers.has(writer)) {
      const state = kept(ratchetPath(this.#folder, writer))
      this.#writers.set(writer, state && forward(state, this.#logged.get(writer) ?? 0))
    }
    const hasKey = this.#writers.get(writer) !== undefined
    for (const seal of content.seals.filter((_, at) => at >= reading.seals)) {
      reading.seals++
      if (!hasKey) continue
      const proof = this.#check(writer, seal)
      const own = run.isOurs ? 'live' : 'sealed'
      reading.ranges.push({ until: seal.block, proof: proof === 'holds' ? own : proof })
    }
    const all = content.blocks.length / 2
    if ((reading.ranges.at(-1)?.until ?? 0) >= all || (hasKey && run.isOpen)) return reading.ranges
    // Somebody else has written it, or has taken the key away: then nothing could say that it was changed.
    const keyless = this.#isOn ? 'broken' : 'live'
    const proof = run.isOurs && !hasKey ? keyless : 'recovered'
    // The last block of an open segment may be taken back, where the disk does not take it (spool.ts).
    return [...reading.ranges, { until: run.isOpen ? all - 1 : all, proof }]
  }

  /** A head was signed: what is sealed so far needs no key any more. */
  advance(): void {
    for (const writer of this.#changed) {
      const state = this.#writers.get(writer)
      if (state !== undefined) keep(ratchetPath(this.#folder, writer), state)
    }
    this.#changed.clear()
  }

  forget(segment: string): void {
    this.#readings.delete(segment)
  }

  /** Keys of runs that are over and of which no segment is left. */
  clean(instance: string): void {
    const names = existsSync(this.#folder) ? readdirSync(this.#folder) : []
    for (const name of names.filter((one) => one.endsWith('.ratchet'))) {
      const writer = name.replace(/\.ratchet$/, '')
      const isNeeded = names.some((one) => one !== name && one.startsWith(`${writer}-`))
      if (!isNeeded && !writer.startsWith(instance)) rmSync(join(this.#folder, name))
    }
  }

  /** `recovered`: seen before, and its key is gone. A number that is too high: seals before it are missing. */
  #check(
    writer: string,
    seal: SegmentContent['seals'][number],
  ): 'holds' | Extract<Proof, 'recovered' | 'broken'> {
    const state = this.#writers.get(writer)!
    if (seal.bytes.length !== HEAD_BYTES + TAG_BYTES) return 'broken'
    const number = seal.bytes.readUInt32BE(0)
    const gap = number - state.number
    if (gap < 0) return 'recovered'
    if (gap > GAP_MAX) return 'broken'
    const { key } = forward(state, number)
    const made = tag(key, seal.bytes.subarray(0, HEAD_BYTES), [seal.covers])
    const holds = timingSafeEqual(made, seal.bytes.subarray(HEAD_BYTES))
    if (!holds) return 'broken'
    this.#writers.set(writer, { number: number + 1, key: next(key) })
    this.#changed.add(writer)
    return gap === 0 ? 'holds' : 'broken'
  }
}
