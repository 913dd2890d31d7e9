/**
 * IO. Heads of the record's chain in the state database: another place that whoever rolls back the record would have to
 * roll back as well. Asked for every second (control.ts), and only the newest are kept.
 */
import type { SignedHead } from '../../record/proof.ts'
import { readHead } from '../../record/proof.ts'
import type { SeenHead } from '../../record/ship-messages.ts'
import type { State } from './state.ts'

/** Of each chain. */
const KEPT = 3600

export class ChainHeads {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  /** The newest of all chains. */
  async newest(): Promise<SeenHead | undefined> {
    const [row] = await this.#state.query(
      'select chain, number, size from chain_heads order by at desc limit 1',
      [],
    )
    if (row === undefined) return undefined
    return { chain: String(row.chain), number: Number(row.number), size: Number(row.size) }
  }

  /** In order. Returns the last one. */
  async insert(heads: readonly SignedHead[]): Promise<SeenHead | undefined> {
    let seen: SeenHead | undefined
    // After a long absence the newest speak for those before them.
    for (const { text, signature } of heads.filter((_, index) => index >= heads.length - KEPT)) {
      const head = readHead(text)
      if (head === undefined) continue
      const { chain, number, size, at } = head
      await this.#state.query(
        'insert into chain_heads (chain, number, size, at, text, signature) values ($1, $2, $3, $4, $5, $6) on conflict do nothing',
        [chain, number, size, at, text, signature],
      )
      seen = { chain, number, size }
    }
    if (seen !== undefined)
      await this.#state.query('delete from chain_heads where chain = $1 and number < $2', [
        seen.chain,
        seen.number - KEPT,
      ])
    return seen
  }

  /** The newest of each chain, in the form of the evidence. */
  async known(): Promise<readonly object[]> {
    const rows = await this.#state.query(
      'select distinct on (chain) text, signature from chain_heads order by chain, number desc',
      [],
    )
    return rows.map(({ text, signature }) => ({ source: 'state', text, signature }))
  }
}
