/**
 * Pure. Results of the isolation suite taken apart: each permutation of steps that a test runs stands for itself, and
 * which of several texts it shows may hang on the tester's own time.
 */

/** What stands before the first permutation, and each permutation; together they are the text. */
function permutationsOf(text: string): string[] {
  return text.split(/^(?=starting permutation: )/m)
}

/**
 * Notices right behind the step that waits stand before it, where the tester prints them when it has them in time. One
 * that was kept back until its step went on stays where it is.
 */
export function inTime(text: string): string {
  const lines: string[] = []
  /** Where the step begins that the last line says is waiting. */
  let waiting: number | undefined
  let step = 0
  for (const line of text.split('\n')) {
    if (waiting !== undefined && /^\w+: (NOTICE|WARNING): /.test(line)) {
      lines.splice(waiting++, 0, line)
      continue
    }
    if (line.startsWith('step ')) step = lines.length
    waiting = line.endsWith('<waiting ...>') ? step : undefined
    lines.push(line)
  }
  return lines.join('\n')
}

/** What direct runs of one test have shown, permutation by permutation. */
export class Shown {
  readonly #byPlace: Set<string>[] = []

  add(text: string): void {
    for (const [place, one] of permutationsOf(text).entries()) {
      this.#byPlace[place] ??= new Set()
      this.#byPlace[place].add(inTime(one))
    }
  }

  /** Permutations of a text that no direct run has shown; all of it where it has another number of them. */
  unseen(text: string): string[] {
    const all = permutationsOf(text)
    if (all.length !== this.#byPlace.length) return [text]
    return all.filter((one, place) => this.#byPlace[place]?.has(inTime(one)) !== true)
  }
}
