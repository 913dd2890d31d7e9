import { expect, test } from 'vitest'
import { nodeProblem } from '../../src/cli/node-version.ts'

test('Node 20.19 to 22 is fine, and any other is named in one line', () => {
  for (const version of ['20.19.0', '20.20.2', '21.0.0', '22.0.0', '22.99.9'])
    expect(nodeProblem(version)).toBeUndefined()
  for (const version of ['18.20.0', '20.18.3', '23.0.0', '24.1.0', '', 'x'])
    expect(nodeProblem(version)).toMatch(/^Sluice needs Node 20\.19 to 22; [^\n]*$/)
})
