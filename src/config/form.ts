/**
 * Pure. The form of `sluice.yaml`: every key of the contract, in the contract's order. A key that the contract has
 * and this version has not is named in the second argument of `section`, which refuses it with that sentence.
 */
import { isLoopback } from '../base/cidr.ts'
import { CLASSES } from '../decide/action.ts'
import { memberFault, scopeFault } from '../decide/member.ts'
import { recipientFault } from '../record/age-recipient.ts'
import {
  always,
  checked,
  choice,
  type Field,
  integer,
  list,
  oneOf,
  parsed,
  section,
  table,
  text,
  type Value,
} from './fields.ts'
import { NOT_YET } from './problem.ts'
import type { SecretReference, TargetAddress } from './shape.ts'
import {
  parseAddress,
  parseCidr,
  parseDuration,
  parseName,
  parseSize,
  parseTarget,
} from './units.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Timers of Node hold 31 bits of milliseconds; a longer one would fire at once. */
const TIMER_MS_MAX = 24 * DAY

const TLS_MODES = ['disable', 'require', 'verify-full'] as const
/** Protocols of the contract that this version does not speak. */
const LISTENERS_LATER = ['mysql', 'ssh', 'http', 'egress', 'redis', 'mongodb']
const TYPES_LATER = [
  ...['mysql', 'ssh', 'http', 'kubernetes', 'openai', 'anthropic', 'mcp'],
  ...['redis', 'mongodb', 'clickhouse', 'tcp'],
]

const NAME = 'letters, digits, _ . - (at most 63, no / : *)'
const address = parsed('host:port, such as 127.0.0.1:15432 or "[::1]:15432"', parseAddress)
const target = parsed(
  'host:port, such as db.example.com:5432, or the path of a Unix socket, such as /run/postgresql/.s.PGSQL.5432',
  parseTarget,
)
const cidr = parsed('a CIDR block, such as 10.0.0.0/8', parseCidr)
const path = text('a path')
const named = { expected: NAME, isName: (name: string) => parseName(name) !== undefined }

const secret = choice<SecretReference>((value): Field<SecretReference> | string => {
  const keys = isMapping(value) ? Object.keys(value) : []
  if (keys.includes('vault')) return `{ vault: … } ${NOT_YET}; use { env: NAME } or { file: path }`
  if (keys.length !== 1) return 'expected { env: NAME } or { file: path }, never the secret itself'
  const variable = parsed('the name of a variable', (name) =>
    /^\w+$/.test(name) ? name : undefined,
  )
  return keys[0] === 'file' ? section({ file: path }) : section({ env: variable })
})

const control = section(
  {
    listen: checked(address, ({ host }) =>
      isLoopback(host)
        ? undefined
        : `expected a loopback address: listening beyond it needs control.tls, which ${NOT_YET}`,
    ).optional(),
    public_url: parsed('an http or https URL', httpUrl).optional(),
    metrics_from: list(cidr).optional(),
  },
  ['tls', 'local_reviewers'],
)

const state = choice((value) =>
  isMapping(value) ? `a state database elsewhere ${NOT_YET}; use embedded` : oneOf(['embedded']),
)

const clickhouse = section({
  url: parsed('an http or https URL', httpUrl),
  database: parsed('a name', parseName).optional(),
  user: text().optional(),
  password: secret.optional(),
  cluster: parsed('a name', parseName).optional(),
})

/** Without TLS, so for this host only. */
const embeddedStore = section({
  embedded: choice<true>((value) => (value === true ? always(true) : 'expected true')),
  listen: checked(address, ({ host, port }) =>
    isLoopback(host) && port > 0
      ? undefined
      : 'expected a loopback address and a port, such as 127.0.0.1:8123',
  ),
  user: text().optional(),
  password: secret,
})

const store = choice<'embedded' | Value<typeof clickhouse> | Value<typeof embeddedStore>>(
  (value) => {
    if (!isMapping(value)) return oneOf(['embedded'])
    return 'embedded' in value ? embeddedStore : clickhouse
  },
)

/** What is sent is signed and no secret, but whoever answers for the address could withhold it. */
const anchorUrl = parsed('an https URL, or http to this host', (value) => {
  const url = httpUrl(value)
  if (url === undefined) return undefined
  const { protocol, hostname, search } = new URL(url)
  const isNear = isLoopback(hostname.replace(/^\[|\]$/g, ''))
  return search === '' && (protocol === 'https:' || isNear) ? url : undefined
})
const anchorKey = section({ file: path }).optional()
const fileAnchor = section({ file: path, key: anchorKey })
const httpAnchor = section({ http: anchorUrl, token: secret.optional(), key: anchorKey })
const s3Anchor = section({
  s3: anchorUrl,
  region: text().optional(),
  access_key: secret,
  secret_key: secret,
  key: anchorKey,
})
type AnchorForm = Value<typeof fileAnchor> | Value<typeof httpAnchor> | Value<typeof s3Anchor>

const anchor = choice<AnchorForm>(
  (value): Field<AnchorForm> | string => {
    const keys = isMapping(value) ? Object.keys(value) : []
    if (keys.includes('file')) return fileAnchor
    if (keys.includes('http')) return httpAnchor
    return keys.includes('s3') ? s3Anchor : 'expected { file: path }, { http: url } or { s3: url }'
  },
  [fileAnchor, httpAnchor, s3Anchor],
)

const recipientFile = section({ file: path })
const recipient = choice<string | Value<typeof recipientFile>>((value) =>
  isMapping(value)
    ? recipientFile
    : checked(
        text('a public key of age (age1…), or { file: path } with one a line'),
        recipientFault,
      ),
)

const recorder = section(
  {
    store: store.optional(),
    durability: oneOf(['standard', 'strict']).optional(),
    response_bytes_max: size(0, 64 * 1024 ** 2).optional(),
    retention: wholeDays().optional(),
    spool: section({
      bytes_max: size(16 * 1024 ** 2, 1024 ** 5).optional(),
      encrypt: secret.optional(),
    }).optional(),
    ratchet: oneOf(['on', 'off']).optional(),
    anchors: list(anchor).optional(),
    seal: section({ recipients: list(recipient, { min: 1 }) }).optional(),
  },
  [],
)

const listener = section(
  {
    protocol: choice((value) =>
      LISTENERS_LATER.includes(String(value))
        ? `a listener for ${String(value)} ${NOT_YET}`
        : oneOf(['postgres']),
    ),
    listen: address,
    tls: section({ cert: path, key: secret }).optional(),
    plaintext_from: list(cidr).optional(),
    proxy_protocol_from: list(cidr).optional(),
  },
  ['host_key'],
)

const targetTlsFull = checked(
  section({
    mode: oneOf(TLS_MODES),
    ca: path.optional(),
    cert: path.optional(),
    key: secret.optional(),
  }),
  ({ mode, cert, key }) => {
    if ((cert === undefined) !== (key === undefined))
      return 'expected both cert and key, or neither'
    if (cert !== undefined && mode === 'disable') return 'a certificate is shown by TLS only'
    return undefined
  },
)

const targetTls = choice<(typeof TLS_MODES)[number] | Value<typeof targetTlsFull>>((value) =>
  isMapping(value) ? targetTlsFull : oneOf(TLS_MODES),
)

const credential = checked(
  section({
    user: text(),
    password: secret.optional(),
    auth: list(oneOf(['scram-sha-256', 'md5', 'password', 'cert', 'trust']), {
      min: 1,
    }).optional(),
  }),
  ({ password, auth = ['scram-sha-256'] }) =>
    password === undefined && auth.some((way) => way !== 'trust' && way !== 'cert')
      ? 'expected a password: { env: NAME } or { file: path }'
      : undefined,
)

/** Only a parameter that nothing else has a meaning for: with a dot in its name, as PostgreSQL wants it. */
const targetSetting = parsed('a parameter of your own, such as sluice.subject', (name) =>
  /^[a-z_][a-z0-9_]{0,30}\.[a-z_][a-z0-9_]{0,30}$/.test(name) ? name : undefined,
)

const identityToTarget = choice<'application_name' | { setting: string }>((value) =>
  isMapping(value) ? section({ setting: targetSetting }) : oneOf(['application_name']),
)

const connectionFields = section(
  {
    type: choice((value) =>
      TYPES_LATER.includes(String(value))
        ? `a connection of type ${String(value)} ${NOT_YET}`
        : oneOf(['postgres']),
    ),
    address: choice<TargetAddress | TargetAddress[]>((value) =>
      Array.isArray(value) ? list(target, { min: 1 }) : target,
    ),
    database: databaseName(),
    databases: list(databaseName(), { min: 1 }).optional(),
    tls: targetTls.optional(),
    credential,
    credentials: table(credential, named).optional(),
    identity_to_target: identityToTarget.optional(),
    max_sessions: integer(1, 1_000_000).optional(),
    statement_timeout: duration(10, TIMER_MS_MAX).optional(),
    functions: section({ read: list(text('a pattern such as public.st_*')) }).optional(),
    retention: wholeDays().optional(),
    labels: table(text(), named).optional(),
  },
  ['via'],
)

/** Who lets a certificate alone in proves nothing itself: its own must be verified. */
const connection = checked(connectionFields, ({ tls, credential, credentials = {} }) => {
  const isByCertificate = [credential, ...Object.values(credentials)].some(({ auth = [] }) =>
    auth.includes('cert'),
  )
  const shows = typeof tls === 'object' && tls.mode === 'verify-full' && tls.cert !== undefined
  if (!isByCertificate || shows) return undefined
  return 'auth lists cert: expected tls: { mode: verify-full, cert: path, key: { file } or { env } }'
})

const role = section({
  members: list(checked(text(), memberFault)),
  connections: list(checked(text(), scopeFault)).optional(),
  allow: list(oneOf(CLASSES)).optional(),
  reviews: list(checked(text(), scopeFault)).optional(),
  api: list(oneOf(['viewer', 'auditor', 'operator', 'admin'])).optional(),
})

const limits = section({
  statement_bytes_max: size(1024, 64 * 1024 ** 2).optional(),
  connections: integer(1, 1_000_000).optional(),
  connections_per_address: integer(1, 1_000_000).optional(),
  handshake: duration(100, 60 * MINUTE).optional(),
  idle: duration(1000, TIMER_MS_MAX).optional(),
  session_max: duration(1000, TIMER_MS_MAX).optional(),
})

export const FORM = section({
  data: path.optional(),
  workers: choice<'auto' | number>((value) =>
    typeof value === 'number' ? integer(1, 256) : oneOf(['auto']),
  ).optional(),
  control: control.optional(),
  state: state.optional(),
  recorder: recorder.optional(),
  listeners: list(listener).optional(),
  connections: table(connection, named).optional(),
  identity: section({}, ['issuers', 'saml', 'scim']).optional(),
  roles: table(role, named).optional(),
  policies: list(path).optional(),
  limits: limits.optional(),
})

export type Form = Value<typeof FORM>

function size(min: number, max: number): Field<number> {
  const expected = `a size such as 512KiB, 1MiB or 10GiB, from ${min} to ${max} bytes`
  return parsed(expected, (value) => within(parseSize(value), { min, max }))
}

function duration(min: number, max: number): Field<number> {
  const expected = `a duration such as 10s, 15m, 1h or 400d, from ${min} ms to ${max / 1000} s`
  return parsed(expected, (value) => within(parseDuration(value), { min, max }))
}

function wholeDays(): Field<number> {
  return checked(duration(DAY, 36_500 * DAY), (ms) =>
    ms % DAY === 0 ? undefined : 'expected whole days, such as 400d',
  )
}

function within(
  value: number | undefined,
  range: { min: number; max: number },
): number | undefined {
  return value !== undefined && value >= range.min && value <= range.max ? value : undefined
}

/** PostgreSQL cuts names after 63 bytes; a longer one would mean another database. */
function databaseName(): Field<string> {
  return parsed('the name of a database (at most 63 bytes, no /)', (name) =>
    /^[^\0/]+$/.test(name) && Buffer.byteLength(name) <= 63 ? name : undefined,
  )
}

function httpUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined
  const url = new URL(value)
  // A password in a URL ends in logs.
  const plain = url.username === '' && url.password === ''
  return plain && /^https?:$/.test(url.protocol) ? value : undefined
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
