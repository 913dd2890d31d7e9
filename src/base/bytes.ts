/**
 * Pure. The few things we do with bytes, each with one rule about who owns them.
 *
 * `Buffer.subarray` shares memory and `Buffer.slice` does too, although `Uint8Array.slice` copies: so bytes
 * that outlive a call go through `copy`, and `.slice(` on bytes is banned (test/tidy).
 */

/** Own memory; the source may be reused afterwards. */
export function copy(bytes: Uint8Array, start = 0, end = bytes.length): Buffer {
  const own = Buffer.allocUnsafeSlow(end - start)
  own.set(bytes.subarray(start, end))
  return own
}

/** Whether [start, end) of `bytes` is what `known` is. */
export function same(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const size = end - start
  if (known.length !== size) return false
  if (size > 96) return known.compare(bytes, start, end) === 0
  for (let i = 0; i < size; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

/** Position of the next zero byte, or -1 when there is none before `end`. */
export function zeroAt(bytes: Uint8Array, start: number, end = bytes.length): number {
  // Names are short, and a call into C++ costs as much as a few dozen bytes by hand.
  const near = Math.min(end, start + 48)
  for (let at = start; at < near; at++) if (bytes[at] === 0) return at
  if (near === end) return -1
  const at = bytes.indexOf(0, near)
  return at < 0 || at >= end ? -1 : at
}

/**
 * A buffer that grows as it is written, for frames built one after the other.
 * `bytes.subarray(0, size)` is valid until the next write or `clear`.
 */
export class ByteSink {
  bytes: Buffer
  size = 0

  constructor(capacity = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  /** Makes room for `count` more bytes; call before writing into `bytes` by hand. */
  reserve(count: number): void {
    if (this.size + count <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.size + count))
    this.bytes.copy(grown, 0, 0, this.size)
    this.bytes = grown
  }

  append(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(end - start)
    // Short spans are cheaper by hand than by a call into C++.
    if (end - start < 48) {
      for (let at = start; at < end; at++) this.bytes[this.size++] = source[at]!
      return
    }
    this.bytes.set(
      start === 0 && end === source.length ? source : source.subarray(start, end),
      this.size,
    )
    this.size += end - start
  }

  u8(value: number): void {
    this.reserve(1)
    this.bytes[this.size++] = value
  }

  u16(value: number): void {
    this.reserve(2)
    this.size = this.bytes.writeUInt16BE(value, this.size)
  }

  i32(value: number): void {
    this.reserve(4)
    this.size = this.bytes.writeInt32BE(value, this.size)
  }

  /** UTF-8 text followed by a zero byte, as PostgreSQL writes strings. */
  zeroTerminated(text: string): void {
    const count = Buffer.byteLength(text)
    this.reserve(count + 1)
    this.size += this.bytes.write(text, this.size, 'utf8')
    this.bytes[this.size++] = 0
  }

  /** What was written so far; shares memory with the sink. */
  view(): Buffer {
    return this.bytes.subarray(0, this.size)
  }

  clear(): void {
    this.size = 0
  }
}
