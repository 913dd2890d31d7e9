/**
 * Pure. Columns that hold the values of a masked one because a foreign key says so, and are not masked like it: what one
 * hides, the other shows (semantics §5). For warnings; a policy may mean it so.
 */
import type { Problem } from '../config/problem.ts'
import type { Policy } from '../decide/policy-file.ts'
import type { ColumnMaskDeclaration } from '../mask/transform-spec.ts'
import { transformText } from './outputs.ts'

/** `links`: `schema.table.column` in pairs. */
export function sameValues(
  policies: readonly Policy[],
  links: readonly (readonly [from: string, to: string])[],
): Problem[] {
  const found = new Map<string, Problem>()
  for (const policy of policies)
    for (const [from, to] of links)
      for (const [hidden, other] of [
        [from, to],
        [to, from],
      ] as const) {
        const message = doubt(policy, policies, { hidden, other })
        if (message === undefined) continue
        const problem = { file: policy.file, line: 0, column: 0, path: 'masks', message }
        found.set(`${policy.file} ${message}`, problem)
      }
  return [...found.values()]
}

function doubt(
  policy: Policy,
  policies: readonly Policy[],
  { hidden, other }: { hidden: string; other: string },
): string | undefined {
  const [how] = masksOf(policy, hidden)
  if (how === undefined) return undefined
  const others = policies
    .filter((one) => speaksWhere(one, policy))
    .flatMap((one) => masksOf(one, other))
  if (others.length === 0)
    return `${other} holds the same values as ${hidden} by a foreign key, and has no mask`
  if (others.some((one) => transformText(one.with) === transformText(how.with))) return undefined
  const shown = transformText(others[0]!.with)
  return `${other} holds the same values as ${hidden} by a foreign key, and is masked otherwise (${shown}, not ${transformText(how.with)})`
}

function masksOf({ masks }: Policy, column: string): readonly ColumnMaskDeclaration[] {
  const parts = column.split('.')
  return masks.columns.filter(
    ({ pattern, path }) =>
      path === undefined && pattern.every((part, at) => part === '*' || part === parts[at]),
  )
}

/** Wherever the second one holds, the first one does. */
function speaksWhere(one: Policy, other: Policy): boolean {
  const covers = (all: readonly string[], some: readonly string[]): boolean =>
    all.includes('*') || some.every((name) => all.includes(name))
  return covers(one.connections, other.connections) && covers(one.roles, other.roles)
}
