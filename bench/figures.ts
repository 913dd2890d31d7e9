/** Pure. A run of the benches as people read it: tables for bench/README.md, and the ladder as a picture. */

/** One line of history.ndjson. */
export interface Kept {
  readonly at: string
  readonly commit: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly kernel: string
  readonly profile: string
  readonly results: Readonly<Record<string, { readonly median: number; readonly spread: number }>>
  readonly absolute: Readonly<Record<string, number>>
  /** Rung → transactions a second. */
  readonly ladder: Readonly<Record<string, number>>
}

/**
 * Each figure as the last full run had it that measured it: works may be measured apart (`--only`). Where and when are those
 * of the last one; undefined where nothing was climbed or measured in full.
 */
export function latest(runs: readonly Kept[]): Kept | undefined {
  const full = runs.filter(({ profile }) => profile === 'full')
  const last = full.at(-1)
  const climbed = full.findLast(({ ladder }) => Object.keys(ladder).length > 0)
  if (last === undefined || climbed === undefined) return undefined
  return {
    ...last,
    results: Object.assign({}, ...full.map(({ results }) => results)),
    absolute: Object.assign({}, ...full.map(({ absolute }) => absolute)),
    ladder: climbed.ladder,
  }
}

/** Markdown. */
export function figures(run: Kept): string {
  const where = `${run.cores} cores (${run.cpu}), Linux ${run.kernel}, Node ${run.node}`
  return [
    `Measured ${run.at.substring(0, 10)} on ${where}, commit ${run.commit}, ${run.profile} profile.`,
    '',
    '| ratio | median | spread |',
    '| --- | ---: | ---: |',
    ...Object.entries(run.results).map(
      ([name, { median, spread }]) =>
        `| ${name} | ${median.toPrecision(3)} | ± ${(spread * 100).toFixed(0)} % |`,
    ),
    '',
    '| figure | median |',
    '| --- | ---: |',
    ...Object.entries(run.absolute).map(
      ([name, value]) => `| ${name} | ${value.toLocaleString('en')} |`,
    ),
    '',
  ].join('\n')
}

const LINE = 26
const LEFT = 250
const WIDE = 420

/** SVG: one bar a rung, with its tps and its part of the first. */
export function ladderPicture(ladder: Kept['ladder']): string {
  const rungs = Object.entries(ladder)
  const most = Math.max(...rungs.map(([, tps]) => tps))
  const base = rungs[0]?.[1] ?? 1
  const height = rungs.length * LINE + 40
  const bars = rungs.map(([name, tps], at) => {
    const y = 30 + at * LINE
    const width = Math.round((tps / most) * WIDE)
    const said = `${tps.toLocaleString('en')} · ${(tps / base).toFixed(2)}`
    return [
      `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${escaped(name.trim())}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width}" height="${LINE - 8}" fill="#4a7ba6"/>`,
      `<text x="${LEFT + width + 6}" y="${y + 14}">${said}</text>`,
    ].join('\n')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDE + 110}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<title>What each control costs</title>',
    `<rect width="100%" height="100%" fill="#fff"/>`,
    '<text x="10" y="18">pgbench -S -M prepared -c 8, transactions a second, and as a part of the bare splice</text>',
    ...bars,
    '</svg>',
    '',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
