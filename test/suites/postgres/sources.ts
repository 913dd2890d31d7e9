/**
 * IO. PostgreSQL's own test suites, got as on any Debian machine: the source package and the headers by apt, from
 * the machine's own package sources, into a folder of our own that is kept for the next run. Needs no root.
 *
 * The programs that run the suites come with Debian's `postgresql-15`; what they read, and the library of C
 * functions that they load, do not.
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

export const SERVER = '/usr/lib/postgresql/15'

export interface Sources {
  /** Input of a suite: schedules, texts, expected answers. */
  input(suite: 'regress' | 'isolation'): string
  /** Libraries that the regression suite loads. */
  readonly libraries: readonly string[]
}

export function suiteSources(): Sources {
  const folder = join(tmpdir(), `sluice-postgres-suites-15-${userInfo().uid}-1`)
  if (!existsSync(folder)) make(folder)
  return {
    input: (suite) => join(folder, 'source/src/test', suite),
    libraries: [join(folder, 'regress.so'), `${SERVER}/lib/autoinc.so`, `${SERVER}/lib/refint.so`],
  }
}

/** Renamed into place at the end, so that a folder that is there is whole. */
function make(place: string): void {
  const folder = mkdtempSync(`${place}-`)
  const apt = aptIn(folder)
  apt('apt-get', 'update')
  firstOf(sourceVersions(apt('apt-cache', 'madison', 'postgresql-15')), (version) =>
    apt('apt-get', 'source', '--download-only', `postgresql-15=${version}`),
  )
  apt('apt-get', 'download', 'postgresql-server-dev-15')
  const found = (pattern: RegExp): string => {
    const name = readdirSync(folder).find((one) => pattern.test(one))
    if (name === undefined) throw new Error(`apt brought nothing like ${pattern}`)
    return join(folder, name)
  }
  const source = join(folder, 'source')
  mkdirSync(source)
  const wanted = ['*/src/test/regress', '*/src/test/isolation']
  const archive = found(/^postgresql-15_.*\.orig\.tar\.\w+$/)
  run('tar', ['xf', archive, '-C', source, '--strip-components=1', '--wildcards', ...wanted])
  run('dpkg-deb', ['-x', found(/^postgresql-server-dev-15_.*\.deb$/), join(folder, 'headers')])
  const library = join(source, 'src/test/regress/regress.c')
  const headers = join(folder, 'headers/usr/include/postgresql/15/server')
  const output = join(folder, 'regress.so')
  run('gcc', ['-shared', '-fPIC', '-O1', '-w', `-I${headers}`, '-o', output, library])
  renameSync(folder, place)
}

/** `postgresql-15 | 15.18-0+deb12u1 | … Sources`, newest first. */
function sourceVersions(table: string): string[] {
  const lines = table.split('\n').filter((line) => line.includes('Sources'))
  return [...new Set(lines.map((line) => line.split('|')[1]?.trim() ?? ''))]
}

/** A mirror may not have the newest yet, and any will do: both runs read the same. */
function firstOf(versions: readonly string[], get: (version: string) => void): void {
  for (const [at, version] of versions.entries()) {
    try {
      get(version)
      return
    } catch (error) {
      if (at === versions.length - 1) throw error
    }
  }
  throw new Error("PostgreSQL's own suites cannot be had: apt knows no source of postgresql-15")
}

type Apt = (program: 'apt-get' | 'apt-cache', ...args: string[]) => string

function aptIn(folder: string): Apt {
  const parts = join(folder, 'parts')
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true })
  for (const [at, text] of packageSources().entries())
    writeFileSync(join(parts, `${at}.${text.startsWith('deb') ? 'list' : 'sources'}`), text)
  const options = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': parts,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (program, ...args) => run(program, ['-q', ...flags, ...args], folder)
}

/** Those of the machine, with source packages switched on. */
function packageSources(): string[] {
  const folder = '/etc/apt/sources.list.d'
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
  const texts: string[] = []
  for (const path of [...files, '/etc/apt/sources.list']) {
    if (!existsSync(path) || !/\.(list|sources)$/.test(path)) continue
    const text = readFileSync(path, 'utf8')
    if (path.endsWith('.sources')) texts.push(text.replaceAll(/^Types:.*$/gm, 'Types: deb deb-src'))
    else {
      const lines = text.split('\n').filter((line) => /^deb\s/.test(line))
      if (lines.length > 0)
        texts.push(lines.flatMap((line) => [line, line.replace(/^deb/, 'deb-src')]).join('\n'))
    }
  }
  if (texts.length === 0) throw new Error('this machine has no package sources for apt')
  return texts
}

function run(program: string, args: readonly string[], cwd = tmpdir()): string {
  try {
    return execFileSync(program, args, { cwd, stdio: 'pipe', encoding: 'utf8' })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    const line = [program, ...args.filter((one) => one !== '-o' && !one.includes('::'))].join(' ')
    throw new Error(
      `PostgreSQL's own suites cannot be had: "${line}" failed.\n${stderr ?? String(error)}`,
    )
  }
}
