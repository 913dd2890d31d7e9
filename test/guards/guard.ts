/**
 * Pure. A guard of the product, said as an edit that takes it away, and the cases that must fail then. Adversary's classes
 * count as tested only so (`npm run test:guards`).
 */

export interface Guard {
  readonly id: string
  /** What gets through without it, in the words of the class that it stands against. */
  readonly against: string
  /** Source file, and a text that stands in it exactly once. */
  readonly file: string
  readonly from: string
  readonly to: string
  /** Test file → texts that names of its tests hold. Every test of such a name must fail. */
  readonly fails: Readonly<Record<string, readonly string[]>>
}

/** The source without its guard; undefined: it does not stand there once, so that nothing would be shown. */
export function without(
  source: string,
  { from, to }: Pick<Guard, 'from' | 'to'>,
): string | undefined {
  const at = source.indexOf(from)
  if (at < 0 || source.indexOf(from, at + 1) >= 0 || from === to) return undefined
  return source.substring(0, at) + to + source.substring(at + from.length)
}

/** For `vitest -t`: any of these names. */
export function namePattern(names: readonly string[]): string {
  return names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
}

/** How the tests of one file went. */
export interface Outcome {
  readonly name: string
  readonly passed: boolean
}

/** What is wrong with a run without the guard. Without any outcome nothing was tried: the edit broke the file itself. */
export function faultsOf(names: readonly string[], outcomes: readonly Outcome[]): string[] {
  if (outcomes.length === 0) return ['no test ran']
  return names.flatMap((name) => {
    const found = outcomes.filter((one) => one.name.includes(name))
    if (found.length === 0) return [`no test has a name with: ${name}`]
    return found.filter((one) => one.passed).map((one) => `passes without it: ${one.name}`)
  })
}

/** With all guards in place each named test is there, and passes. */
export function soundFaults(names: readonly string[], outcomes: readonly Outcome[]): string[] {
  return names.flatMap((name) => {
    const found = outcomes.filter((one) => one.name.includes(name))
    if (found.length === 0) return [`no test has a name with: ${name}`]
    return found.filter((one) => !one.passed).map((one) => `fails with all guards: ${one.name}`)
  })
}
