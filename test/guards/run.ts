/**
 * IO. `npm run test:guards [-- --only id,id]`: takes away one guard after the other, in a copy of the tree, and demands
 * that the cases named for it fail. A case that still passes, an edit that does not apply any more, and a file that does
 * not even load are faults. Exit code 1 where there is one. The copy is removed, whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { faultsOf, type Guard, namePattern, type Outcome, soundFaults, without } from './guard.ts'
import { GUARDS } from './guards.ts'

const COPIED = [
  'src',
  'test',
  'workers',
  'bench',
  'deploy',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
]
const RUN_MS_MAX = 300_000

const root = process.cwd()
const copy = mkdtempSync(join(tmpdir(), 'sluice-guards-'))
let running: ChildProcess | undefined
process.once('exit', () => {
  // With all that it has started: they would write into the folder that goes.
  if (running?.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL')
  rmSync(copy, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const only = process.argv.at(process.argv.indexOf('--only') + 1)?.split(',') ?? []
const chosen = process.argv.includes('--only')
  ? GUARDS.filter(({ id }) => only.includes(id))
  : GUARDS
process.exitCode = (await main(chosen)) ? 0 : 1

async function main(guards: readonly Guard[]): Promise<boolean> {
  for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(resolve(root, 'node_modules'), join(copy, 'node_modules'))
  if (guards.some(isCompiled)) await build({ whole: true })
  let faults = await withAll(guards)
  for (const guard of guards) {
    const found = await withoutOne(guard)
    say(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${guard.id}: ${guard.against}`)
    for (const fault of found) say(`       ${fault}`)
    faults += found.length
  }
  say(`${guards.length} guards taken away one by one, ${faults} faults.`)
  return faults === 0 && guards.length > 0
}

/** Each named case passes while all guards are there: else its failure would show nothing. */
async function withAll(guards: readonly Guard[]): Promise<number> {
  const files = new Map<string, string[]>()
  for (const { fails } of guards)
    for (const [file, names] of Object.entries(fails))
      files.set(file, [...(files.get(file) ?? []), ...names])
  let faults = 0
  for (const [file, names] of files) {
    const found = soundFaults(names, await tests(file, names))
    for (const fault of found) say(`FAIL ${file}: ${fault}`)
    faults += found.length
  }
  return faults
}

async function withoutOne(guard: Guard): Promise<string[]> {
  const path = join(copy, guard.file)
  const source = readFileSync(path, 'utf8')
  const edited = without(source, guard)
  if (edited === undefined)
    return ['its text does not stand in the file once: the edit has to be written anew']
  writeFileSync(path, edited)
  try {
    if (isCompiled(guard)) await build({ whole: false })
    const faults: string[] = []
    for (const [file, names] of Object.entries(guard.fails)) {
      faults.push(...faultsOf(names, await tests(file, names)))
    }
    return faults
  } finally {
    writeFileSync(path, source)
  }
}

/** Cases of these folders start the compiled gateway. */
function isCompiled({ fails }: Guard): boolean {
  return Object.keys(fails).some((file) => /^test\/(chaos|real)\//.test(file))
}

/** An edit may leave names that nobody uses: the compiler says so and goes on. */
async function build({ whole }: { whole: boolean }): Promise<void> {
  await node(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json')
  if (!whole) return
  await node('deploy/assets.mjs')
  await node('dist/src/control/state/make-template.js')
}

async function node(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { cwd: copy, stdio: 'ignore', timeout: RUN_MS_MAX })
  await new Promise((done) => child.once('close', done))
}

/** One file's tests of these names, in a process of their own. */
async function tests(file: string, names: readonly string[]): Promise<Outcome[]> {
  const report = join(copy, 'report.json')
  rmSync(report, { force: true })
  const child = spawn(
    process.execPath,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      ...['run', file, '--reporter=json', `--outputFile=${report}`],
      ...(names.length === 0 ? [] : ['-t', namePattern(names)]),
    ],
    { cwd: copy, stdio: 'ignore', timeout: RUN_MS_MAX, detached: true },
  )
  running = child
  await new Promise((done) => child.once('close', done))
  try {
    return outcomesOf(JSON.parse(readFileSync(report, 'utf8')))
  } catch {
    return []
  }
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

function outcomesOf({ testResults }: Report): Outcome[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ fullName, status }) =>
      status === 'passed' || status === 'failed'
        ? [{ name: fullName, passed: status === 'passed' }]
        : [],
    ),
  )
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
