/**
 * Pure. The proof that an identity may open a target. Nothing dials, records or relays without one, and only
 * `admit` mints one.
 */
import type { Config, ConnectionConfig } from '../config/shape.ts'
import type { Identity } from '../identify/identity.ts'
import type { ActionClass } from './action.ts'

declare const minted: unique symbol

export interface Grant {
  readonly [minted]: true
  readonly identity: Identity
  readonly connection: ConnectionConfig
  readonly database: string
  /** Roles of the identity that grant this connection. */
  readonly roles: readonly string[]
  /** Classes that those roles allow. */
  readonly allow: ReadonlySet<ActionClass>
}

export interface AdmitTarget {
  readonly connection: string
  /** undefined: the connection's default. */
  readonly database: string | undefined
}

/**
 * undefined: no such connection, no such database, or no role that grants it. The caller words all three alike, so
 * that existence is not disclosed.
 */
export function admit(config: Config, identity: Identity, target: AdmitTarget): Grant | undefined {
  void config
  void identity
  void target
  return undefined
}
