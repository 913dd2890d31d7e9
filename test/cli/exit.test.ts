import { expect, test } from 'vitest'
import { CliError, wrongFiles } from '../../src/cli/exit.ts'

test('an error of a command carries its exit code and one sentence', () => {
  const error = new CliError(3, 'No gateway runs here.')
  expect([error.exit, error.message]).toEqual([3, 'No gateway runs here.'])
})

test('wrong files are told as text, in the order of their lines, and as a list', () => {
  const at = (line: number) => ({ file: 'a.yaml', line, column: 1, path: 'x', message: `m${line}` })
  const error = wrongFiles([at(2), at(1)])
  expect(error.message).toBe('a.yaml:1:1 x: m1\na.yaml:2:1 x: m2')
  expect([error.exit, error.problems?.map(({ line }) => line)]).toEqual([2, [1, 2]])
})
