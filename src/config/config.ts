/**
 * Pure. The text of `sluice.yaml` becomes a frozen `Config`, or every problem at once. Defaults stand here, and
 * nowhere else. Does not look at the disk: load.ts does.
 */
import { dirname, resolve } from 'node:path'
import { check } from './fields.ts'
import { FORM, type Form } from './form.ts'
import { didYouMean, inFileOrder, type Problem } from './problem.ts'
import type {
  AnchorConfig,
  Config,
  ConnectionConfig,
  CredentialConfig,
  ListenerConfig,
  RecorderConfig,
  RoleConfig,
  SecretReference,
} from './shape.ts'
import { readYaml, type YamlFile } from './yaml.ts'

export interface ConfigSource {
  /** Path of the file; relative paths in it are relative to its folder. */
  readonly path: string
  readonly text: string
  /** What `workers: auto` means. */
  readonly cores: number
}

export type ConfigResult =
  | { readonly config: Config; readonly yaml: YamlFile }
  | { readonly problems: readonly Problem[] }

const LOOPBACK = ['127.0.0.0/8', '::1/128']
const DAY_MS = 86_400_000

/** Total: no text makes it throw. `yaml` says where each part stands, for problems that only the disk shows. */
export function readConfig(source: ConfigSource): ConfigResult {
  const yaml = readYaml(source.path, source.text)
  if (!yaml.isReadable) return { problems: yaml.problems }
  // An empty file is a configuration: nothing listens and nobody gets in.
  const value = yaml.value ?? {}
  const result = check<Form>(FORM, value)
  const crossed = crossChecks(value, yaml)
  if ('issues' in result || crossed.length > 0 || yaml.problems.length > 0) {
    const issues = 'issues' in result ? result.issues : []
    const problems = issues.map((issue) => yaml.problem(issue.path, issue.message, issue.at))
    return { problems: [...yaml.problems, ...problems, ...crossed].sort(inFileOrder) }
  }
  return { config: deepFreeze(build(result.value, source)), yaml }
}

/** What one field alone does not show. Works on unchecked data, so that these come with all other problems. */
function crossChecks(value: unknown, yaml: YamlFile): Problem[] {
  const names = new Set(Object.keys(mapping(at(value, 'connections'))))
  const problems: Problem[] = []
  const roles = Object.keys(mapping(at(value, 'roles')))
  for (const [name, settings] of Object.entries(mapping(at(value, 'connections'))))
    for (const role of Object.keys(mapping(at(settings, 'credentials')))) {
      if (roles.includes(role)) continue
      const message = `there is no such role${didYouMean(role, roles)}`
      problems.push(yaml.problem(['connections', name, 'credentials', role], message, 'key'))
    }
  for (const [role, settings] of Object.entries(mapping(at(value, 'roles'))))
    for (const key of ['connections', 'reviews'])
      for (const [index, name] of items(at(settings, key)).entries()) {
        if (typeof name !== 'string' || name === '*' || /[:*]/.test(name) || names.has(name))
          continue
        const message = `there is no such connection${didYouMean(name, names)}`
        problems.push(yaml.problem(['roles', role, key, index], message))
      }
  return problems
}

function build(form: Form, source: ConfigSource): Config {
  const folder = dirname(resolve(source.path))
  const path = (relative: string) => resolve(folder, relative)
  const { control, limits } = form
  const connections = Object.entries(form.connections ?? {})
  const roles = Object.entries(form.roles ?? {})
  return {
    path: resolve(source.path),
    data: path(form.data ?? './var'),
    workers: typeof form.workers === 'number' ? form.workers : Math.max(1, source.cores),
    control: {
      listen: control?.listen ?? { host: '127.0.0.1', port: 7070 },
      publicUrl: control?.public_url,
      metricsFrom: control?.metrics_from ?? LOOPBACK,
    },
    state: { embedded: true },
    recorder: recorder(form.recorder, path),
    listeners: (form.listeners ?? []).map((one) => listener(one, path)),
    connections: new Map(connections.map(([name, one]) => [name, connection(name, one, path)])),
    roles: new Map(roles.map(([name, one]) => [name, role(name, one)])),
    policies: (form.policies ?? []).map(path),
    limits: {
      statementBytesMax: limits?.statement_bytes_max ?? 1024 ** 2,
      connections: limits?.connections ?? 20_000,
      connectionsPerAddress: limits?.connections_per_address ?? 2000,
      handshakeMs: limits?.handshake ?? 10_000,
      idleMs: limits?.idle ?? 3_600_000,
      sessionMaxMs: limits?.session_max ?? 8 * 3_600_000,
    },
  }
}

type PathOf = (relative: string) => string
type Filled<K extends keyof Form> = NonNullable<Form[K]>

function recorder(form: Form['recorder'], path: PathOf): RecorderConfig {
  const store = form?.store
  return {
    store:
      store === undefined || store === 'embedded' || 'embedded' in store
        ? { embedded: true, listen: storePort(store, path) }
        : {
            embedded: false,
            url: store.url,
            database: store.database ?? 'sluice',
            user: store.user ?? 'default',
            password: secret(store.password, path),
            cluster: store.cluster,
          },
    durability: form?.durability ?? 'standard',
    responseBytesMax: form?.response_bytes_max ?? 1024 ** 2,
    retentionDays: (form?.retention ?? 400 * DAY_MS) / DAY_MS,
    spoolBytesMax: form?.spool?.bytes_max ?? 10 * 1024 ** 3,
    spoolEncrypt: secret(form?.spool?.encrypt, path),
    ratchet: form?.ratchet !== 'off',
    anchors: (form?.anchors ?? []).map((one) => anchor(one, path)),
    seal: form?.seal && {
      recipients: form.seal.recipients.map((one) =>
        typeof one === 'string' ? one : { file: path(one.file) },
      ),
    },
  }
}

function storePort(
  store: NonNullable<Form['recorder']>['store'],
  path: PathOf,
): (RecorderConfig['store'] & { embedded: true })['listen'] {
  if (typeof store !== 'object' || !('embedded' in store)) return undefined
  const { listen, user = 'auditor', password } = store
  return { ...listen, user, password: fromFolder(password, path) }
}

function anchor(
  form: NonNullable<NonNullable<Form['recorder']>['anchors']>[number],
  path: PathOf,
): AnchorConfig {
  const keyFile = form.key === undefined ? undefined : path(form.key.file)
  if ('file' in form) return { type: 'file', path: path(form.file), keyFile }
  if ('http' in form)
    return { type: 'http', url: form.http, token: secret(form.token, path), keyFile }
  const { s3, region = 'us-east-1', access_key, secret_key } = form
  const [accessKey, secretKey] = [fromFolder(access_key, path), fromFolder(secret_key, path)]
  return { type: 's3', url: s3, region, accessKey, secretKey, keyFile }
}

function listener(form: Filled<'listeners'>[number], path: PathOf): ListenerConfig {
  const { tls } = form
  return {
    protocol: form.protocol,
    listen: form.listen,
    tls: tls === undefined ? undefined : { cert: path(tls.cert), key: fromFolder(tls.key, path) },
    plaintextFrom: form.plaintext_from ?? LOOPBACK,
    proxyProtocolFrom: form.proxy_protocol_from ?? [],
  }
}

function connection(
  name: string,
  form: Filled<'connections'>[string],
  path: PathOf,
): ConnectionConfig {
  const tls = typeof form.tls === 'string' ? { mode: form.tls } : form.tls
  return {
    name,
    type: form.type,
    addresses: Array.isArray(form.address) ? form.address : [form.address],
    database: form.database,
    databases: [...new Set([form.database, ...(form.databases ?? [])])],
    // Unsaid means safe: the target's name is verified.
    tls: {
      mode: tls?.mode ?? 'verify-full',
      ca: tls?.ca === undefined ? undefined : path(tls.ca),
      cert: tls?.cert === undefined ? undefined : path(tls.cert),
      key: secret(tls?.key, path),
    },
    credential: credential(form.credential, path),
    credentials: new Map(
      Object.entries(form.credentials ?? {}).map(([role, one]) => [role, credential(one, path)]),
    ),
    identityParameter:
      typeof form.identity_to_target === 'object'
        ? form.identity_to_target.setting
        : form.identity_to_target,
    maxSessions: form.max_sessions,
    statementTimeoutMs: form.statement_timeout,
    functionsRead: form.functions?.read ?? [],
    retentionDays: form.retention === undefined ? undefined : form.retention / DAY_MS,
    labels: form.labels ?? {},
  }
}

function credential(
  form: Filled<'connections'>[string]['credential'],
  path: PathOf,
): CredentialConfig {
  return {
    user: form.user,
    password: secret(form.password, path),
    auth: form.auth ?? ['scram-sha-256'],
  }
}

function role(name: string, form: Filled<'roles'>[string]): RoleConfig {
  return {
    name,
    members: form.members,
    connections: form.connections ?? [],
    allow: form.allow ?? [],
    reviews: form.reviews ?? [],
    api: form.api ?? [],
  }
}

function secret(form: SecretReference | undefined, path: PathOf): SecretReference | undefined {
  return form === undefined ? undefined : fromFolder(form, path)
}

function fromFolder(form: SecretReference, path: PathOf): SecretReference {
  return 'file' in form ? { file: path(form.file) } : { env: form.env }
}

function at(value: unknown, key: string): unknown {
  return mapping(value)[key]
}

function mapping(value: unknown): Record<string, unknown> {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMapping ? (value as Record<string, unknown>) : {}
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const inside = value instanceof Map ? value.values() : Object.values(value)
  for (const one of inside) deepFreeze(one)
  return Object.freeze(value)
}
