/**
 * Pure. What a client asks for, in words that no protocol owns.
 *
 * An action has the classes of *all* its parts, and a role must allow each of them (semantics §1).
 */
import type { Finding } from '../mask/findings.ts'
import type { SqlFacts } from './facts/sql.ts'

/** Rising order; `action.class` is the highest of `classes`. */
export const CLASSES = [
  'read',
  'write',
  'schema',
  'transfer',
  'execute',
  'admin',
  'opaque',
] as const

export type ActionClass = (typeof CLASSES)[number]

export interface Action {
  readonly protocol: string
  /** Distinct, in rising order; never empty. */
  readonly classes: readonly ActionClass[]
  /** Upper-case first word of the (first) command, for records: `SELECT`, `DROP`. */
  readonly verb: string
  /** Qualified names of what it touches. */
  readonly objects: readonly string[]
  /** Why it could not be understood; set exactly when `classes` holds `opaque`. */
  readonly opaque: OpaqueReason | undefined
  /** The exact text, for rules; never recorded without masking. */
  readonly text: string
  readonly facts: { readonly sql?: SqlFacts }
  /** What detectors see in text and parameters; set where a rule reads it. */
  readonly findings?: readonly Finding[]
}

export interface OpaqueReason {
  /** A sentence; the parser's own message where there is one. */
  readonly reason: string
  /** 1-based character position in the text, where known. */
  readonly position: number | undefined
}

export function highest(classes: readonly ActionClass[]): ActionClass {
  let top = 0
  for (const one of classes) top = Math.max(top, CLASSES.indexOf(one))
  return CLASSES[top]!
}
