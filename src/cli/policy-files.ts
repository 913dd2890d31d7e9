/** IO. The policies that a command is about: files and folders on the command line, or those of the configuration. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Problem } from '../config/problem.ts'
import type { Config } from '../config/shape.ts'
import { compilePolicies, type PolicySet } from '../decide/policy.ts'
import { KNOWN_DETECTORS } from '../mask/detect.ts'
import type { PolicyFile } from '../threads/messages.ts'
import { CliError, wrongFiles } from './exit.ts'
import { findSettings, needSettings } from './settings.ts'

export interface LoadedPolicies {
  readonly policies: PolicySet
  readonly warnings: readonly Problem[]
  readonly config: Config | undefined
  readonly files: readonly PolicyFile[]
}

/** `paths` empty: those of the configuration, which must be there then. Exit code 2 where a file is refused. */
export function loadPolicySet(
  paths: readonly string[],
  config: string | undefined,
): LoadedPolicies {
  if (paths.length === 0) {
    const { settings } = needSettings(config)
    return compile(settings.policyFiles, settings.config)
  }
  return compile(policyFilesIn(paths), findSettings(config)?.settings.config)
}

/** The policies in a folder or file, for a configuration that is there already. */
export function loadCandidate(paths: readonly string[], config: Config): LoadedPolicies {
  return compile(policyFilesIn(paths), config)
}

/** With files of tests alone, the policies that they test are those of the configuration. */
export function loadTests(paths: readonly string[], config: string | undefined): LoadedPolicies {
  const loaded = loadPolicySet(paths, config)
  if (paths.length === 0 || loaded.policies.policies.length > 0) return loaded
  const { settings } = needSettings(config)
  const known = new Set(loaded.files.map(({ path }) => path))
  const others = settings.policyFiles.filter(({ path }) => !known.has(path))
  const all = compile([...others, ...loaded.files], settings.config)
  const suites = all.policies.suites.filter(({ file }) => known.has(file))
  return { ...all, policies: withSuites(all.policies, suites) }
}

function withSuites(policies: PolicySet, suites: PolicySet['suites']): PolicySet {
  const { version } = policies
  return { version, policies: policies.policies, suites, guard: (grant) => policies.guard(grant) }
}

function compile(files: readonly PolicyFile[], config: Config | undefined): LoadedPolicies {
  const options = { version: 1, knownDetectors: KNOWN_DETECTORS, config, compares: true }
  const compiled = compilePolicies(files, options)
  if ('problems' in compiled) throw wrongFiles(compiled.problems)
  return { ...compiled, config, files }
}

function policyFilesIn(paths: readonly string[]): readonly PolicyFile[] {
  return [...new Set(paths.flatMap((path) => filesIn(resolve(path))))].sort().map(readPolicy)
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
  return { path, text: readText(path) }
}

/** Exit code 2 where it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliError(2, `${path} cannot be read.`)
  }
}
