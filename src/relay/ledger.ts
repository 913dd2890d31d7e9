/**
 * Pure. What the target still owes the client, first in first out.
 *
 * An answer that the gateway invents must wait its turn behind replies still owed; a reply to what the gateway
 * itself asked must not reach the client. Both are entries of this queue. Grows as needed, bounded by `entriesMax`
 * so that a client that never stops asking cannot take the memory.
 */
export class Ledger<Entry> {
  readonly #entriesMax: number
  #ring: (Entry | undefined)[] = new Array(16).fill(undefined)
  #head = 0
  #size = 0

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#size
  }

  /** True when the client should not be read for now. */
  get isFull(): boolean {
    return this.#size >= this.#entriesMax
  }

  first(): Entry | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head]
  }

  last(): Entry | undefined {
    return this.#size === 0 ? undefined : this.#ring[(this.#head + this.#size - 1) & this.#mask]
  }

  push(entry: Entry): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & this.#mask] = entry
    this.#size++
  }

  shift(): Entry | undefined {
    if (this.#size === 0) return undefined
    const entry = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.#size--
    return entry
  }

  get #mask(): number {
    return this.#ring.length - 1
  }

  #grow(): void {
    const grown: (Entry | undefined)[] = new Array(this.#ring.length * 2).fill(undefined)
    for (let i = 0; i < this.#size; i++) grown[i] = this.#ring[(this.#head + i) & this.#mask]
    this.#ring = grown
    this.#head = 0
  }
}
