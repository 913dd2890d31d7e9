/**
 * Pure. How often an address may do something: a bucket of tokens for each, filled steadily. Bounded: of too many
 * addresses at once the one that was seen first is forgotten.
 */
import { networkOf } from './address.ts'

export interface RateLimits {
  readonly perSecond: number
  readonly burst: number
}

const ADDRESSES_MAX = 10_000

interface Bucket {
  tokens: number
  /** Milliseconds. */
  at: number
}

export class AddressRate {
  readonly #limits: RateLimits
  readonly #buckets = new Map<string, Bucket>()

  constructor(limits: RateLimits) {
    this.#limits = limits
  }

  /** True when the address may; it has spent a token then. `nowMs` never runs back. */
  take(address: string, nowMs: number): boolean {
    const bucket = this.#bucketOf(networkOf(address), nowMs)
    const { perSecond, burst } = this.#limits
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.at) / 1000) * perSecond)
    bucket.at = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  #bucketOf(network: string, nowMs: number): Bucket {
    const known = this.#buckets.get(network)
    if (known !== undefined) return known
    if (this.#buckets.size >= ADDRESSES_MAX) {
      this.#buckets.delete(this.#buckets.keys().next().value!)
    }
    const bucket = { tokens: this.#limits.burst, at: nowMs }
    this.#buckets.set(network, bucket)
    return bucket
  }
}
