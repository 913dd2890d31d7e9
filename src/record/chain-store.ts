/**
 * IO (sockets). Copies the chain into the record store, a few seconds behind: leaves, heads and public keys, each at least
 * once and in order. Equal rows are one; whoever reads says DISTINCT.
 *
 * Never ahead of the rows: what has no leaf there yet is
 * younger than what has. What is missing there, once it was copied, is not put back: that it is missing is what an auditor must see.
 *
 * What stands there is believed where it is signed by a key of the chain, and nowhere else: whoever can write into the store
 * could otherwise make a gateway give up its chain, or leave out a part of it.
 */
import type { Chain } from './chain.ts'
import type { LoggedLeaf } from './chain-log.ts'
import type { ClickHouse } from './clickhouse.ts'
import { type Head, isSigned, readHead, type SignedHead } from './proof.ts'

/** Rows of one insert. */
const ROWS_MAX = 4000
/** Of one question for heads or keys; and how many of them are asked before what is forged is too much. */
const LOOKED_AT = 1000
const LOOKS_MAX = 20

type Say = (level: 'error', text: string) => void

interface Sent {
  leaves: number
  head: number
  /** The log has another head of that number: it was rolled back, and has gone on since. */
  readonly isFork: boolean
  /** Ids. */
  readonly keys: Set<string>
}

/** Key id → public key. */
type KnownKeys = Map<string, string>

export class ChainStore {
  readonly #chain: Chain
  readonly #database: string
  readonly #say: Say
  /** What the store had when it was first asked, and has been sent since. */
  #sent: Sent | undefined

  constructor(chain: Chain, database: string, say: Say = () => {}) {
    this.#chain = chain
    this.#database = database
    this.#say = say
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
    const { leaves, head: number, isFork } = this.#sent
    if (leaves > this.#chain.size || number > head.number || isFork) return 'behind'
    const heads = this.#chain.headsAfter(this.#sent.head)
    const ready = heads.filter(({ text }) => (readHead(text)?.size ?? 0) <= stored)
    const size = readHead(ready.at(-1)?.text ?? '')?.size ?? 0
    while (this.#sent.leaves < size) await this.#copyLeaves(store, size)
    await this.#copyKeys(store)
    await this.#copyHeads(store, ready)
    return 'fine'
  }

  async #found(store: ClickHouse): Promise<Sent> {
    const keys = await this.#keys(store)
    const head = await this.#newest(store, keys)
    const own = new Set(this.#chain.keys.map(({ text }) => keyOf(text).id))
    return {
      // Past retention all leaves under it may be gone again.
      leaves: await this.#leavesFrom(store, head?.size ?? 0),
      head: head?.number ?? -1,
      isFork: head !== undefined && this.#isOther(head),
      keys: new Set([...keys.stored].filter((id) => own.has(id))),
    }
  }

  /** The chain's own keys, and those of the store that they have signed: a log that was rolled back does not know its newest. */
  async #keys(store: ClickHouse): Promise<{ known: KnownKeys; stored: Set<string> }> {
    const known: KnownKeys = new Map()
    for (const { text } of this.#chain.keys) known.set(keyOf(text).id, keyOf(text).key)
    const stored = new Set<string>()
    const rows = await store.query({
      sql: `SELECT DISTINCT ts, text, signature FROM ${this.#table('chain_keys')} WHERE chain = {chain:String} ORDER BY ts LIMIT {max:UInt32}`,
      params: { chain: this.#chain.id, max: LOOKED_AT * LOOKS_MAX },
    })
    for (const { text, signature } of rows) {
      const { chain, id, key, by } = keyOf(String(text))
      const signer = known.get(by)
      if (signer === undefined || chain !== this.#chain.id) continue
      if (!isSigned(String(text), String(signature), signer)) continue
      // One that is known keeps its key, whatever a row says.
      if (!known.has(id)) known.set(id, key)
      stored.add(id)
    }
    return { known, stored }
  }

  /** The newest head of this chain that one of its keys has signed; what else calls itself a head is named. */
  async #newest(store: ClickHouse, { known }: { known: KnownKeys }): Promise<Head | undefined> {
    let forged = 0
    let newest: Head | undefined
    for (let look = 0; look < LOOKS_MAX && newest === undefined; look++) {
      const rows = await store.query({
        sql: `SELECT DISTINCT number, text, signature FROM ${this.#table('chains')} WHERE chain = {chain:String} ORDER BY number DESC, text, signature LIMIT {max:UInt32} OFFSET {from:UInt32}`,
        params: { chain: this.#chain.id, max: LOOKED_AT, from: look * LOOKED_AT },
      })
      for (const { text, signature } of rows) {
        newest = this.#judged(String(text), String(signature), known)
        if (newest !== undefined) break
        forged++
      }
      if (rows.length < LOOKED_AT) break
    }
    if (forged > 0)
      this.#say(
        'error',
        `${forged} rows of ${this.#database}.chains are not heads of chain ${this.#chain.id}: somebody has written there`,
      )
    return newest
  }

  #isOther(head: Head): boolean {
    const [own] = this.#chain.headsAfter(head.number - 1)
    const same = readHead(own?.text ?? '')
    return same?.number === head.number && (same.root !== head.root || same.at !== head.at)
  }

  #judged(text: string, signature: string, keys: KnownKeys): Head | undefined {
    const head = readHead(text)
    const key = head?.chain === this.#chain.id ? keys.get(head.key) : undefined
    return key !== undefined && isSigned(text, signature, key) ? head : undefined
  }

  /** Leaves may be ahead of their head after a crash: those that are ours, without a gap. */
  async #leavesFrom(store: ClickHouse, from: number): Promise<number> {
    const rows = await store.query({
      sql: `SELECT DISTINCT n, text FROM ${this.#table('chain_leaves')} WHERE chain = {chain:String} AND n >= {from:UInt64} AND n < {to:UInt64} ORDER BY n LIMIT {max:UInt32}`,
      params: {
        ...{ chain: this.#chain.id, from, to: Math.max(from, this.#chain.size) },
        max: LOOKED_AT * LOOKS_MAX,
      },
    })
    if (rows.length === 0) return from
    const stored = new Set(rows.map(({ n, text }) => `${n} ${text}`))
    const own = this.#chain.leaves(from, Math.min(this.#chain.size, from + LOOKED_AT * LOOKS_MAX))
    let leaves = from
    while (stored.has(`${leaves} ${own.get(leaves)?.text}`)) leaves++
    return leaves
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
    const keys = this.#chain.keys.filter(({ text }) => !this.#sent!.keys.has(keyOf(text).id))
    if (keys.length === 0) return
    const rows = keys.map(({ text, signature }) => {
      const [, chain, id, , at] = JSON.parse(text)
      return { ts: moment(at), chain, key_id: id, text, signature }
    })
    await this.#insert(store, 'chain_keys', rows)
    for (const { text } of keys) this.#sent!.keys.add(keyOf(text).id)
  }

  async #insert(store: ClickHouse, table: string, rows: readonly object[]): Promise<void> {
    const body = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const columns = Object.keys(rows[0] ?? {}).join(', ')
    await store.insert({
      sql: `INSERT INTO ${this.#table(table)} (${columns}) FORMAT JSONEachRow`,
      body: [body],
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

/** Empty texts where it is none. */
function keyOf(text: string): { chain: string; id: string; key: string; by: string } {
  try {
    const [, chain, id, key, , by] = JSON.parse(text)
    return { chain: String(chain), id: String(id), key: String(key), by: String(by) }
  } catch {
    return { chain: '', id: '', key: '', by: '' }
  }
}

/** Microseconds as ClickHouse reads a DateTime64(6): a decimal number of seconds. */
function moment(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1e6)
  return `${seconds}.${String(microseconds - seconds * 1e6).padStart(6, '0')}`
}
