#!/usr/bin/env node
/** IO. Entry of the command `sluice`. Looks at Node first: everything else may not even load on another one. */
import { nodeProblem } from './node-version.ts'

const problem = nodeProblem(process.versions.node)
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`)
  process.exit(2)
}
const { run } = await import('./program.ts')
process.exitCode = await run(process.argv.slice(2))
