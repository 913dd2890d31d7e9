/**
 * What `npm start` and `npm test` run first: installs what is missing, builds what is stale, says one clear
 * line where it cannot. With nothing missing it asks neither npm nor apt, so both work offline.
 *
 *   node deploy/setup.mjs            for `npm start`
 *   node deploy/setup.mjs --tests    also the Debian packages of the servers and clients that tests use
 *   node deploy/setup.mjs --suites   also those of `npm run test:real`: clients in other languages, Prometheus
 *
 * Plain JavaScript on purpose: it runs before anything is installed or compiled.
 */
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './setup/build.mjs'
import { ensureDebianPackages, SUITE_PROGRAMS, TEST_PROGRAMS } from './setup/debian.mjs'
import { ensurePackages } from './setup/packages.mjs'
import { SetupError } from './setup/run.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const suites = process.argv.includes('--suites')
const tests = suites || process.argv.includes('--tests')

/** undefined when this Node and system will do. */
function unfit() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (process.platform !== 'linux') return `Sluice runs on Linux; this is ${process.platform}.`
  if (major < 20 || major > 22 || (major === 20 && minor < 19)) {
    return `Sluice needs Node 20.19 to 22; this is ${process.versions.node}.`
  }
  return undefined
}

try {
  const reason = unfit()
  if (reason !== undefined) throw new SetupError(reason)
  await ensurePackages(root, { tests })
  if (tests) ensureDebianPackages({ ...TEST_PROGRAMS, ...(suites ? SUITE_PROGRAMS : {}) })
  ensureBuilt(root)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`sluice: ${error.message}\n`)
  process.exitCode = 1
}
