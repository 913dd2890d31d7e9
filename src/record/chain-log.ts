/**
 * IO (files). The chain's own book on the gateway's disk: every leaf and every head, in order, appended before anything
 * refers to it. What stands in the record store is a copy.
 *
 *   <folder>/<size of the tree>-<number of the head>.ndjson     one file after the other, 16 digits each
 *   {"leaf":text,"salt":…,"hints":…,"done":["segment",blocks,seals]}    `done`: the last leaf of what was covered at once;
 *                                                   `seals`: the next one of its writer, where that has a ratchet
 *   {"head":text,"signature":…,"peaks":[…]}
 *
 * A file is followed by another after a day or 32 MiB, so that what is past retention goes file by file; `salt` and `hints`
 * are empty where contents were erased. A torn end, and leaves behind the last `done`, are cut off when it is opened: their segment is covered again. Each
 * file but the first begins with a head, so that nothing before it is needed to go on.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Reserve } from './chain-reserve.ts'
import { type Head, leafNumber, leafSession, readHead, type SignedHead } from './proof.ts'

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

/** Chains of this gateway, oldest first. */
export function chainsIn(folder: string, gateway: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(`${gateway}.`))
      .sort()
  } catch {
    return []
  }
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
/** Microseconds; likewise where a file was begun longer ago. */
const FILE_AGE_MAX = 86_400_000_000
/** A head's line is shorter. */
const LINE_BYTES_MAX = 64 << 10
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
  #path = ''
  #bytes = 0
  /** Moment of the first head of the file; 0 where it has none. */
  #begun = 0
  #isSynced = true

  /** `isOver`: nothing is appended to it any more. */
  constructor(folder: string, isOver = false) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#reserve = new Reserve(join(folder, 'reserve'))
    if (!isOver) this.#reserve.take()
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
    this.#path = path
    this.#bytes = end
    this.#begun = readHead(lines.find((line) => line.head !== undefined)?.head ?? '')?.at ?? 0
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

  head(head: SignedHead, { size, number, at }: Pick<Head, 'size' | 'number' | 'at'>): void {
    const { text, signature, peaks } = head
    const line = { head: text, signature, peaks: [...peaks] }
    const isOld = this.#begun > 0 && at - this.#begun > FILE_AGE_MAX
    const isFull = this.#bytes > FILE_BYTES_MAX || isOld
    if (!isFull || !this.#isNext(line, { size, number })) this.#append([line])
    else this.#begun = at
    if (this.#begun === 0) this.#begun = at
  }

  /** The first head of the newest file that was begun before the moment: what is older than it can go. */
  floor(before: number): Head | undefined {
    let floor: Head | undefined
    for (const name of this.#files()) {
      const head = this.#firstHead(name)
      if (head !== undefined && head.at <= before) floor = head
    }
    return floor
  }

  /** Files that hold nothing but leaves below `size` are gone. */
  prune(size: number): void {
    const files = this.#files()
    for (const [at, name] of files.entries()) {
      const next = files[at + 1]
      if (next === undefined || Number.parseInt(next, 10) > size) return
      rmSync(join(this.#folder, name))
    }
  }

  /** Salts and checksums of these leaves are gone from the disk. Throws where it does not take the rest of a file. */
  erase(isErased: (session: string, n: number) => boolean): void {
    for (const name of this.#files()) {
      const path = join(this.#folder, name)
      let count = 0
      const lines = wholeLines(readFileSync(path)).lines.map((line) => {
        const { leaf = '', salt = '' } = line
        const n = leafNumber(leaf)
        if (n === undefined || salt === '' || !isErased(leafSession(leaf), n)) return line
        count++
        return { ...line, salt: '', hints: '' }
      })
      if (count > 0) this.#rewrite(path, textOf(lines))
    }
  }

  #rewrite(path: string, bytes: Buffer): void {
    const descriptor = openSync(`${path}.new`, 'w', 0o600)
    try {
      writeFileSync(descriptor, bytes)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(`${path}.new`, path)
    if (path !== this.#path || this.#descriptor < 0) return
    closeSync(this.#descriptor)
    this.#descriptor = openSync(path, 'r+', 0o600)
    this.#bytes = bytes.length
  }

  #firstHead(name: string): Head | undefined {
    const descriptor = openSync(join(this.#folder, name), 'r')
    try {
      const bytes = Buffer.alloc(LINE_BYTES_MAX)
      const text = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
      return readHead(parse(text.split('\n', 1)[0] ?? '')?.head ?? '')
    } finally {
      closeSync(descriptor)
    }
  }

  /** False where another file cannot be begun: then the one that is there goes on. */
  #isNext(line: Line, { size, number }: { size: number; number: number }): boolean {
    const former = { descriptor: this.#descriptor, bytes: this.#bytes, path: this.#path }
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
      this.#path = former.path
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
    this.#path = path
    this.#bytes = 0
    return path
  }

  #append(lines: readonly Line[]): void {
    const bytes = textOf(lines)
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

function textOf(lines: readonly Line[]): Buffer {
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
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
