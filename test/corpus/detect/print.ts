/** IO (standard output). `npm run detectors`: precision and recall of every detector on the corpus. */
import { measure } from './measure.ts'
import { reportTable } from './report-table.ts'
import { corpus } from './values.ts'

const [count = '10000', seed] = process.argv.slice(2).filter((one) => /^\d+$/.test(one))
const report = measure(corpus(Number(count), seed === undefined ? undefined : Number(seed)))
console.log(reportTable(report))
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
