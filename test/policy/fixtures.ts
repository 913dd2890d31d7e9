/** Pure once the parser is loaded. Policies over the corpus's shop, and statements tried under them. */
import { readConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/shape.ts'
import { compilePolicies, type PolicySet } from '../../src/decide/policy.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { readSchema } from '../../src/policy/schema-catalogue.ts'
import { type Asked, type Tried, tryOut } from '../../src/policy/trial.ts'
import { schemaSql } from '../corpus/sql/corpus.ts'

export const CONFIG_TEXT = `connections:
  shop: { type: postgres, address: "127.0.0.1:5432", database: shop, databases: [shop, archive], credential: { user: app, password: { env: P } }, labels: { env: prod } }
  lab: { type: postgres, address: "127.0.0.1:5433", database: lab, credential: { user: app, password: { env: P } }, labels: { env: dev } }
roles:
  agents: { members: ["workload:gateway:*"], connections: [shop], allow: [read, write] }
  dba: { members: ["group:dba"], connections: ["*"], allow: [read, write, schema, execute, admin] }
`

export const POLICY = `apiVersion: sluice/v1
kind: Policy
name: shop-guard
rules:
  - id: no-drop
    when: '"DROP" in sql.commands || "TRUNCATE" in sql.commands'
    then: deny
    message: Objects are never dropped by agents. Open a migration instead.
  - { id: unbounded-write, when: 'sql.writes && !sql.bounded', then: deny }
  - { id: keyed, when: 'sql.writes && sql.by_key', then: allow }
masks:
  - { columns: [public.customers.email], with: hash }
  - { columns: [public.customers.ssn], with: redact }
  - { columns: [public.customers.card], with: { partial: { keep_last: 4 } } }
  - { detect: [jwt, private_key], with: redact }
`

export const MONITOR = `apiVersion: sluice/v1
kind: Policy
name: soon
mode: monitor
applies: { roles: [agents] }
rules:
  - { id: parameters, when: 'sql.has_where && size(sql.literals) > 0', then: deny }
`

let kept: Config | undefined

export function config(): Config {
  if (kept !== undefined) return kept
  const result = readConfig({ path: '/sluice.yaml', text: CONFIG_TEXT, cores: 1 })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  kept = result.config
  return kept
}

export function policies(...texts: readonly string[]): PolicySet {
  const files = texts.map((text, at) => ({ path: `/p${at}.yaml`, text }))
  const result = compilePolicies(files, { version: 1, knownDetectors: KNOWN_DETECTORS })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.policies
}

export function asked(statement: string, more: Partial<Asked> = {}): Asked {
  return {
    subject: 'ci',
    roles: ['agents'],
    groups: [],
    kind: 'workload',
    job: '',
    connection: 'shop',
    database: '',
    statement,
    params: [],
    inTransaction: false,
    ...more,
  }
}

export interface Setting {
  readonly policies: PolicySet
  readonly names: ReturnType<typeof readSchema>['names']
}

/** The corpus's shop under `POLICY` and `MONITOR`. The parser must be loaded. */
export function setting(...texts: readonly string[]): Setting {
  const { names, problems } = readSchema(schemaSql())
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return { policies: policies(...(texts.length > 0 ? texts : [POLICY, MONITOR])), names }
}

export function tried(of: Setting, statement: string, more: Partial<Asked> = {}): Tried {
  return tryOut(asked(statement, more), { ...of, config: config(), now: Date.UTC(2026, 10, 21) })
}
