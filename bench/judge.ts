/**
 * Pure. Whether what was measured keeps its gates. A gate that was not measured, a result without a gate, and a result that
 * is too noisy to tell are problems of their own: nothing passes by being absent.
 */

export interface Gate {
  /** The median must not be below. */
  readonly min?: number
  /** The median must not be above. */
  readonly max?: number
  /** Half the distance of the quartiles as a part of the median, at most. */
  readonly spreadMax: number
}

export type Gates = Readonly<Record<string, Gate>>

export interface Result {
  readonly name: string
  /** One number a round: a ratio of two things measured in it, or a time where the goal is a time. */
  readonly values: readonly number[]
}

export interface Problem {
  readonly name: string
  readonly kind: 'missed' | 'noisy' | 'not measured' | 'no gate'
  readonly say: string
}

export function judge(gates: Gates, results: readonly Result[]): Problem[] {
  const measured = new Set(results.map(({ name }) => name))
  const absent = Object.keys(gates)
    .filter((name) => !measured.has(name))
    .map((name): Problem => ({ name, kind: 'not measured', say: 'not measured' }))
  return [...absent, ...results.flatMap((result) => judgeOne(gates[result.name], result))]
}

function judgeOne(gate: Gate | undefined, { name, values }: Result): Problem[] {
  if (gate === undefined) return [{ name, kind: 'no gate', say: 'has no gate' }]
  const middle = median(values)
  const noise = spread(values)
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, spreadMax } = gate
  const shown = middle.toPrecision(3)
  // Written so that NaN, of no values at all, keeps nothing.
  if (!(noise <= spreadMax)) {
    return [{ name, kind: 'noisy', say: `too noisy: ${shown} ± ${(noise * 100).toFixed(0)} %` }]
  }
  if (!(middle >= min)) return [{ name, kind: 'missed', say: `${shown} is below ${min}` }]
  if (!(middle <= max)) return [{ name, kind: 'missed', say: `${shown} is above ${max}` }]
  return []
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Half the distance of the quartiles, as a part of the median. */
export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / Math.abs(median(values))
}

/** Between the two nearest values in proportion; NaN of nothing. `at` from 0 to 1. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const place = (sorted.length - 1) * at
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}
