/**
 * Pure. `set_config(name, value, is_local)` and the statements that do the same: SET and RESET. All come down to
 * `setParameter`, so that no spelling is judged more mildly than another.
 */
import { constantOf } from './constants.ts'
import { argumentsOf } from './functions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import { BOUND, changesNames, judgeParameter } from './parameters.ts'
import type { Node } from './parse.ts'
import type { Scope } from './scope.ts'

/** `value`: text, undefined for the default, null when it is not known, `BOUND` when the client says it at Bind. */
export function setParameter(
  g: Gathered,
  set: { name: string; value: string | undefined | null | typeof BOUND; local: boolean },
): void {
  const verdict = judgeParameter(set.name, set.value, { identityParameter: g.identityParameter })
  if (verdict === 'refused') g.refuse(`${set.name} is set by the gateway alone`)
  if (verdict === 'admin') g.run('admin', `${set.name} is not on the list of harmless parameters`)
  if (verdict === 'harmless' && !changesNames(set.name)) return
  g.effect.dirties = true
  if (set.local) g.effect.dirtiesAtEnd = true
}

/** A FuncCall's inside. Anything but literals is not known until the statement runs. */
export function judgeSetConfig(g: Gathered, scope: Scope, call: Part): void {
  const [first, second, third] = argumentsOf(call)
  const name = constantOf(first) ?? settingOf(scope, first)
  // Named arguments could change the order.
  if (typeof name !== 'string' || argumentsOf(call).length !== 3) {
    if (g.identityParameter !== undefined)
      g.refuse(
        'set_config of a parameter whose name is not a literal could set what the gateway sets',
      )
    g.run('admin', 'set_config of a parameter whose name is not a literal')
    g.effect.dirties = true
    g.effect.dirtiesAtEnd = true
    return
  }
  const value = constantOf(second)
  setParameter(g, {
    name,
    // NULL sets the default.
    value: value === undefined ? notLiteral(second) : (value ?? undefined),
    local: constantOf(third) !== 'false',
  })
}

/** Of an expression that is no literal nothing is known; a parameter, cast or not, is at least the client's own. */
function notLiteral(node: unknown): typeof BOUND | null {
  if (!isPart(node)) return null
  if (isPart(node.TypeCast)) return notLiteral(node.TypeCast.arg)
  return isPart(node.ParamRef) ? BOUND : null
}

/** `name` in `FROM pg_settings WHERE name = 'literal'`. */
function settingOf(scope: Scope, node: unknown): string | undefined {
  if (!isPart(node) || !isPart(node.ColumnRef)) return undefined
  const fields = dotted(node.ColumnRef.fields as Node[] | undefined)
  return fields?.length === 1 && fields[0] === 'name' ? scope.setting : undefined
}
