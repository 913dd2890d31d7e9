/**
 * Last part of .ci/run: `node ci-summary.mjs <vitest's JSON report> <its exit code> <exit code of the gates>` prints
 * `N passed, N failed` and ends with 0 only when nothing failed.
 */
import { readFileSync } from 'node:fs'

const [report, tests, gates] = process.argv.slice(2)

/** No report: the tests did not even start. */
function counts() {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    // A file that could not be loaded has no tests in it, and is a failure all the same.
    const unloaded = testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    )
    return { passed: numPassedTests, failed: numFailedTests + unloaded.length }
  } catch {
    return { passed: 0, failed: 0 }
  }
}

const { passed, failed } = counts()
// What failed without a name, such as an error outside of any test, or the gates, counts once.
const nameless = tests !== '0' && failed === 0 ? 1 : 0
const gate = gates === '0' ? 0 : 1
const total = failed + nameless + gate
if (gate > 0) process.stdout.write('the bench gates failed\n')
process.stdout.write(`${passed} passed, ${total} failed\n`)
process.exitCode = total === 0 && passed > 0 ? 0 : 1
