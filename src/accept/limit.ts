/**
 * Pure. How many connections may be open, in all and from one address. Counted in main, where every
 * connection is accepted, so that one count covers all workers.
 */
import { assert } from '../base/errors.ts'
import { networkOf } from './address.ts'

export interface ConnectionLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
}

export type LimitFinding = 'open' | 'full' | 'address-full'

export class ConnectionCount {
  #limits: ConnectionLimits
  #open = 0
  /** An IPv6 network is one (address.ts). */
  readonly #byAddress = new Map<string, number>()

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  get open(): number {
    return this.#open
  }

  /** Lower limits end nothing that is open; they refuse what comes next. */
  relimit(limits: ConnectionLimits): void {
    this.#limits = limits
  }

  /**
   * Counts the connection when the answer is `open`; then `release` is owed, once. undefined: whose address is told
   * later, and counted elsewhere (seats.ts).
   */
  admit(address: string | undefined): LimitFinding {
    if (this.#open >= this.#limits.connections) return 'full'
    if (address === undefined) {
      this.#open++
      return 'open'
    }
    const network = networkOf(address)
    const here = this.#byAddress.get(network) ?? 0
    if (here >= this.#limits.connectionsPerAddress) return 'address-full'
    this.#byAddress.set(network, here + 1)
    this.#open++
    return 'open'
  }

  release(address: string | undefined): void {
    if (address === undefined) {
      this.#open--
      return
    }
    const network = networkOf(address)
    const here = this.#byAddress.get(network)
    assert(here !== undefined, 'release of an address that has no connection')
    // Addresses without connections are forgotten: the map is no bigger than what is open.
    if (here === 1) this.#byAddress.delete(network)
    else this.#byAddress.set(network, here - 1)
    this.#open--
  }
}
