import { expect, test } from 'vitest'
import { CliError } from '../../src/cli/exit.ts'

test('an error of a command carries its exit code and one sentence', () => {
  const error = new CliError(3, 'No gateway runs here.')
  expect([error.exit, error.message]).toEqual([3, 'No gateway runs here.'])
})
