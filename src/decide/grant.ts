/**
 * Pure. The proof that an identity may open a target. Nothing dials, records or relays without one, and only
 * `admit` mints one.
 */
import type {
  ApiRole,
  Config,
  ConnectionConfig,
  CredentialConfig,
  RoleConfig,
} from '../config/shape.ts'
import type { Identity } from '../identify/identity.ts'
import type { ActionClass } from './action.ts'
import { covers, isMember } from './member.ts'

declare const minted: unique symbol

export interface Grant {
  readonly [minted]: true
  readonly identity: Identity
  readonly connection: ConnectionConfig
  readonly database: string
  /** Roles of the identity that grant this connection, in the configuration's order. */
  readonly roles: readonly string[]
  /** Classes that those roles allow. */
  readonly allow: ReadonlySet<ActionClass>
  /** What the gateway logs in to the target with. */
  readonly credential: CredentialConfig
  /** The role that `credential` stands under in the connection's `credentials`; '' for the connection's own. */
  readonly credentialRole: string
}

export interface AdmitTarget {
  readonly connection: string
  /** undefined: the connection's default. */
  readonly database: string | undefined
}

/**
 * undefined: no such connection, no such database, or no role that grants it. The caller words all three alike, so
 * that existence is not disclosed; and each takes the same steps, or the time of many answers would.
 */
export function admit(config: Config, identity: Identity, target: AdmitTarget): Grant | undefined {
  const known = config.connections.get(target.connection)
  const connection = known ?? anyOther(config, target.connection)
  if (connection === undefined) return undefined
  const database = target.database ?? connection.database
  const isThere = known !== undefined && connection.databases.includes(database)
  const { connectionsOnly } = identity
  const isOpen = connectionsOnly === undefined || covers(connectionsOnly, connection)
  const granting = held(config, identity).filter(
    // A role that allows no class (a reviewer's) opens nothing.
    (role) => role.allow.length > 0 && covers(role.connections, connection),
  )
  if (!isThere || !isOpen || granting.length === 0) return undefined
  const roles = Object.freeze(granting.map((role) => role.name))
  const allow: ReadonlySet<ActionClass> = new Set(granting.flatMap((role) => role.allow))
  const chosen = credentialOf(connection, roles)
  return Object.freeze({ identity, connection, database, roles, allow, ...chosen }) as Grant
}

/** What roles are tried on for a connection that does not exist. */
function anyOther(config: Config, name: string): ConnectionConfig | undefined {
  const [first] = config.connections.values()
  return first && { ...first, name }
}

/** The order of `credentials` decides for who holds several roles, and not the order of roles. */
function credentialOf(
  connection: ConnectionConfig,
  roles: readonly string[],
): Pick<Grant, 'credential' | 'credentialRole'> {
  for (const [role, credential] of connection.credentials)
    if (roles.includes(role)) return { credential, credentialRole: role }
  return { credential: connection.credential, credentialRole: '' }
}

/** Names of the roles that the identity holds anywhere, after what its token narrows. */
export function rolesOf(config: Config, identity: Identity): readonly string[] {
  return held(config, identity).map((role) => role.name)
}

/** What the identity may do on the control API. Empty: nothing. */
export function apiRoles(config: Config, identity: Identity): readonly ApiRole[] {
  return [...new Set(held(config, identity).flatMap((role) => role.api))]
}

function held(config: Config, identity: Identity): readonly RoleConfig[] {
  return [...config.roles.values()].filter(
    (role) =>
      (identity.rolesOnly === undefined || identity.rolesOnly.includes(role.name)) &&
      role.members.some((pattern) => isMember(pattern, identity)),
  )
}
