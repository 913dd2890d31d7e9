/** IO. `sluice policy check | test | schema`: policies as files, without a gateway. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { formatProblems } from '../config/load.ts'
import { inFileOrder } from '../config/problem.ts'
import { policySchema } from '../decide/policy-file.ts'
import { KNOWN_DETECTORS } from '../mask/detect.ts'
import { junit } from '../policy/junit.ts'
import { sameValues } from '../policy/same-values.ts'
import { standIn } from '../policy/stand-in.ts'
import { suiteNames } from '../policy/suite-schema.ts'
import { runTests, type TestRun } from '../policy/test-run.ts'
import { loadParser } from '../protocols/postgres/sql/parse.ts'
import { watchFiles } from '../threads/watch.ts'
import { CliError, type ExitCode, wrongFiles } from './exit.ts'
import { say } from './output.ts'
import { type LoadedPolicies, loadPolicySet, loadTests, readText } from './policy-files.ts'
import { printable } from './table.ts'

export interface PolicyFlags {
  readonly config?: string
  readonly json?: boolean
}

export interface TestFlags extends PolicyFlags {
  readonly watch?: boolean
  readonly junit?: string
  readonly schema?: string
}

/** Without paths, those of the configuration. Exit code 2 where a file is refused. */
export async function checkPolicies(paths: readonly string[], flags: PolicyFlags): Promise<void> {
  await loadParser()
  const { policies, warnings: ofFiles } = loadPolicySet(paths, flags.config)
  const schemas = policies.suites.map((suite) => suiteNames(suite))
  const wrong = schemas.flatMap(({ problems }) => problems)
  if (wrong.length > 0) throw wrongFiles(wrong)
  const links = schemas.flatMap((schema) => schema.links)
  const warnings = [...ofFiles, ...sameValues(policies.policies, links)]
  const rules = policies.policies.reduce((sum, one) => sum + one.rules.length, 0)
  const tests = policies.suites.reduce((sum, one) => sum + one.tests.length, 0)
  const facts = { policies: policies.policies.length, rules, tests }
  if (flags.json === true) {
    say(`${JSON.stringify({ ...facts, warnings: [...warnings].sort(inFileOrder) })}\n`)
    return
  }
  if (warnings.length > 0) say(`${printableLines(formatProblems(warnings))}\n`, 2)
  say(`${facts.policies} policies with ${rules} rules and ${tests} tests are fine.\n`)
}

/** Exit code 1 where a test fails, or where there is none: what tests nothing must not look well tested. */
export async function testPolicies(paths: readonly string[], flags: TestFlags): Promise<ExitCode> {
  await loadParser()
  if (flags.watch !== true) return runOnce(paths, flags)
  const looked = paths.length > 0 ? paths.map((path) => resolve(path)) : watched(flags)
  const code: { last: ExitCode } = { last: 0 }
  const again = (): void => {
    code.last = againAndSay(paths, flags)
  }
  const watch = watchFiles(() => looked, again)
  again()
  await new Promise<void>((done) => {
    // The watch alone does not keep the process; a person ends it.
    const alive = setInterval(() => {}, 60_000)
    process.once('SIGINT', () => {
      clearInterval(alive)
      done()
    })
  })
  watch.close()
  return code.last
}

/** The JSON schema that editors check policy files by. */
export function printSchema(): void {
  say(`${JSON.stringify(policySchema(KNOWN_DETECTORS), undefined, 2)}\n`)
}

function watched(flags: TestFlags): readonly string[] {
  const { config } = loadPolicySet([], flags.config)
  return [...(config?.path === undefined ? [] : [config.path]), ...(config?.policies ?? [])]
}

/** While files are edited they are wrong now and then: that is said, and looked at again. */
function againAndSay(paths: readonly string[], flags: TestFlags): ExitCode {
  try {
    return runOnce(paths, flags)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    say(`${printableLines(error.message)}\n`, 2)
    return error.exit
  }
}

function runOnce(paths: readonly string[], flags: TestFlags): ExitCode {
  const loaded = loadTests(paths, flags.config)
  const { policies } = loaded
  const config = loaded.config ?? standInFor(loaded)
  const schema = flags.schema === undefined ? '' : readText(resolve(flags.schema))
  const run = runTests({ config, policies, schema, now: Date.now() })
  if (flags.junit !== undefined) {
    mkdirSync(dirname(resolve(flags.junit)), { recursive: true })
    writeFileSync(resolve(flags.junit), junit(run))
  }
  const failed = run.results.filter(({ failure }) => failure !== undefined)
  const { length: count } = run.results
  if (flags.json === true)
    say(`${JSON.stringify({ tests: count, failed: failed.length, ...run })}\n`)
  else say(summary(run, { isAlone: loaded.config === undefined }))
  if (run.problems.length > 0) return 2
  return failed.length > 0 || count === 0 ? 1 : 0
}

function standInFor({ policies }: LoadedPolicies) {
  const tests = policies.suites.flatMap((suite) => suite.tests)
  return standIn({
    connections: tests.map(({ connection }) => connection),
    roles: tests.flatMap(({ as }) => as.roles),
  })
}

function summary({ results, problems }: TestRun, { isAlone }: { isAlone: boolean }): string {
  const lines = problems.length === 0 ? [] : [formatProblems(problems)]
  for (const { file, line, title, failure } of results) {
    if (failure === undefined) continue
    lines.push(`✗ ${relative('', file)}:${line} ${title}`, `    ${failure}`)
  }
  const failed = results.filter(({ failure }) => failure !== undefined).length
  const files = new Set(results.map(({ file }) => file)).size
  if (results.length === 0) lines.push('There are no tests.')
  else
    lines.push(
      failed === 0
        ? `${results.length} tests in ${files} files passed.`
        : `${failed} of ${results.length} tests failed.`,
    )
  if (isAlone && results.length > 0)
    lines.push('No configuration: each role was taken to allow every class but opaque.')
  return `${lines
    .flatMap((line) => line.split('\n'))
    .map(printable)
    .join('\n')}\n`
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
