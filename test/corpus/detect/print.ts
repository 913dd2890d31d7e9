/**
 * IO (standard output). `npm run detectors [-- COUNT SEED]`: precision and recall of every detector
 * on the corpus; `--wrong` adds what was missed, `--readme` writes the table into README.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { withPart } from '../../tidy/readme.ts'
import { measure } from './measure.ts'
import { reportTable } from './report-table.ts'
import { corpus } from './values.ts'

const [count = '10000', seed] = process.argv.slice(2).filter((one) => /^\d+$/.test(one))
const report = measure(corpus(Number(count), seed === undefined ? undefined : Number(seed)))
console.log(reportTable(report))
if (process.argv.includes('--readme')) {
  const readme = readFileSync('README.md', 'utf8')
  writeFileSync('README.md', withPart(readme, 'detectors', reportTable(report)))
}
if (process.argv.includes('--wrong')) {
  for (const row of report.rows) {
    for (const one of row.misses)
      console.log('MISS ', row.detector.id, one.kind, one.column, '|', one.text)
    for (const one of row.alarms)
      console.log(
        'ALARM',
        row.detector.id,
        one.kind,
        one.planted?.detector ?? '',
        one.column,
        '|',
        one.text,
      )
  }
}
