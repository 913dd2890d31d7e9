/** Pure. The policies in force as one document, a page of them: rules, masks, and what is doubtful about them. */
import { formatProblems, type Problem } from '../config/problem.ts'
import type { PolicySet } from '../decide/policy.ts'
import type { Policy } from '../decide/policy-file.ts'
import { transformText } from './outputs.ts'

export interface PolicyPage {
  readonly version: number
  readonly policies: readonly object[]
  /** Of all files, on the first page. */
  readonly warnings: readonly string[]
  /** The name to go on after. */
  readonly next: string | null
}

export function listPolicies(
  { policies, warnings }: { policies: PolicySet; warnings: readonly Problem[] },
  { after, limit }: { after: string; limit: number },
): PolicyPage {
  const all = [...policies.policies].sort((one, other) => (one.name < other.name ? -1 : 1))
  const left = all.filter(({ name }) => name > after)
  const page = left.filter((_, at) => at < limit)
  const tests = new Map<string, number>()
  for (const { policy, tests: own } of policies.suites)
    tests.set(policy, (tests.get(policy) ?? 0) + own.length)
  return {
    version: policies.version,
    policies: page.map((policy) => shown(policy, tests.get(policy.name) ?? 0)),
    warnings: after === '' && warnings.length > 0 ? formatProblems(warnings).split('\n') : [],
    next: left.length > limit ? (page.at(-1)?.name ?? null) : null,
  }
}

function shown(policy: Policy, tests: number): object {
  const { name, file, monitor, connections, roles, rules, masks } = policy
  return {
    name,
    file,
    mode: monitor ? 'monitor' : 'enforce',
    applies: { connections, roles },
    rules: rules.map(({ id, when, then, message, place }) => ({
      id,
      when: when.trim(),
      then,
      message,
      line: place.line,
    })),
    masks: [
      ...masks.columns.map(({ pattern, path, with: how, inPredicates, derived }) => ({
        column: pattern.join('.'),
        ...(path === undefined ? {} : { path }),
        with: transformText(how),
        in_predicates: inPredicates,
        derived,
      })),
      ...masks.detectors.map(({ detector, with: how }) => ({
        detect: detector,
        with: transformText(how),
      })),
    ],
    tests,
  }
}
