/**
 * IO. Finds `sluice.yaml`, reads it and the policy files that it names, and checks that what it refers to is there:
 * settings that can be used as they are, or every problem at once.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { compilePolicies } from '../decide/policy.ts'
import type { KnownNames } from '../decide/policy-masks.ts'
import { recipientFault } from '../record/age-recipient.ts'
import { readSpoolKeys } from '../record/spool-key.ts'
import type { PolicyFile, Settings } from '../threads/messages.ts'
import { readConfig } from './config.ts'
import { inFileOrder, type Problem } from './problem.ts'
import type { Config, SecretReference } from './shape.ts'
import type { Path, YamlFile } from './yaml.ts'

export { formatProblems } from './problem.ts'

export interface LoadOptions {
  /** Names that `detect` in a policy may use. */
  readonly knownDetectors: KnownNames
  /** Default 1; a reload gives the next number. */
  readonly policyVersion?: number
}

export type LoadResult =
  | { readonly settings: Settings; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] }

const FILE_BYTES_MAX = 4 * 1024 * 1024
const POLICY_FILES_MAX = 10_000
const FOLDER_DEPTH_MAX = 8

/** `--config`, then `$SLUICE_CONFIG`, then `./sluice.yaml` if it exists. undefined: there is none. */
export function findConfig(
  given: string | undefined,
  environment = process.env,
): string | undefined {
  if (given !== undefined) return resolve(given)
  if (environment.SLUICE_CONFIG) return resolve(environment.SLUICE_CONFIG)
  return existsSync('sluice.yaml') ? resolve('sluice.yaml') : undefined
}

/** Never throws for what stands in, or is missing from, the files. */
export function loadSettings(path: string, options: LoadOptions): LoadResult {
  const file = resolve(path)
  const text = readText(file)
  if ('fault' in text) return { problems: [whole(file, text.fault)] }
  const result = readConfig({ path: file, text: text.text, cores: availableParallelism() })
  if ('problems' in result) return { problems: result.problems }
  const { config, yaml } = result
  return withPolicies(config, { yaml, options })
}

/** The policy half alone, for a configuration that did not come from a file. */
export function loadPolicies(config: Config, options: LoadOptions): LoadResult {
  return withPolicies(config, { yaml: undefined, options })
}

function withPolicies(
  config: Config,
  { yaml, options }: { yaml: YamlFile | undefined; options: LoadOptions },
): LoadResult {
  const disk = new Disk(config, yaml)
  disk.checkReferences()
  const policyFiles = disk.policyFiles()
  const policyVersion = options.policyVersion ?? 1
  const { knownDetectors } = options
  const compiled = compilePolicies(policyFiles, {
    version: policyVersion,
    knownDetectors,
    config,
    compares: true,
  })
  const problems = [...disk.problems, ...('problems' in compiled ? compiled.problems : [])]
  if (problems.length > 0) return { problems: problems.sort(inFileOrder) }
  const warnings = [...disk.warnings, ...compiled.warnings]
  return { settings: { config, policyVersion, policyFiles }, warnings }
}

/** What the configuration refers to, and what is wrong with it on this disk. */
class Disk {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly #config: Config
  readonly #yaml: YamlFile | undefined

  constructor(config: Config, yaml: YamlFile | undefined) {
    this.#config = config
    this.#yaml = yaml
  }

  checkReferences(): void {
    const { recorder, listeners, connections } = this.#config
    for (const [index, { tls }] of listeners.entries()) {
      if (tls === undefined) continue
      this.#file(['listeners', index, 'tls', 'cert'], tls.cert)
      this.#secret(['listeners', index, 'tls', 'key'], tls.key)
    }
    for (const { name, tls, credential, credentials } of connections.values()) {
      for (const part of ['ca', 'cert'] as const) {
        const file = tls[part]
        if (file !== undefined) this.#file(['connections', name, 'tls', part], file)
      }
      this.#secret(['connections', name, 'tls', 'key'], tls.key)
      this.#secret(['connections', name, 'credential', 'password'], credential.password)
      for (const [role, one] of credentials)
        this.#secret(['connections', name, 'credentials', role, 'password'], one.password)
    }
    const { store } = recorder
    const password = store.embedded ? store.listen?.password : store.password
    this.#secret(['recorder', 'store', 'password'], password)
    this.#checkAnchors()
    this.#checkRecipients()
    this.#checkSpoolKeys(recorder.spoolEncrypt)
  }

  /** A start with them must not be the first to see that they are none. */
  #checkSpoolKeys(secret: SecretReference | undefined): void {
    const at = ['recorder', 'spool', 'encrypt']
    this.#secret(at, secret)
    if (secret === undefined) return
    const [kind, name] = 'env' in secret ? ['env', secret.env] : ['file', secret.file]
    const text = kind === 'env' ? process.env[name] : secretText(name)
    if (text === undefined) return
    const read = readSpoolKeys(text)
    if ('fault' in read) this.#report([...at, kind], `${name}: ${read.fault}`)
  }

  /** A file that holds none, or one with a mistake, would seal for nobody. */
  #checkRecipients(): void {
    for (const [index, one] of (this.#config.recorder.seal?.recipients ?? []).entries()) {
      if (typeof one === 'string') continue
      const at = ['recorder', 'seal', 'recipients', index, 'file']
      const found = readText(one.file)
      const lines = 'text' in found ? found.text.split('\n').map((line) => line.trim()) : []
      const keys = lines.filter((line) => line !== '' && !line.startsWith('#'))
      if ('fault' in found) this.#report(at, `${one.file}: ${found.fault}`)
      else if (keys.length === 0) this.#report(at, `${one.file} holds no public key of age`)
      for (const fault of keys.map(recipientFault))
        if (fault !== undefined) this.#report(at, `${one.file}: ${fault}`)
    }
  }

  #checkAnchors(): void {
    for (const [index, anchor] of this.#config.recorder.anchors.entries()) {
      const at = ['recorder', 'anchors', index]
      if (anchor.keyFile !== undefined) this.#file([...at, 'key'], anchor.keyFile)
      if (anchor.type === 'http') this.#secret([...at, 'token'], anchor.token)
      if (anchor.type !== 's3') continue
      this.#secret([...at, 'access_key'], anchor.accessKey)
      this.#secret([...at, 'secret_key'], anchor.secretKey)
    }
  }

  /** Sorted by path, each file once; names that start with a dot are left out. */
  policyFiles(): PolicyFile[] {
    const paths = new Set<string>()
    for (const [index, path] of this.#config.policies.entries()) {
      const at = ['policies', index]
      const kind = kindOf(path)
      if (kind === 'file') paths.add(path)
      else if (kind === 'folder') for (const one of this.#inFolder(path, at)) paths.add(one)
      else this.#report(at, `there is no such file or folder: ${path}`)
    }
    return [...paths].sort().flatMap((path) => {
      const text = readText(path)
      if ('text' in text) return [{ path, text: text.text }]
      this.problems.push(whole(path, text.fault))
      return []
    })
  }

  #inFolder(folder: string, at: Path, depth = 0): string[] {
    if (depth > FOLDER_DEPTH_MAX) return this.#none(at, `${folder} is nested too deeply`)
    let names: string[]
    try {
      names = readdirSync(folder)
    } catch (error) {
      return this.#none(at, `${folder} cannot be read (${codeOf(error)})`)
    }
    if (names.length > POLICY_FILES_MAX) return this.#none(at, `${folder} holds too many files`)
    return names.sort().flatMap((name) => {
      const path = join(folder, name)
      if (name.startsWith('.')) return []
      if (kindOf(path) === 'folder') return this.#inFolder(path, at, depth + 1)
      return /\.ya?ml$/.test(name) ? [path] : []
    })
  }

  #secret(path: Path, secret: SecretReference | undefined): void {
    if (secret === undefined) return
    if ('file' in secret) this.#file([...path, 'file'], secret.file)
    else if (process.env[secret.env] === undefined)
      this.#report([...path, 'env'], `the variable ${secret.env} is not set`, this.warnings)
  }

  #file(path: Path, file: string): void {
    if (kindOf(file) !== 'file') this.#report(path, `there is no such file: ${file}`)
  }

  #none(at: Path, message: string): string[] {
    this.#report(at, message)
    return []
  }

  #report(path: Path, message: string, to = this.problems): void {
    to.push(this.#yaml?.problem(path, message) ?? whole(this.#config.path ?? '', message))
  }
}

function readText(path: string): { text: string } | { fault: string } {
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      return { fault: `larger than ${FILE_BYTES_MAX} bytes` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) }
  } catch (error) {
    const code = codeOf(error)
    return {
      fault:
        code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'not UTF-8' : `cannot be read (${code})`,
    }
  }
}

/** undefined: there is none that can be read; whoever needs it says so. */
function secretText(path: string): string | undefined {
  const found = kindOf(path) === 'file' ? readText(path) : { fault: '' }
  return 'text' in found ? found.text : undefined
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    const stats = statSync(path)
    if (stats.isFile()) return 'file'
    return stats.isDirectory() ? 'folder' : undefined
  } catch {
    // What cannot be looked at is as good as missing: whoever needs it says so.
    return undefined
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'error'
}

function whole(file: string, message: string): Problem {
  return { file, line: 0, column: 0, path: '', message }
}
