/** Pure. One entry of a session's ledger: what the target owes for one message that went up. */

import type { Shape } from '../../record/event.ts'
import type { Made } from './meanings.ts'
import type { CopyForm, Effect, MaskFinding } from './sql/analysis.ts'
import type { Portal, Prepared } from './statements.ts'

export const PARSE = 0
export const BIND = 1
export const DESCRIBE = 2
export const EXECUTE = 3
export const CLOSE = 4
export const SYNC = 5
export const QUERY = 6
export const FUNCTION = 7
/** A simple query of the gateway's own: nothing of its answer reaches the client. */
export const OWN = 8
/** A command of a replication connection. Of this and OWN replies are read by themselves. */
export const REPLICATION = 9

/** What frames of a client wait for, as bits: an answer from outside this thread; a cancel of ours that is on its way. */
export const ASKING = 1
export const CANCELLING = 2

/** An action that was recorded and forwarded, and whose outcome is not known yet. */
export interface Running {
  readonly shape: Shape
  /** Number that `Recording.action` gave. */
  readonly action: number
  readonly effect: Effect
  /** Names that it makes (PREPARE, DECLARE). */
  readonly made: Made | undefined
  /** performance.now() when it was forwarded. */
  readonly startedAt: number
  readonly gatewayUs: number
  readonly touchesMasked: boolean
  /** What hides each of its outputs, where the analysis could tell. */
  readonly outputs: MaskFinding['outputs']
}

const NONE: readonly Running[] = []

/** One shape for all kinds, filled in by whoever makes it: four of these are made for every statement. */
export class Entry {
  readonly kind: number
  /** Made by the gateway: its replies are not the client's. */
  silent = false
  /** Set: the message was replaced by one that must fail, and this is what the client reads of that failure. */
  refusal: Buffer | undefined
  prepared: Prepared | undefined
  portal: Portal | undefined
  /** CLOSE: which of the two. */
  closes: { readonly of: 'statement' | 'portal'; readonly name: string } | undefined
  /** EXECUTE has one or none, FUNCTION one, QUERY one for each statement. */
  running: readonly Running[] = NONE
  /** OWN: receives the first value of the first row, or undefined when the target refused, and whether for a cancel. */
  own: ((value: string | undefined, isCancelled: boolean) => void) | undefined
  /** QUERY, FUNCTION: how many of `running` are over. */
  done = 0
  /** QUERY, OWN, FUNCTION: the target has answered with an error. */
  failed = false
  /** The present statement, a COPY FROM STDIN, has asked for its data. */
  copyTold = false
  /** OWN: the target refused because of a cancel. */
  cancelled = false

  constructor(kind: number) {
    this.kind = kind
  }
}

/** The COPY that an entry's current statement may start. */
export function copyOf(one: Entry): CopyForm | undefined {
  return one.running[one.done]?.effect.copy
}
