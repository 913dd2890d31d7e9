/**
 * Pure. What wrong attempts cost: a token id is locked after too many, an address is only delayed.
 *
 * A lock speaks to wrong attempts alone: whoever knows the secret always passes, so nobody locks out a fleet. Ids that
 * do not exist are counted like those that do; otherwise the lock would tell which is which. Memory is bounded: the
 * oldest entry gives way.
 */

import { networkOf } from '../accept/address.ts'

export interface LockoutLimits {
  /** Wrong secrets until an id is locked. */
  readonly attemptsMax: number
  /** How long attempts count, and how long a lock lasts from the attempt that made it. */
  readonly windowMs: number
  readonly entriesMax: number
}

export const LOCKOUT_LIMITS: LockoutLimits = {
  attemptsMax: 10,
  windowMs: 15 * 60_000,
  entriesMax: 10_000,
}

/** Least time between a wrong credential and its answer, whatever was wrong with it. */
export const ANSWER_DELAY_MS = 300

interface Count {
  wrong: number
  /** Milliseconds since any fixed moment; the count is forgotten then. */
  until: number
}

export class Lockout {
  readonly #ids = new Map<string, Count>()
  readonly #addresses = new Map<string, Count>()
  readonly #limits: LockoutLimits

  constructor(limits: LockoutLimits = LOCKOUT_LIMITS) {
    this.#limits = limits
  }

  /**
   * Notes a wrong attempt at `nowMs` (monotonic). `locked`: the id already had its attempts, this one not counted.
   * `delayMs`: when the answer may leave, at the earliest; the same for every kind of wrong.
   */
  wrong(id: string, address: string, nowMs: number): { locked: boolean; delayMs: number } {
    const tries = this.#count(this.#ids, id, nowMs)
    const locked = tries.wrong >= this.#limits.attemptsMax
    // A lock runs from the attempt that made it: trying on does not prolong it.
    if (!locked) {
      tries.wrong += 1
      tries.until = nowMs + this.#limits.windowMs
    }
    const visits = this.#count(this.#addresses, networkOf(address), nowMs)
    visits.wrong += 1
    visits.until = nowMs + this.#limits.windowMs
    return { locked, delayMs: delay(visits.wrong) }
  }

  #count(counts: Map<string, Count>, key: string, nowMs: number): Count {
    const known = counts.get(key)
    if (known !== undefined && known.until > nowMs) {
      counts.delete(key) // Back to the end: Map keeps the order of insertion, so the first is the oldest.
      counts.set(key, known)
      return known
    }
    counts.delete(key)
    if (counts.size >= this.#limits.entriesMax) counts.delete(counts.keys().next().value!)
    const fresh = { wrong: 0, until: nowMs + this.#limits.windowMs }
    counts.set(key, fresh)
    return fresh
  }
}

/** Grows in steps and stays under any handshake limit. */
function delay(wrong: number): number {
  if (wrong <= 20) return ANSWER_DELAY_MS
  return wrong <= 100 ? 1000 : 3000
}
