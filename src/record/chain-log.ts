/**
 * IO (files). The chain's own book on the gateway's disk: every leaf and every head, in order, appended before anything
 * refers to it. What stands in the record store is a copy.
 *
 *   <folder>/<size of the tree>-<number of the head>.ndjson     one file after the other, 16 digits each
 *   {"leaf":text,"salt":…,"hints":…,"done":["segment",blocks,seals]}    `done`: the last leaf of what was covered at once;
 *                                                   `seals`: the next one of its writer, where that has a ratchet
 *   {"head":text,"signature":…,"peaks":[…]}
 *
 * A torn end, and leaves behind the last `done`, are cut off when it is opened: their segment is covered again. Each
 * file but the first begins with a head, so that nothing before it is needed to go on.
 */
import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { leafNumber, readHead, type SignedHead } from './proof.ts'

export interface LoggedLeaf {
  readonly text: string
  /** Hexadecimal. */
  readonly salt: string
  readonly hints: string
}

/** What leaves of the log speak for. */
export interface Covered {
  /** Segment → blocks. */
  readonly blocks: Map<string, number>
  /** Writer → the seal of its ratchet that comes next. */
  readonly seals: Map<string, number>
}

/** `<instance>-<thread>`, of a segment. */
export function writerOf(segment: string): string {
  return segment.replace(/-\d+$/, '')
}

export interface Recovered {
  readonly head: SignedHead | undefined
  /** After that head. */
  readonly leaves: readonly LoggedLeaf[]
}

/** A file that has more than this is followed by another at the next head. */
const FILE_BYTES_MAX = 32 << 20
/** Enough for the leaves of the segments that free the disk when they are shipped. */
const RESERVE_BYTES = 1 << 20
const RESERVE_AGAIN_MS = 5000

type Line = Partial<{
  leaf: string
  salt: string
  hints: string
  done: [string, number, number?]
  head: string
  signature: string
  peaks: string[]
}>

export class ChainLog {
  readonly #folder: string
  readonly #reserve: Reserve
  #descriptor = -1
  #bytes = 0
  #isSynced = true

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#reserve = new Reserve(join(folder, 'reserve'))
    this.#reserve.take()
  }

  /** Opens the last file, without its torn end. Throws where what stands in it cannot be continued. */
  recover(): Recovered {
    const files = this.#files()
    const name = files.at(-1)
    if (name === undefined) {
      this.#open(0, 0)
      return { head: undefined, leaves: [] }
    }
    const path = join(this.#folder, name)
    const bytes = readFileSync(path)
    const { lines, end, isDamaged } = wholeLines(bytes)
    if (files.length > 1 && lines.length === 0 && !isDamaged) {
      // Killed before its head was there: nothing has begun with it.
      rmSync(path)
      return this.recover()
    }
    if (isDamaged) throw new Error('its log is damaged')
    this.#descriptor = openSync(path, 'r+', 0o600)
    ftruncateSync(this.#descriptor, end)
    this.#bytes = end
    const at = lines.findLastIndex((line) => line.head !== undefined)
    const head = lines[at]
    return {
      head: head === undefined ? undefined : headOf(head),
      leaves: lines.filter((line, index) => index > at && line.leaf !== undefined).map(leafOf),
    }
  }

  /** As far back as the moment. */
  covered(sinceMicroseconds: number): Covered {
    const blocks = new Map<string, number>()
    const seals = new Map<string, number>()
    const raise = (map: Map<string, number>, key: string, to: number) =>
      map.set(key, Math.max(to, map.get(key) ?? 0))
    for (const name of this.#files().reverse()) {
      const { lines } = wholeLines(readFileSync(join(this.#folder, name)))
      for (const { done } of lines) {
        if (done === undefined) continue
        raise(blocks, done[0], done[1])
        raise(seals, writerOf(done[0]), done[2] ?? 0)
      }
      const first = lines.find((line) => line.head !== undefined)?.head
      if ((readHead(first ?? '')?.at ?? 0) < sinceMicroseconds) break
    }
    return { blocks, seals }
  }

  /** All of it or, after a crash, nothing. Throws where the disk does not take it; then nothing of it counts. */
  leaves(leaves: readonly LoggedLeaf[], done: NonNullable<Line['done']>): void {
    const last = leaves.length - 1
    this.#append(
      leaves.map(({ text, salt, hints }, at) => ({
        leaf: text,
        salt,
        hints,
        ...(at === last ? { done } : {}),
      })),
    )
  }

  /** Waits for the disk: a head that was handed on must not be ahead of its leaves. */
  sync(): void {
    if (this.#isSynced) return
    fdatasyncSync(this.#descriptor)
    this.#isSynced = true
  }

  head(head: SignedHead, { size, number }: { size: number; number: number }): void {
    const { text, signature, peaks } = head
    const line = { head: text, signature, peaks: [...peaks] }
    if (this.#bytes <= FILE_BYTES_MAX || !this.#isNext(line, { size, number })) this.#append([line])
  }

  /** False where another file cannot be begun: then the one that is there goes on. */
  #isNext(line: Line, { size, number }: { size: number; number: number }): boolean {
    const former = { descriptor: this.#descriptor, bytes: this.#bytes }
    let path: string | undefined
    try {
      path = this.#open(size, number)
      this.#append([line])
    } catch {
      if (path !== undefined) {
        closeSync(this.#descriptor)
        rmSync(path, { force: true })
      }
      this.#descriptor = former.descriptor
      this.#bytes = former.bytes
      return false
    }
    closeSync(former.descriptor)
    return true
  }

  /** Leaves with numbers `from` to `to`, the latter not included, as far as they are here. */
  read(from: number, to: number): Map<number, LoggedLeaf> {
    const found = new Map<number, LoggedLeaf>()
    const files = this.#files()
    files.forEach((name, at) => {
      const next = Number.parseInt(files[at + 1] ?? '9007199254740991', 10)
      if (next <= from || Number.parseInt(name, 10) >= to) return
      for (const line of wholeLines(readFileSync(join(this.#folder, name))).lines) {
        const n = line.leaf === undefined ? undefined : leafNumber(line.leaf)
        if (n !== undefined && n >= from && n < to) found.set(n, leafOf(line))
      }
    })
    return found
  }

  /** Heads with a number above `number`, from the newest file that has one of them. */
  headsAfter(number: number): SignedHead[] {
    const heads: SignedHead[] = []
    for (const name of this.#files().reverse()) {
      const { lines } = wholeLines(readFileSync(join(this.#folder, name)))
      const here = lines.filter((line) => line.head !== undefined).map(headOf)
      const newer = here.filter(({ text }) => (readHead(text)?.number ?? 0) > number)
      heads.unshift(...newer)
      if (newer.length < here.length) break
    }
    return heads
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor)
    this.#descriptor = -1
  }

  #files(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => /^\d{16}-\d{16}\.ndjson$/.test(name))
      .sort()
  }

  #open(size: number, number: number): string {
    const name = [size, number].map((part) => String(part).padStart(16, '0')).join('-')
    const path = join(this.#folder, `${name}.ndjson`)
    this.#descriptor = openSync(path, 'wx', 0o600)
    this.#bytes = 0
    return path
  }

  #append(lines: readonly Line[]): void {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    try {
      this.#write(bytes)
    } catch (error) {
      // On a full disk nothing is shipped, and so nothing is freed, unless there is room for this.
      if (!this.#reserve.give()) throw error
      this.#write(bytes)
    }
    this.#bytes += bytes.length
    this.#reserve.take()
  }

  #write(bytes: Buffer): void {
    let done = 0
    this.#isSynced = false
    try {
      while (done < bytes.length)
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#bytes + done)
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#bytes)
      throw error
    }
  }
}

/** Room on the disk that is given away when there is no other. */
class Reserve {
  readonly #path: string
  #isThere = false
  #triedMs = -RESERVE_AGAIN_MS

  constructor(path: string) {
    this.#path = path
  }

  take(): void {
    if (this.#isThere || performance.now() - this.#triedMs < RESERVE_AGAIN_MS) return
    this.#triedMs = performance.now()
    try {
      writeFileSync(this.#path, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 })
      this.#isThere = true
    } catch {
      rmSync(this.#path, { force: true })
    }
  }

  /** False: there was none. */
  give(): boolean {
    if (!this.#isThere) return false
    rmSync(this.#path, { force: true })
    this.#isThere = false
    return true
  }
}

/** Up to the last head or `done`; behind it nothing counts. */
function wholeLines(bytes: Buffer): { lines: Line[]; end: number; isDamaged: boolean } {
  const lines: Line[] = []
  let [count, end, at] = [0, 0, 0]
  for (let next = bytes.indexOf(10, at); next >= 0; next = bytes.indexOf(10, at)) {
    const line = parse(bytes.toString('utf8', at, next))
    if (line === undefined) break
    at = next + 1
    lines.push(line)
    if (line.head === undefined && line.done === undefined) continue
    count = lines.length
    end = at
  }
  // A crash tears the last line; one before it was changed.
  const next = bytes.indexOf(10, at)
  const isDamaged = next >= 0 && next < bytes.length - 1
  return { lines: lines.filter((_, index) => index < count), end, isDamaged }
}

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}

function headOf({ head = '', signature = '', peaks = [] }: Line): SignedHead {
  return { text: head, signature, peaks }
}

function leafOf({ leaf = '', salt = '', hints = '' }: Line): LoggedLeaf {
  return { text: leaf, salt, hints }
}
