/** IO. `sluice policy explain`: what would happen to a statement, and why; nothing is sent anywhere. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../config/shape.ts'
import type { PolicySet } from '../decide/policy.ts'
import { explain } from '../policy/explain.ts'
import { explanationText } from '../policy/explain-text.ts'
import { readSchema } from '../policy/schema-catalogue.ts'
import { type Asked, tryOut } from '../policy/trial.ts'
import { loadParser } from '../protocols/postgres/sql/parse.ts'
import { CliError, type ExitCode } from './exit.ts'
import { say } from './output.ts'
import { loadCandidate, loadPolicySet, readText } from './policy-files.ts'
import { needSettings } from './settings.ts'
import { printable } from './table.ts'

export interface ExplainFlags {
  readonly config?: string
  readonly json?: boolean
  readonly connection?: string
  readonly as?: string
  readonly roles?: string
  readonly groups?: string
  readonly kind?: string
  readonly job?: string
  readonly database?: string
  readonly statement?: string
  readonly param?: readonly string[]
  readonly inTransaction?: boolean
  readonly schema?: string
}

/** Exit code 1 where the verdict is deny. */
export async function explainStatement(
  paths: readonly string[],
  flags: ExplainFlags,
): Promise<ExitCode> {
  await loadParser()
  const { settings } = needSettings(flags.config)
  const { config } = settings
  const { policies } =
    paths.length === 0 ? loadPolicySet([], flags.config) : loadCandidate(paths, config)
  const asked = askedOf(flags, config)
  const { names, said } = namesOf(flags, policies)
  const tried = tryOut(asked, { config, policies, names, now: Date.now() })
  const explained = explain(asked, tried, { policies, names: said })
  if (flags.json === true) say(`${JSON.stringify(explained)}\n`)
  else say(explanationText(explained, printable))
  return explained.verdict.verdict === 'deny' ? 1 : 0
}

function askedOf(flags: ExplainFlags, config: Config): Asked {
  const { connection = '', kind = 'workload' } = flags
  if (!config.connections.has(connection)) {
    const known = [...config.connections.keys()].join(', ')
    throw new CliError(2, `--connection: there is no ${connection}; there are ${known || 'none'}.`)
  }
  const roles = flags.roles === undefined ? undefined : split(flags.roles)
  for (const role of roles ?? [])
    if (!config.roles.has(role))
      throw new CliError(
        2,
        `--roles: there is no ${role}; there are ${[...config.roles.keys()].join(', ')}.`,
      )
  if (kind !== 'human' && kind !== 'workload')
    throw new CliError(2, '--kind: expected human or workload.')
  return {
    subject: flags.as ?? '',
    roles,
    groups: split(flags.groups ?? ''),
    kind,
    job: flags.job ?? '',
    connection,
    database: flags.database ?? '',
    statement: flags.statement === '-' ? readFileSync(0, 'utf8') : (flags.statement ?? ''),
    params: flags.param ?? [],
    inTransaction: flags.inTransaction === true,
  }
}

/** `--schema`, else the one schema that the policies' tests have; several would say different things. */
function namesOf(flags: ExplainFlags, policies: PolicySet) {
  const own = [...new Set(policies.suites.map(({ schema }) => schema))].filter((one) => one !== '')
  const [text, said] =
    flags.schema !== undefined
      ? [readText(resolve(flags.schema)), `tables as ${flags.schema} says`]
      : own.length === 1
        ? [own[0]!, 'tables as the schema of the policy tests says']
        : ['', 'no catalogue: every name is taken for a table of public that nothing is known of']
  const { names, problems } = readSchema(text)
  const [first] = problems
  if (first !== undefined) throw new CliError(2, `--schema: ${first.message}`)
  return { names, said }
}

function split(list: string): readonly string[] {
  return list.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]))
}
