/**
 * IO (files, time). The chain of one gateway: every event that was written to the spool becomes part of a leaf of one
 * Merkle tree, whose head is signed at most a second later.
 *
 *   spool block ──▶ runs (canonical.ts) ──▶ leaves in the log (chain-log.ts) ──▶ head, signed (proof.ts)
 *
 * Works on the bytes of segments, in the ship thread; a session worker knows nothing of it. A segment is covered before
 * it is shipped, and also where it cannot be shipped: an unreachable store delays no head. Copies for the record store
 * are made by chain-store.ts. What cannot go on (a log that is behind what others know, a key that is gone) is left as
 * it is, and another chain begins, loudly.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { ulid } from '../base/id.ts'
import type { SpareMemory } from '../base/spare-memory.ts'
import { Runs } from './canonical.ts'
import { ChainKeys, KEY_AGE_MS } from './chain-keys.ts'
import { ChainLog, chainsIn, type LoggedLeaf } from './chain-log.ts'
import type { EngineInserts } from './engine-inserts.ts'
import { leafHash, Tree } from './merkle.ts'
import { OpenSegments } from './open-segment.ts'
import {
  type Head,
  headText,
  leafNumber,
  leafSession,
  leafText,
  type Proof,
  readHead,
  type SignedHead,
  type SignedKey,
  signText,
  textHash,
} from './proof.ts'
import { RatchetReader } from './ratchet.ts'
import { type Retention, signedRetention } from './retention.ts'
import type { SegmentContent } from './segment.ts'
import { ownContent, SegmentFile } from './segment-file.ts'
import { baseName, spoolFiles } from './spool.ts'
import type { SpoolKeys } from './spool-cipher.ts'

export interface ChainOptions {
  /** `<data>/chain`. */
  readonly folder: string
  readonly spoolFolder: string
  readonly gateway: string
  readonly instance: string
  readonly retention: Retention
  readonly clock: Clock
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void
  /** A head was signed and is on the disk. */
  readonly onHead?: (head: SignedHead, keys: readonly SignedKey[]) => void
  readonly keyAgeMsMax?: number
  /** Threads of this run seal what they write. */
  readonly ratchet?: boolean | undefined
  /** Of encrypted segments. */
  readonly keys?: SpoolKeys
  /** Gets the rows of what is covered. */
  readonly inserts?: EngineInserts | undefined
  /** Where its memory comes from. */
  readonly spare?: SpareMemory | undefined
}

/** A head is signed at least this often: a record that ends is seen to end. */
export const HEARTBEAT_MS = 60_000
/** Leaves wait this long for others to be signed with them. */
const GATHER_MS = 400
/** Leaves and heads that are kept in memory for copies. */
const RECENT_MAX = 4096
/** An open segment is looked into when it is older. */
const OPEN_MS = 500

export class Chain {
  readonly #options: ChainOptions
  readonly id: string
  /** When the last head of former runs was signed. */
  readonly former: number | undefined
  readonly #log: ChainLog
  readonly #keys: ChainKeys
  readonly #ratchets: RatchetReader
  readonly #covered: Map<string, number>
  /** Segments whose rows are not in the record store yet, and their first leaf. */
  readonly #unstored = new Map<string, number>()
  /** Open segments, and when they were seen first. */
  readonly #seen = new Map<string, number>()
  readonly #opened: OpenSegments
  readonly #file: SegmentFile
  #tree: Tree
  /** The newest leaves, for whoever makes copies; older ones are in the log. */
  #recent: LoggedLeaf[] = []
  #recentHeads: SignedHead[] = []
  #head: Head | undefined
  #headText = ''
  #isFailing = false
  /** As the next head says it. */
  retention: Retention

  private constructor(options: ChainOptions, folder: string, id: string) {
    this.#options = options
    this.#file = new SegmentFile(undefined, options.keys)
    this.#opened = new OpenSegments(options.keys, options.spare)
    this.retention = options.retention
    this.id = id
    this.#log = new ChainLog(folder)
    const { head, leaves } = this.#log.recover()
    if (head === undefined && ChainKeys.areIn(folder)) throw new Error('its log is gone')
    this.#keys = ChainKeys.open(folder, id, options.clock.microseconds())
    this.#head = head === undefined ? undefined : readHead(head.text)
    this.former = this.#head?.at
    this.#headText = head?.text ?? ''
    this.#tree = new Tree(this.#head?.size ?? 0, head?.peaks ?? [])
    if (this.#head !== undefined && this.#tree.root !== this.#head.root)
      throw new Error('its last head is not of its tree')
    for (const leaf of leaves) this.#append(leaf)
    const { blocks, seals } = this.#log.covered(oldest(options.spoolFolder))
    this.#covered = blocks
    for (const name of spoolFiles(options.spoolFolder))
      if (this.#covered.has(baseName(name))) this.#unstored.set(baseName(name), 0)
    this.#ratchets = new RatchetReader(options.spoolFolder, seals, options.ratchet)
    this.#ratchets.clean(options.instance)
  }

  /**
   * Goes on with the chain that is there, or begins one. `known`: the newest size that somebody else has seen of a
   * chain; a chain whose log is behind that was rolled back, and is not continued.
   */
  static open(options: ChainOptions, known: ReadonlyMap<string, number> = new Map()): Chain {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    const last = chainsIn(options.folder, options.gateway).at(-1)
    if (last !== undefined) {
      try {
        const chain = new Chain(options, join(options.folder, last), last)
        if (chain.size >= (known.get(last) ?? 0)) {
          chain.sign('start')
          return chain
        }
        chain.abandon()
        throw new Error(`it ends at leaf ${chain.size}, and ${known.get(last)} are known`)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        options.say('error', `chain ${last} cannot be continued (${why}); another one begins`)
      }
    }
    const id = `${options.gateway}.${ulid(Math.floor(options.clock.microseconds() / 1000))}`
    const chain = new Chain(options, join(options.folder, id), id)
    chain.sign('start')
    return chain
  }

  get size(): number {
    return this.#tree.size
  }

  /** Leaves up to here speak for rows that are in the record store. */
  get stored(): number {
    return Math.min(this.size, ...this.#unstored.values())
  }

  get head(): Head | undefined {
    return this.#head
  }

  get keys(): readonly SignedKey[] {
    return this.#keys.list
  }

  /**
   * Covers what is new in a segment. Throws where the log cannot be written; nothing of it counts then. A block that
   * cannot be read as rows is left out, loudly: its events stand in the table without a leaf, if at all.
   */
  cover(name: string, content: SegmentContent): void {
    const segment = baseName(name)
    const run = { isOurs: this.#isOurs(segment), isOpen: name.endsWith('.open') }
    const ranges = this.#ratchets.read(segment, content, run)
    let at = this.#covered.get(segment) ?? 0
    const last = ranges.at(-1)?.until ?? at
    const { inserts, spare } = this.#options
    const runs = new Runs(() => randomBytes(16), inserts?.rows(segment, at, last), spare)
    const leaves: LoggedLeaf[] = []
    // What the ratchet speaks for and what it does not never share a leaf.
    for (const [index, { until, proof }] of ranges.entries()) {
      if (proof === 'broken' && at < until) this.#sayBroken(segment)
      for (; at < until; at++) this.#read(runs, content, at, segment)
      if (ranges[index + 1]?.proof !== proof) this.#addLeaves(leaves, runs, segment, proof)
    }
    if (leaves.length > 0) {
      const seals = this.#ratchets.seals(segment)
      this.#log.leaves(leaves, seals === undefined ? [segment, at] : [segment, at, seals])
      if (!this.#unstored.has(segment)) this.#unstored.set(segment, this.size)
    }
    for (const leaf of leaves) this.#append(leaf)
    this.#covered.set(segment, at)
    if (run.isOpen) return
    // Complete and covered: not read again.
    this.#seen.set(`${segment}.seg`, 0)
    this.#seen.delete(`${segment}.open`)
  }

  /** What is covered so far is on the disk: rows that outlive a loss of power have their leaves. Throws likewise. */
  settle(): void {
    this.#log.sync()
  }

  /** Called a few times a second: covers what nobody has covered, and signs what waits. Never throws. */
  tick(): void {
    try {
      this.#coverSpool()
      const { clock, keyAgeMsMax } = this.#options
      const now = clock.microseconds()
      const age = (now - (this.#head?.at ?? 0)) / 1000
      if (this.#keys.isOld(now, keyAgeMsMax ?? KEY_AGE_MS)) this.#keys.rotate(now)
      if ((this.size > (this.#head?.size ?? 0) && age >= GATHER_MS) || age >= HEARTBEAT_MS) {
        this.sign('run')
        if (this.#isFailing) this.#options.say('info', 'the chain can be written again')
        this.#isFailing = false
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      // Four times a second on a disk that stays full.
      if (!this.#isFailing) this.#options.say('error', `the chain cannot be written: ${why}`)
      this.#isFailing = true
    }
  }

  /** Signs what there is. Throws where the disk does not take it. */
  sign(kind: Head['kind']): void {
    const { clock, instance, onHead } = this.#options
    this.#log.sync()
    const former = this.#head
    const key = this.#keys.current
    const head: Head = {
      chain: this.id,
      number: (former?.number ?? -1) + 1,
      size: this.#tree.size,
      root: this.#tree.root,
      // A clock that was set back must not make heads that seem older than the one before.
      at: Math.max(clock.microseconds(), (former?.at ?? 0) + 1),
      instance,
      kind,
      previous: former === undefined ? '' : textHash(this.#headText),
      retention: signedRetention(this.retention),
      key: key.id,
    }
    const text = headText(head)
    const signed = { text, signature: signText(text, key), peaks: this.#tree.peaks }
    this.#log.head(signed, head)
    this.#log.sync()
    this.#head = head
    this.#headText = text
    this.#ratchets.advance()
    this.#recentHeads.push(signed)
    if (this.#recentHeads.length > RECENT_MAX) this.#recentHeads.shift()
    onHead?.(signed, this.#keys.list)
  }

  /** Leaves `from` to `to`, the latter not included, as they stand in the gateway's own log. */
  leaves(from: number, to: number): Map<number, LoggedLeaf> {
    const start = this.#tree.size - this.#recent.length
    if (from < start) return this.#log.read(from, to)
    const found = new Map<number, LoggedLeaf>()
    for (let n = from; n < Math.min(to, this.#tree.size); n++)
      found.set(n, this.#recent[n - start]!)
    return found
  }

  /** Heads with a higher number. */
  headsAfter(number: number): readonly SignedHead[] {
    const kept = this.#recentHeads.filter(({ text }) => (readHead(text)?.number ?? 0) > number)
    const all = (this.#head?.number ?? -1) - number
    return kept.length >= all ? kept : this.#log.headsAfter(number)
  }

  /** The newest head that everything before is older than the moment, as far as the log can be cut there. */
  floor(before: number): Head | undefined {
    return this.#log.floor(before)
  }

  /** Leaves below `size` are gone from the log; its files are removed as a whole. */
  prune(size: number): void {
    this.#log.prune(size)
    const start = this.#tree.size - this.#recent.length
    this.#recent.splice(0, Math.max(0, size - start))
  }

  /** Salts and checksums of these leaves are gone from the log. Throws where the disk does not take it. */
  erase(isErased: (session: string, n: number) => boolean): void {
    this.#log.erase(isErased)
    this.#recent = this.#recent.map((leaf) =>
      isErased(leafSession(leaf.text), leafNumber(leaf.text) ?? 0)
        ? { ...leaf, salt: '', hints: '' }
        : leaf,
    )
  }

  /** A complete segment of which something is in memory, given away; undefined: it must be read from its file. */
  opened(name: string): SegmentContent | undefined {
    return this.#opened.take(join(this.#options.spoolFolder, name))
  }

  /** A segment is stored: what `opened` gave of it is not looked at any more. */
  isStored(name: string): void {
    this.#opened.stored(baseName(name))
  }

  /** A segment that is gone needs no place in memory. */
  forget(name: string): void {
    this.#opened.forget(baseName(name))
    this.#covered.delete(baseName(name))
    this.#unstored.delete(baseName(name))
    this.#ratchets.forget(baseName(name))
  }

  /** Everything that lies in the spool is covered and signed as the last of this run. */
  close(): void {
    this.#coverSpool()
    this.sign('close')
    this.#log.close()
  }

  /** Without a last head: for one that is not to be continued. */
  abandon(): void {
    this.#log.close()
  }

  #append(leaf: LoggedLeaf): void {
    this.#tree.append(leafHash(leaf.text))
    this.#recent.push(leaf)
    if (this.#recent.length > RECENT_MAX * 2) this.#recent = this.#recent.splice(RECENT_MAX)
  }

  #coverSpool(): void {
    const { spoolFolder, clock } = this.#options
    const now = clock.elapsed() / 1000
    const names = spoolFiles(spoolFolder)
    for (const name of names) {
      const isOpen = name.endsWith('.open')
      if (name.endsWith('.bad') || (isOpen && !this.#isOurs(name))) continue
      if (isOpen) {
        const since = this.#seen.get(name) ?? now
        this.#seen.set(name, since)
        if (now - since < OPEN_MS) continue
      } else if (this.#seen.get(name) === 0) continue
      const path = join(spoolFolder, name)
      const content = ownContent(() =>
        isOpen ? this.#opened.read(path) : (this.#opened.complete(path) ?? this.#file.read(path)),
      )
      if (content !== undefined) this.cover(name, content)
    }
    this.#opened.keep(names)
    this.#options.inserts?.keep(names.map(baseName))
    this.#forgetGone()
  }

  #forgetGone(): void {
    if (this.#seen.size < 4096) return
    const names = new Set(spoolFiles(this.#options.spoolFolder))
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name)
  }

  #isOurs(name: string): boolean {
    return name.startsWith(this.#options.instance)
  }

  #sayBroken(segment: string): void {
    this.#options.say('error', `spool segment ${segment} was changed after it was written`)
  }

  #read(runs: Runs, content: SegmentContent, at: number, segment: string): void {
    const { bytes, blocks, names } = content
    try {
      runs.add(bytes, [blocks[at * 2], blocks[at * 2 + 1]], names)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#options.say('warn', `a block of ${segment} is not covered by the chain: ${why}`)
    }
  }

  #addLeaves(leaves: LoggedLeaf[], runs: Runs, segment: string, proof: Proof): void {
    const at = this.#options.clock.microseconds()
    for (const { run, salt } of runs.take()) {
      const n = this.#tree.size + leaves.length
      const text = leafText({ chain: this.id, n, at, segment, run, salt, proof })
      leaves.push({ text, salt: Buffer.from(salt).toString('hex'), hints: run.hints })
    }
  }
}

/** Start of the oldest run whose segments lie in the spool, in microseconds: its name begins with a ULID. */
function oldest(spoolFolder: string): number {
  const first = spoolFiles(spoolFolder)[0]
  if (first === undefined) return Number.POSITIVE_INFINITY
  let ms = 0
  for (const letter of first.substring(0, 10))
    ms = ms * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(letter)
  return ms * 1000
}
