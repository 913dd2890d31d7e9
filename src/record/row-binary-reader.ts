/**
 * Pure. Reads ClickHouse's RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary), value by value, of the types that
 * recorded events have. Everything throws where the bytes end before a value does: what is read may come from anybody.
 */

/** A length of more bytes than this is none: ten hold 64 bits. */
const LENGTH_BYTES_MAX = 10

export class RowBinaryReader {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length
  }

  /** LEB128. Never more than there are bytes: a forged count must not make room for itself. */
  length(): number {
    const bytes = this.#bytes
    let [value, scale] = [0, 1]
    for (let left = LENGTH_BYTES_MAX; left > 0; left--, scale *= 128) {
      const byte = bytes[this.at++]
      if (byte === undefined) break
      value += (byte & 127) * scale
      if (byte > 127) continue
      if (value > bytes.length - this.at) break
      return value
    }
    throw new Error('the rows are cut off')
  }

  /** Shares memory with what is read. */
  take(count: number): Buffer {
    const start = this.at
    this.at += count
    if (this.at > this.#bytes.length) throw new Error('the rows are cut off')
    return this.#bytes.subarray(start, this.at)
  }

  text(): string {
    return this.take(this.length()).toString('utf8')
  }

  uint64(): bigint {
    return this.take(8).readBigUInt64LE()
  }

  bool(): boolean {
    return this.take(1)[0] !== 0
  }

  skip(type: string): void {
    if (type === 'String') this.take(this.length())
    else if (type === 'Bool') this.take(1)
    else if (type.startsWith('Array') || type.startsWith('Map')) {
      for (let left = this.length(); left > 0; left--) {
        this.take(this.length())
        if (type.startsWith('Map')) this.take(8)
      }
    } else this.take(8)
  }
}
