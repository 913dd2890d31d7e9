import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/decide/policy.ts'
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

test('the example policies load without a warning', () => {
  const folder = join(ROOT, 'deploy/examples/policies')
  const files = readdirSync(folder).map((name) => {
    const path = join(folder, name)
    return { path, text: readFileSync(path, 'utf8') }
  })
  const options = { version: 1, knownDetectors: new Set(KNOWN_DETECTORS.keys()) }
  const result = compilePolicies(files, options)
  expect('problems' in result ? result.problems : []).toEqual([])
  expect(result.warnings).toEqual([])
})
