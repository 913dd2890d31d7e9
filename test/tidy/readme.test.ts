import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/decide/policy.ts'
import { policySchema } from '../../src/decide/policy-file.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { PARTS, withParts } from './readme.ts'
import { ROOT } from './sources.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

for (const name of Object.keys(PARTS)) {
  test(`the README's ${name} are those of the source (npm run readme)`, () => {
    expect(readme).toContain(PARTS[name]?.())
  })
}

test('making the parts again changes nothing', () => {
  expect(withParts(readme)).toBe(readme)
})

test('the JSON schema for editors is that of the loader (npm run readme)', () => {
  const path = join(ROOT, 'deploy/examples/policy.schema.json')
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(policySchema(KNOWN_DETECTORS))
})

test('the example policies name their schema, load without a warning', () => {
  const folder = join(ROOT, 'deploy/examples/policies')
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
  const files = names.map((name) => {
    const path = join(folder, name)
    expect(readFileSync(path, 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/policy\.schema\.json$/m,
    )
    return { path, text: readFileSync(path, 'utf8') }
  })
  const options = { version: 1, knownDetectors: new Set(KNOWN_DETECTORS.keys()), compares: true }
  const result = compilePolicies(files, options)
  expect('problems' in result ? result.problems : []).toEqual([])
  expect(result.warnings).toEqual([])
  expect(names.length).toBeGreaterThan(1)
})
