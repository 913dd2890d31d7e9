/**
 * Pure. Every fact a rule may read, with its type: the names of the contract, §5. What a protocol alone has stands
 * under the protocol's own name; a rule applies to the protocols that have all the facts it reads.
 */

export type FactType =
  | 'string'
  | 'bool'
  | 'int'
  | 'list<string>'
  | 'map<string, string>'
  | 'list<Finding>'
  | 'timestamp'

export type FactGroup = Readonly<Record<string, FactType>>

/** `now` and `findings` are facts by themselves; all others are `group.name`. */
export const SINGLE_FACTS = {
  now: 'timestamp',
  findings: 'list<Finding>',
} as const satisfies FactGroup

export const FINDING = { detector: 'string', count: 'int', where: 'string' } as const

export const FACT_GROUPS = {
  identity: {
    subject: 'string',
    kind: 'string',
    issuer: 'string',
    groups: 'list<string>',
    roles: 'list<string>',
    owner: 'string',
  },
  job: { id: 'string', run: 'string', agent: 'string', parent: 'string', verified: 'bool' },
  connection: { name: 'string', type: 'string', labels: 'map<string, string>' },
  session: {
    id: 'string',
    client_ip: 'string',
    age: 'int',
    statements: 'int',
    rows: 'int',
    bytes: 'int',
    masked_values: 'int',
  },
  action: {
    class: 'string',
    classes: 'list<string>',
    verb: 'string',
    objects: 'list<string>',
    opaque: 'bool',
    text: 'string',
  },
  sql: {
    commands: 'list<string>',
    tags: 'list<string>',
    tables: 'list<string>',
    tables_written: 'list<string>',
    columns: 'list<string>',
    functions: 'list<string>',
    writes: 'bool',
    bounded: 'bool',
    by_key: 'bool',
    has_where: 'bool',
    where_always_true: 'bool',
    literals: 'list<string>',
    statements: 'int',
    in_transaction: 'bool',
    copy: 'string',
    params: 'list<string>',
    triggers: 'list<string>',
  },
} as const satisfies Readonly<Record<string, FactGroup>>

export type FactGroupName = keyof typeof FACT_GROUPS

/** Groups that not every protocol has → the protocols that have them. */
export const PROTOCOLS_OF: Readonly<Partial<Record<FactGroupName, readonly string[]>>> = {
  sql: ['postgres'],
}

/** Of the contract, but no protocol of this version has them. */
export const GROUPS_LATER: readonly string[] = ['ssh', 'http', 'k8s', 'git', 'llm', 'mcp', 'egress']

/** Of the contract, but nothing of this version can tell them. */
export const FACTS_LATER: readonly string[] = ['identity.owner_active']
