import { expect, test } from 'vitest'
import { junit } from '../../src/policy/junit.ts'

const result = { file: 'a.yaml', line: 3, column: 1, title: 't', failure: undefined }

test('what XML cannot hold is replaced, and lines survive in attributes', () => {
  const xml = junit({ results: [{ ...result, failure: 'a\u0000b\nc\ud800' }], problems: [] })
  expect(xml).toContain('message="a\ufffdb&#10;c\ufffd"')
})

test('files are suites, and schemas that cannot be read are failures', () => {
  const problem = { file: 'b.yaml', line: 1, column: 2, path: 'schema', message: 'no' }
  const xml = junit({ results: [result, { ...result, line: 4 }], problems: [problem] })
  expect(xml).toContain('<testsuite name="a.yaml" tests="2" failures="0">')
  expect(xml).toContain('<testsuite name="b.yaml" tests="1" failures="1">')
  expect(xml.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')).toBe(true)
})
