/**
 * IO. Reads the statement corpus: what attacks on the SQL guard look like, and what must just work.
 *
 * Every case runs in a database made from `schema.sql`, under the policy that `CORPUS_POLICY` says. `deny`: at least
 * one step is refused, nothing of that step reaches the target, and no secret comes out of any step. `allow`: every
 * step passes.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const HERE = import.meta.dirname

const roleOf = z.enum(['read', 'read+write', 'all'])

const caseOf = z.strictObject({
  id: z.string(),
  statement: z.string().optional(),
  steps: z.array(z.string()).min(1).optional(),
  expect: z.enum(['deny', 'allow']),
  mask: z.boolean().optional(),
  as: roleOf.optional(),
  simple: z.boolean().optional(),
  live: z.boolean().optional(),
  note: z.string().optional(),
})

const fileOf = z.strictObject({
  class: z.string(),
  mask: z.boolean().optional(),
  simple: z.boolean().optional(),
  cases: z.array(caseOf),
})

export type CorpusRole = z.infer<typeof roleOf>

export interface Case {
  /** `file/id`, unique. */
  readonly id: string
  /** The class of adversary that it belongs to. */
  readonly class: string
  /** One message each, in one session. */
  readonly steps: readonly string[]
  readonly expect: 'deny' | 'allow'
  /** The masks of `MASKED_COLUMNS` apply. */
  readonly mask: boolean
  readonly as: CorpusRole
  /** Only as simple query: several statements, or kinds that drivers do not prepare. */
  readonly simple: boolean
  /** Needs a session whose names follow what its steps change. */
  readonly live: boolean
  readonly note: string
}

/** Classes that each role allows. */
export const ROLES = {
  read: ['read'],
  'read+write': ['read', 'write'],
  all: ['read', 'write', 'schema', 'transfer', 'execute', 'admin'],
} as const

export const MASKED_COLUMNS = [
  'public.customers.email',
  'public.customers.ssn',
  'public.customers.card',
  'public.members.card',
  'public.passes.card',
  'public.badges.card',
  'public.visits.seen',
  'public.visits.weight',
  'public.visits.shot',
  'public.visits.spent',
] as const

/** Values of masked columns in `schema.sql`: none may stand in any byte a client gets under `mask`. */
export const SECRETS = [
  'ann.canary@example.com',
  'bob.canary@example.com',
  '078-05-1120',
  '219-09-9999',
  '4111111111111111',
  '5500005555555559',
] as const

/** The policy of every case; `mask` cases add the masks. */
export const CORPUS_POLICY = [
  'apiVersion: sluice/v1',
  'kind: Policy',
  'name: corpus',
  'rules:',
  '  - id: no-drop',
  `    when: '"DROP" in sql.commands || "TRUNCATE" in sql.commands'`,
  '    then: deny',
  '  - id: unbounded-write',
  "    when: 'sql.writes && !sql.bounded'",
  '    then: deny',
  '  - id: schema-change',
  `    when: '"schema" in action.classes'`,
  '    then: deny',
].join('\n')

export function schemaSql(): string {
  return readFileSync(join(HERE, 'schema.sql'), 'utf8')
}

export function loadCorpus(): Case[] {
  const cases: Case[] = []
  const files = readdirSync(HERE).filter((name) => name.endsWith('.yaml'))
  for (const name of files.sort()) {
    const file = fileOf.parse(parse(readFileSync(join(HERE, name), 'utf8')))
    for (const one of file.cases) {
      const steps = one.steps ?? (one.statement === undefined ? undefined : [one.statement])
      if (steps === undefined) throw new Error(`${name}: ${one.id} has neither statement nor steps`)
      const id = `${name.replace('.yaml', '')}/${one.id}`
      if (cases.some((other) => other.id === id)) throw new Error(`${id} stands twice`)
      cases.push({
        id,
        class: file.class,
        steps,
        expect: one.expect,
        mask: one.mask ?? file.mask ?? false,
        as: one.as ?? 'read',
        simple: one.simple ?? file.simple ?? one.steps !== undefined,
        live: one.live ?? false,
        note: one.note ?? '',
      })
    }
  }
  return cases
}
