/**
 * IO. `npm run bench:gate [-- --quick] [--noise-is-fine]`: measures and judges gates.json. What is too noisy is measured
 * again, up to three times in all. Ends with 1 for a missed gate, and for noise unless that is fine; gates.json only ever
 * gets tighter.
 */
import { readFileSync } from 'node:fs'
import { type Gates, judge, median, type Problem, spread } from './judge.ts'
import { type Measurements, measure, resultsOf, WORK_NAMES } from './measure.ts'
import { options } from './options.ts'

const ATTEMPTS = 3

const { isQuick, isNoiseFine } = options(process.argv.slice(2), WORK_NAMES)
const file: Readonly<Record<string, Gates[string] & { readonly full?: boolean }>> = JSON.parse(
  readFileSync(new URL('gates.json', import.meta.url), 'utf8'),
)
/** Those marked `full` belong to what the quick profile leaves out. */
const gates: Gates = Object.fromEntries(
  Object.entries(file).filter(([, gate]) => !isQuick || gate.full !== true),
)

const found = new Map(await measure({ isQuick }))
let problems = judge(gates, resultsOf(found))
for (let attempt = 2; attempt <= ATTEMPTS; attempt++) {
  const again = worksOf(
    problems.filter(({ kind }) => kind === 'noisy'),
    found,
  )
  if (again.size === 0) break
  process.stderr.write(`bench: too noisy, again: ${[...again].join(', ')}\n`)
  for (const [name, findings] of await measure({ isQuick, only: again })) found.set(name, findings)
  problems = judge(gates, resultsOf(found))
}

for (const { name, values } of resultsOf(found)) {
  const problem = problems.find((one) => one.name === name)
  const noise = (spread(values) * 100).toFixed(0)
  const shown = `${median(values).toPrecision(3)} ± ${noise} %`
  process.stdout.write(`${name.padEnd(34)} ${shown.padEnd(16)} ${problem?.say ?? 'ok'}\n`)
}
for (const { name, say } of problems.filter(({ kind }) => kind === 'not measured')) {
  process.stdout.write(`${name.padEnd(34)} ${say}\n`)
}
const fatal = problems.filter(({ kind }) => kind !== 'noisy' || !isNoiseFine)
process.exitCode = fatal.length > 0 ? 1 : 0

/** Works that hold one of the results that a problem is about. */
function worksOf(about: readonly Problem[], measured: Measurements): Set<string> {
  const names = new Set(about.map(({ name }) => name))
  const works = [...measured].filter(([, { results }]) =>
    results.some(({ name }) => names.has(name)),
  )
  return new Set(works.map(([work]) => work))
}
