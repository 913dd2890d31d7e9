/**
 * IO (sockets). Copies the chain into the record store, a few seconds behind: leaves, heads and public keys, each at least
 * once and in order. Equal rows are one; whoever reads says DISTINCT.
 *
 * Never ahead of the rows: what has no leaf there yet is
 * younger than what has. What is missing there, once it was copied, is not put back: that it is missing is what an auditor must see.
 */
import type { Chain } from './chain.ts'
import type { LoggedLeaf } from './chain-log.ts'
import type { ClickHouse } from './clickhouse.ts'
import { readHead, type SignedHead } from './proof.ts'

/** Rows of one insert. */
const ROWS_MAX = 4000

export class ChainStore {
  readonly #chain: Chain
  readonly #database: string
  /** What the store had when it was first asked, and has been sent since. */
  #sent: { leaves: number; head: number; keys: number } | undefined

  constructor(chain: Chain, database: string) {
    this.#chain = chain
    this.#database = database
  }

  /** True while everything that is signed stands in the store. */
  get isCurrent(): boolean {
    return this.#sent !== undefined && this.#sent.head >= (this.#chain.head?.number ?? -1)
  }

  /** Number of the newest head that stands there. */
  get head(): number {
    return this.#sent?.head ?? -1
  }

  /** Rejects with StoreError. Resolves with `behind` where the store knows more than the chain's own log does. */
  async copy(store: ClickHouse): Promise<'fine' | 'behind'> {
    this.#sent ??= await this.#found(store)
    const { head, stored } = this.#chain
    if (head === undefined) return 'fine'
    if (this.#sent.leaves > this.#chain.size || this.#sent.head > head.number) return 'behind'
    const heads = this.#chain.headsAfter(this.#sent.head)
    const ready = heads.filter(({ text }) => (readHead(text)?.size ?? 0) <= stored)
    const size = readHead(ready.at(-1)?.text ?? '')?.size ?? 0
    while (this.#sent.leaves < size) await this.#copyLeaves(store, size)
    await this.#copyKeys(store)
    await this.#copyHeads(store, ready)
    return 'fine'
  }

  async #found(store: ClickHouse): Promise<{ leaves: number; head: number; keys: number }> {
    const params = { chain: this.#chain.id }
    const [leaf] = await store.query({
      sql: `SELECT count() AS rows, max(n) AS n FROM ${this.#table('chain_leaves')} WHERE chain = {chain:String}`,
      params,
    })
    const [head] = await store.query({
      sql: `SELECT count() AS rows, max(number) AS n FROM ${this.#table('chains')} WHERE chain = {chain:String}`,
      params,
    })
    const [keys] = await store.query({
      sql: `SELECT uniqExact(key_id) AS n FROM ${this.#table('chain_keys')} WHERE chain = {chain:String}`,
      params,
    })
    return {
      leaves: Number(leaf?.rows) === 0 ? 0 : Number(leaf?.n) + 1,
      head: Number(head?.rows) === 0 ? -1 : Number(head?.n),
      keys: Number(keys?.n ?? 0),
    }
  }

  async #copyLeaves(store: ClickHouse, to: number): Promise<void> {
    const from = this.#sent!.leaves
    const until = Math.min(to, from + ROWS_MAX)
    const leaves = this.#chain.leaves(from, until)
    const rows = [...leaves.entries()].map(([n, leaf]) => leafRow(this.#chain.id, n, leaf))
    if (rows.length < until - from) throw new Error(`leaves from ${from} on are not in the log`)
    await this.#insert(store, 'chain_leaves', rows)
    this.#sent!.leaves = until
  }

  async #copyHeads(store: ClickHouse, heads: readonly SignedHead[]): Promise<void> {
    for (let at = 0; at < heads.length; at += ROWS_MAX) {
      const some = heads.filter((_, index) => index >= at && index < at + ROWS_MAX)
      const rows = some.map(({ text, signature, peaks }) => {
        const head = readHead(text)!
        const { chain, size, root, number, kind, key } = head
        const ts = moment(head.at)
        return { ts, chain, size, root, signature, key_id: key, number, kind, text, peaks }
      })
      await this.#insert(store, 'chains', rows)
      this.#sent!.head = rows.at(-1)?.number ?? this.#sent!.head
    }
  }

  async #copyKeys(store: ClickHouse): Promise<void> {
    const keys = this.#chain.keys.filter((_, at) => at >= this.#sent!.keys)
    if (keys.length === 0) return
    const rows = keys.map(({ text, signature }) => {
      const [, chain, id, , at] = JSON.parse(text)
      return { ts: moment(at), chain, key_id: id, text, signature }
    })
    await this.#insert(store, 'chain_keys', rows)
    this.#sent!.keys += keys.length
  }

  async #insert(store: ClickHouse, table: string, rows: readonly object[]): Promise<void> {
    const body = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const columns = Object.keys(rows[0] ?? {}).join(', ')
    await store.insert({
      sql: `INSERT INTO ${this.#table(table)} (${columns}) FORMAT JSONEachRow`,
      body,
      // A token that was noted by an engine that was killed would swallow the second try.
      settings: { async_insert: 0, insert_deduplicate: 0 },
    })
  }

  #table(name: string): string {
    return `\`${this.#database}\`.${name}`
  }
}

function leafRow(chain: string, n: number, { text, salt, hints }: LoggedLeaf): object {
  const [, , , at, , session, first, last] = JSON.parse(text)
  return {
    ts: moment(at),
    chain,
    n,
    session_id: session,
    first_seq: first,
    last_seq: last,
    text,
    salt,
    hints,
  }
}

/** Microseconds as ClickHouse reads a DateTime64(6): a decimal number of seconds. */
function moment(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1e6)
  return `${seconds}.${String(microseconds - seconds * 1e6).padStart(6, '0')}`
}
