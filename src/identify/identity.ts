/** Pure. Who somebody is, once verified. */

export interface Identity {
  readonly subject: string
  readonly kind: 'human' | 'workload'
  /** Name of the issuer in `identity.issuers`; `gateway` for gateway tokens. */
  readonly issuer: string
  readonly groups: readonly string[]
  /** Roles that the token narrows to; undefined: all that membership gives. */
  readonly rolesOnly: readonly string[] | undefined
  /** Connections that the token narrows to; undefined: all that the roles give. */
  readonly connectionsOnly: readonly string[] | undefined
  readonly owner: string
  readonly job: Job
  /** Names the credential in records and when it is revoked; never the secret. */
  readonly credentialId: string
  /** Milliseconds since 1970; the session ends then. */
  readonly expiresAt: number
}

export interface Job {
  readonly id: string
  readonly run: string
  readonly agent: string
  readonly parentAgent: string
  /** True: named by the token. False: claimed by the client, good for grouping records only. */
  readonly verified: boolean
}

export const NO_JOB: Job = { id: '', run: '', agent: '', parentAgent: '', verified: false }
