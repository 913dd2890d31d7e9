/** Pure. How a command ends: the code of the contract, and one line for the person. */

import { formatProblems, inFileOrder, type Problem } from '../config/problem.ts'

/** 0 fine, 1 a finding, 2 wrong usage or configuration, 3 cannot reach (no running gateway included). */
export type ExitCode = 0 | 1 | 2 | 3

/** A wrong call or a gateway that is not there; anything else that is thrown is a bug. */
export class CliError extends Error {
  readonly exit: Exclude<ExitCode, 0>
  /** Of files that a person wrote, for `--json`. */
  readonly problems: readonly Problem[] | undefined

  constructor(exit: Exclude<ExitCode, 0>, say: string, problems?: readonly Problem[]) {
    super(say)
    this.name = 'CliError'
    this.exit = exit
    this.problems = problems
  }
}

/** What is wrong with files, all of it at once. */
export function wrongFiles(problems: readonly Problem[]): CliError {
  return new CliError(2, formatProblems(problems), [...problems].sort(inFileOrder))
}
