/**
 * Pure. Values of rows in ClickHouse's RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary), of the types that
 * recorded events have. What is made of them is shown to people: the digests are taken of the bytes (verifier.mjs).
 */
export type RowValue =
  | string
  | number
  | boolean
  | readonly string[]
  | Readonly<Record<string, number>>

export type RowValues = Readonly<Record<string, RowValue>>

/** Throws where the bytes are not rows of these columns. */
export function rowValues(
  bytes: Buffer,
  columns: readonly (readonly [name: string, type: string])[],
): RowValues[] {
  const rows: RowValues[] = []
  const reader = new Reader(bytes)
  while (!reader.isAtEnd)
    rows.push(Object.fromEntries(columns.map(([name, type]) => [name, reader.value(type)])))
  return rows
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  value(type: string): RowValue {
    if (type === 'String') return this.#text()
    if (type === 'Bool') return this.#take(1)[0] !== 0
    if (type.startsWith('Array')) return Array.from({ length: this.#size() }, () => this.#text())
    if (!type.startsWith('Map')) return this.#number()
    const pairs = Array.from({ length: this.#size() }, () => [this.#text(), this.#number()])
    return Object.fromEntries(pairs)
  }

  #text(): string {
    return this.#take(this.#size()).toString('utf8')
  }

  #number(): number {
    return Number(this.#take(8).readBigUInt64LE())
  }

  /** Never more than there are bytes: a forged count must not make room for itself. */
  #size(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#take(1)[0]!
      value += (byte & 127) * scale
      if (byte < 128) break
    }
    if (value > this.#bytes.length - this.#at) throw new Error('the rows are cut off')
    return value
  }

  #take(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new Error('the rows are cut off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
