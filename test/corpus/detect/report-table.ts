/** Pure. The report on detectors as a table of Markdown, for the terminal and the README. */
import type { Report } from './measure.ts'

export function reportTable(report: Report): string {
  const rows = report.rows.map((row) => [
    `\`${row.detector.id}\``,
    String(row.detector.version),
    row.detector.finds,
    row.detector.checked,
    share(row.precision),
    share(row.recall),
    row.standsAlone ? share(row.alone) : 'needs a word',
  ])
  const head = ['detector', 'version', 'finds', 'confirmed by', 'precision', 'recall', 'alone']
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
    `All ${report.rows.length} together on ${report.values} values: precision ${share(report.precision)}, recall ${share(report.recall)}.`,
  ].join('\n')
}

/** Rounded down, so that 1.000 means all of them. */
function share(value: number): string {
  return (Math.floor(value * 1000) / 1000).toFixed(3)
}
