/**
 * IO (the time that passes). Contenders one after the other, round by round, every second round backwards: what the
 * machine does meanwhile hits all of them alike.
 */

export interface Rounds {
  readonly count: number
  /** First rounds that warm up and are dropped. */
  readonly dropped: number
  readonly seconds: number
}

export const FULL: Rounds = { count: 9, dropped: 2, seconds: 3 }
export const QUICK: Rounds = { count: 5, dropped: 1, seconds: 1 }

/** Contender → one measurement a round, the dropped ones left out. */
export async function alternate<Measured>(
  contenders: Readonly<Record<string, () => Promise<Measured>>>,
  rounds: Rounds,
): Promise<Record<string, Measured[]>> {
  const names = Object.keys(contenders)
  const measured: Record<string, Measured[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds.count; round++) {
    const order = round % 2 === 0 ? names : [...names].reverse()
    for (const name of order) {
      const found = await contenders[name]!()
      if (round >= rounds.dropped) measured[name]!.push(found)
    }
  }
  return measured
}

/** Round by round, one list divided by the other. */
export function ratios(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, round) => value / (below[round] ?? Number.NaN))
}
