/** Pure. Reads what `/metrics` answers: which samples there are, of which type, with which labels and values. */

export interface Sample {
  /** As in `# TYPE`: counter, gauge, histogram … */
  readonly type: string
  /** Label → the values that it was seen with. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>
  /** How many series there are. */
  readonly series: number
  /** All values added up. */
  readonly sum: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

/** By name of the sample: `x_bucket`, `x_sum` and `x_count` for a histogram `x`. Throws on a line that is none. */
export function readExposition(text: string): ReadonlyMap<string, Sample> {
  const types = new Map<string, string>()
  const samples = new Map<
    string,
    { labels: Map<string, Set<string>>; series: number; sum: number }
  >()
  for (const line of text.split('\n')) {
    const typed = /^# TYPE (\S+) (\S+)$/.exec(line)
    if (typed !== null) types.set(typed[1]!, typed[2]!)
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', labels = '', value] = LINE.exec(line) ?? fail(line)
    const sample = samples.get(name) ?? { labels: new Map(), series: 0, sum: 0 }
    samples.set(name, sample)
    sample.series += 1
    sample.sum += Number(value)
    for (const [, label = '', one = ''] of labels.matchAll(LABEL)) {
      sample.labels.set(label, (sample.labels.get(label) ?? new Set()).add(one))
    }
  }
  const typeOf = (name: string): string =>
    types.get(name) ?? types.get(name.replace(/_(bucket|sum|count)$/, '')) ?? 'untyped'
  return new Map(
    [...samples].map(([name, sample]) => [name, { ...sample, type: typeOf(name) }] as const),
  )
}

function fail(line: string): never {
  throw new Error(`no line of the exposition format: ${line}`)
}
