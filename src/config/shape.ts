/** Pure. The configuration after it was read and checked: frozen, complete, in base units. */
import type { ActionClass } from '../decide/action.ts'

export interface Config {
  /** Absolute path of the file; undefined for the embedded default. */
  readonly path: string | undefined
  /** Absolute path. */
  readonly data: string
  readonly workers: number
  readonly control: ControlConfig
  readonly state:
    | { readonly embedded: true }
    | { readonly embedded: false; readonly url: SecretReference }
  readonly recorder: RecorderConfig
  readonly listeners: readonly ListenerConfig[]
  readonly connections: ReadonlyMap<string, ConnectionConfig>
  readonly roles: ReadonlyMap<string, RoleConfig>
  /** Absolute paths of policy files or folders. */
  readonly policies: readonly string[]
  readonly limits: LimitsConfig
}

export type SecretReference =
  | { readonly env: string }
  /** Absolute path. */
  | { readonly file: string }

export interface Address {
  readonly host: string
  readonly port: number
}

/** `path`: a Unix socket, absolute. */
export type TargetAddress = Address | { readonly path: string }

export interface ControlConfig {
  readonly listen: Address
  readonly publicUrl: string | undefined
  /** CIDR blocks that may read /metrics without a token. */
  readonly metricsFrom: readonly string[]
}

export interface RecorderConfig {
  readonly store:
    | {
        readonly embedded: true
        /** Where auditors' own tools may read; undefined: nowhere. */
        readonly listen?:
          | (Address & { readonly user: string; readonly password: SecretReference })
          | undefined
      }
    | {
        readonly embedded: false
        readonly url: string
        readonly database: string
        readonly user: string
        readonly password: SecretReference | undefined
        /** Of the servers' own configuration; undefined: one server. */
        readonly cluster: string | undefined
      }
  readonly durability: 'standard' | 'strict'
  readonly responseBytesMax: number
  readonly retentionDays: number
  readonly spoolBytesMax: number
  /** Of the keys that the spool is encrypted with (record/spool-key.ts); undefined: it is not. */
  readonly spoolEncrypt: SecretReference | undefined
  /** The spool is sealed until a head is signed. */
  readonly ratchet: boolean
  readonly anchors: readonly AnchorConfig[]
  /** undefined: no originals are kept. */
  readonly seal: SealConfig | undefined
}

/** To whom originals of masked values are encrypted: public keys of age, or absolute paths of files with one a line. */
export interface SealConfig {
  readonly recipients: readonly (string | { readonly file: string })[]
}

/** Where signed heads also go. `keyFile`: PEM of an Ed25519 key that countersigns them. */
export type AnchorConfig = { readonly keyFile: string | undefined } & (
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'http'; readonly url: string; readonly token: SecretReference | undefined }
  | {
      readonly type: 's3'
      /** With bucket and prefix. */
      readonly url: string
      readonly region: string
      readonly accessKey: SecretReference
      readonly secretKey: SecretReference
    }
)

export interface ListenerConfig {
  readonly protocol: 'postgres'
  readonly listen: Address
  readonly tls: { readonly cert: string; readonly key: SecretReference } | undefined
  /** CIDR blocks that may connect without TLS. */
  readonly plaintextFrom: readonly string[]
  /** CIDR blocks of proxies: each connection from there begins with a PROXY header. */
  readonly proxyProtocolFrom: readonly string[]
}

export interface ConnectionConfig {
  readonly name: string
  readonly type: 'postgres'
  /** One or more, in the order in which they are tried. */
  readonly addresses: readonly TargetAddress[]
  readonly database: string
  /** Holds `database` at least. */
  readonly databases: readonly string[]
  readonly tls: TargetTls
  readonly credential: CredentialConfig
  /** By role, in the file's order: the first whose role the grant holds stands in for `credential`. */
  readonly credentials: ReadonlyMap<string, CredentialConfig>
  /** Parameter of the target's session that holds who the client is; clients cannot set it. */
  readonly identityParameter: string | undefined
  /** Over all workers; more wait for a while. */
  readonly maxSessions: number | undefined
  /** By our own clock, for each statement. */
  readonly statementTimeoutMs: number | undefined
  readonly functionsRead: readonly string[]
  /** Of its records; undefined: `recorder.retention`. */
  readonly retentionDays: number | undefined
  readonly labels: Readonly<Record<string, string>>
}

export interface TargetTls {
  readonly mode: 'disable' | 'require' | 'verify-full'
  /** Absolute path of a PEM file; undefined: the system's roots. */
  readonly ca: string | undefined
  /** Absolute path of a PEM file that is shown to the target; with it comes a key. */
  readonly cert: string | undefined
  readonly key: SecretReference | undefined
}

export interface CredentialConfig {
  readonly user: string
  readonly password: SecretReference | undefined
  /** Ways of authentication the target may ask for. Default: only scram-sha-256. */
  readonly auth: readonly ('scram-sha-256' | 'md5' | 'password' | 'cert' | 'trust')[]
}

export interface RoleConfig {
  readonly name: string
  /** `human:<issuer>:<subject>`, `workload:…`, `subject:<name>`, `group:<name>`, with `*`. */
  readonly members: readonly string[]
  /** Names, `label:key=value`, or `*`. */
  readonly connections: readonly string[]
  readonly allow: readonly ActionClass[]
  readonly reviews: readonly string[]
  readonly api: readonly ApiRole[]
}

export type ApiRole = 'viewer' | 'auditor' | 'operator' | 'admin'

export interface LimitsConfig {
  readonly statementBytesMax: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly handshakeMs: number
  readonly idleMs: number
  readonly sessionMaxMs: number
}
