/** The example policies, with the tests that they carry, on the example configuration. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { compilePolicies } from '../../src/decide/policy.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { runTests } from '../../src/policy/test-run.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { ROOT } from '../tidy/sources.ts'

const FOLDER = join(ROOT, 'deploy/examples')

beforeAll(loadParser)

test('every example policy passes its tests, and each rule and mask of it decides one of them', () => {
  const path = join(FOLDER, 'sluice.yaml')
  const read = readConfig({ path, text: readFileSync(path, 'utf8'), cores: 1 })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const files = readdirSync(join(FOLDER, 'policies'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ path: name, text: readFileSync(join(FOLDER, 'policies', name), 'utf8') }))
  const options = {
    version: 1,
    knownDetectors: KNOWN_DETECTORS,
    config: read.config,
    compares: true,
  }
  const compiled = compilePolicies(files, options)
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems))
  expect(compiled.warnings).toEqual([])
  const run = runTests({ config: read.config, policies: compiled.policies, now: 0 })
  expect(run.problems).toEqual([])
  expect(run.results.filter(({ failure }) => failure !== undefined)).toEqual([])
  const { suites, policies } = compiled.policies
  for (const policy of policies) {
    const named = suites
      .find((suite) => suite.policy === policy.name)!
      .tests.map(({ rule }) => rule)
    const untested = policy.rules.map(({ id }) => id).filter((id) => !named.includes(id))
    expect({ [policy.name]: untested }).toEqual({ [policy.name]: [] })
  }
})
