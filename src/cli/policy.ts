/** IO. `sluice policy check [PATH…]`: do the policy files load, and what is odd about them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatProblems } from '../config/load.ts'
import type { Config } from '../config/shape.ts'
import { compilePolicies, type PolicySet } from '../decide/policy.ts'
import { KNOWN_DETECTORS } from '../mask/detect.ts'
import type { PolicyFile } from '../threads/messages.ts'
import { CliError } from './exit.ts'
import { say } from './output.ts'
import { findSettings, needSettings } from './settings.ts'

export interface PolicyFlags {
  readonly config?: string
  readonly json?: boolean
}

/** Without paths, those of the configuration. Exit code 2 where a file is refused. */
export function checkPolicies(paths: readonly string[], flags: PolicyFlags): PolicySet {
  const { policies, warnings } = loadPolicies(paths, flags)
  if (warnings !== '') say(`${warnings}\n`, 2)
  const rules = policies.policies.reduce((sum, one) => sum + one.rules.length, 0)
  const facts = { policies: policies.policies.length, rules }
  if (flags.json === true) say(`${JSON.stringify(facts)}\n`)
  else say(`${facts.policies} policies with ${facts.rules} rules are fine.\n`)
  return policies
}

function loadPolicies(
  paths: readonly string[],
  flags: PolicyFlags,
): { policies: PolicySet; warnings: string } {
  let files: readonly PolicyFile[]
  let config: Config | undefined
  if (paths.length === 0) {
    const { settings } = needSettings(flags.config)
    files = settings.policyFiles
    config = settings.config
  } else {
    files = [...new Set(paths.flatMap((path) => filesIn(resolve(path))))].sort().map(readPolicy)
    config = findSettings(flags.config)?.settings.config
  }
  const options = { version: 1, knownDetectors: KNOWN_DETECTORS, config }
  const compiled = compilePolicies(files, options)
  if ('problems' in compiled) throw new CliError(2, formatProblems(compiled.problems))
  return { policies: compiled.policies, warnings: formatProblems(compiled.warnings) }
}

function filesIn(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path, { recursive: true })
      .map((name) => join(path, String(name)))
      .filter((name) => /\.ya?ml$/.test(name) && statSync(name).isFile())
  } catch {
    throw new CliError(2, `${path} cannot be read.`)
  }
}

function readPolicy(path: string): PolicyFile {
  try {
    return { path, text: readFileSync(path, 'utf8') }
  } catch {
    throw new CliError(2, `${path} cannot be read.`)
  }
}
