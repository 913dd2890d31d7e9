/**
 * IO. `npm run bench [-- --quick] [--only P1+P3,P2]`: measures, prints the tables and the ladder, appends one line to
 * history.ndjson. Judges nothing: that is gate.ts.
 */
import { keep } from './history.ts'
import { median, spread } from './judge.ts'
import { climb, type Rung } from './ladder.ts'
import { absoluteOf, measure, resultsOf, WORK_NAMES } from './measure.ts'
import { options } from './options.ts'
import { FULL, QUICK } from './rounds.ts'

const { isQuick, only } = options(process.argv.slice(2), WORK_NAMES)
let rungs: readonly Rung[] = []

const found = await measure(
  { isQuick, ...(only === undefined ? {} : { only }), onWork: (name) => say(`measuring ${name}`) },
  async (stage) => {
    if (only !== undefined && !only.has('ladder')) return
    say('climbing the ladder')
    rungs = await climb(stage, isQuick ? QUICK : FULL)
  },
)

print('')
for (const { name, values } of resultsOf(found)) {
  const noise = `± ${(spread(values) * 100).toFixed(1)} %`
  print(`${name.padEnd(34)} ${median(values).toPrecision(3).padStart(8)}  ${noise}`)
}
print('')
for (const [name, value] of Object.entries(absoluteOf(found))) {
  print(`${name.padEnd(34)} ${value.toLocaleString('en').padStart(12)}`)
}
if (rungs.length > 0) print('\nladder: pgbench -S -c 8, tps')
for (const { name, tps, part } of rungs) {
  print(
    `${name.padEnd(34)} ${Math.round(tps).toLocaleString('en').padStart(12)}  ${part.toFixed(2)}`,
  )
}
keep({ isQuick, results: resultsOf(found), absolute: absoluteOf(found), rungs })

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`)
}
