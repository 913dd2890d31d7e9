/** Pure. Identities, configurations and actions for the tests of this folder. */
import { readConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/shape.ts'
import type { Action, ActionClass } from '../../src/decide/action.ts'
import type { DecideContext } from '../../src/decide/decide.ts'
import type { SqlFacts } from '../../src/decide/facts/sql.ts'
import { admit, type Grant } from '../../src/decide/grant.ts'
import { compilePolicies, type PolicySet } from '../../src/decide/policy.ts'
import { type Identity, NO_JOB } from '../../src/identify/identity.ts'

export const DETECTORS: ReadonlySet<string> = new Set(['email', 'credit_card'])

export const CONFIG_TEXT = `connections:
  orders:
    type: postgres
    address: 10.0.0.5:5432
    database: orders
    databases: [archive]
    credential: { user: app, password: { env: P } }
    labels: { env: prod }
  lab:
    type: postgres
    address: 10.0.0.6:5432
    database: lab
    credential: { user: app, password: { env: P } }
    labels: { env: dev }
roles:
  agents:
    members: ["workload:gateway:*", "group:ai"]
    connections: [orders, "label:env=dev"]
    allow: [read, write]
  dba:
    members: ["group:dba"]
    connections: ["*"]
    allow: [read, write, schema, execute, admin]
    api: [viewer, operator]
  blind:
    members: ["group:blind"]
    connections: ["*"]
    allow: [opaque]
  reviewers:
    members: ["human:*:*"]
    connections: ["*"]
    reviews: ["*"]
    api: [viewer]
`

let kept: Config | undefined

export function config(): Config {
  kept ??= read(CONFIG_TEXT)
  return kept
}

function read(text: string): Config {
  const result = readConfig({ path: '/sluice.yaml', text, cores: 1 })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.config
}

export const AGENT: Identity = {
  subject: 'ci',
  kind: 'workload',
  issuer: 'gateway',
  groups: [],
  rolesOnly: undefined,
  connectionsOnly: undefined,
  owner: 'ada',
  job: { ...NO_JOB, id: 'job-1', verified: true },
  credentialId: 'slc_1',
  expiresAt: 2_000_000_000_000,
}

export function grant(identity: Partial<Identity> = {}, connection = 'orders'): Grant {
  const found = admit(config(), { ...AGENT, ...identity }, { connection, database: undefined })
  if (found === undefined) throw new Error('no grant')
  return found
}

export const SQL: SqlFacts = {
  commands: ['SELECT'],
  tags: ['SELECT'],
  tables: ['public.orders'],
  tables_written: [],
  columns: ['public.orders.id'],
  functions: [],
  writes: false,
  bounded: true,
  by_key: false,
  has_where: true,
  where_always_true: false,
  literals: [],
  statements: 1,
  in_transaction: false,
  copy: '',
  params: [],
  triggers: [],
}

export function action(
  sql: Partial<SqlFacts> = {},
  classes: readonly ActionClass[] = ['read'],
): Action {
  const isOpaque = classes.includes('opaque')
  return {
    protocol: 'postgres',
    classes,
    verb: sql.commands?.[0] ?? 'SELECT',
    objects: [],
    opaque: isOpaque ? { reason: 'syntax error at or near "x"', position: 3 } : undefined,
    text: 'select id from orders where id = 1',
    facts: { sql: { ...SQL, ...sql } },
  }
}

export function context(of: Grant): DecideContext {
  return {
    grant: of,
    session: {
      id: 's1',
      clientIp: '127.0.0.1',
      ageSeconds: 5,
      statements: 3,
      rows: 10,
      bytes: 100,
      maskedValues: 0,
    },
    now: Date.UTC(2024, 0, 2, 3, 4, 5),
    findings: [{ detector: 'email', count: 2, where: 'text' }],
  }
}

/** `rules` is YAML of the list; `head` further keys of the file. */
export function policyText(rules: string, head = ''): string {
  return `apiVersion: sluice/v1\nkind: Policy\nname: guard\n${head}\nrules:\n${rules}\n`
}

export function policies(...texts: string[]): PolicySet {
  const files = texts.map((text, at) => ({ path: `/p${at}.yaml`, text }))
  const result = compilePolicies(files, { version: 7, knownDetectors: DETECTORS })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.policies
}
