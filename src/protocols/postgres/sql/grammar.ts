/**
 * Pure. What the grammar of PostgreSQL 18 reads in another way than older servers do (semantics §1, "The same
 * grammar"). What an older server merely rejects is not listed: it answers with its own error.
 *
 * Tried on 15 and 18: on 15 `json_value(…)` is a user's function, `system_user` a column, `0x1F` an error, and on
 * 14 `0x1F` is `0 AS x1f`. Function names that the grammar qualifies by itself stand in expressions.ts.
 */
import { constantText } from './constants.ts'
import { isPart } from './nodes.ts'

/** Kinds of nodes → the first server version that reads them as such. */
const SINCE: ReadonlyMap<string, number> = new Map([
  ['JsonObjectConstructor', 160000],
  ['JsonArrayConstructor', 160000],
  ['JsonArrayQueryConstructor', 160000],
  ['JsonObjectAgg', 160000],
  ['JsonArrayAgg', 160000],
  ['JsonIsPredicate', 160000],
  ['JsonFuncExpr', 170000],
  ['JsonTable', 170000],
  ['JsonParseExpr', 170000],
  ['JsonScalarExpr', 170000],
  ['JsonSerializeExpr', 170000],
  ['MergeSupportFunc', 170000],
])

/** Hexadecimal, octal and binary integers and `1_000` came with 16. */
const NEW_NUMBERS = 160000
const OLDEST = 130000
const NEWEST_DIFFERENCE = 180000

/**
 * Why a server of that version would not read the tree as it stands, or undefined. `bytes` is the whole text,
 * which places in the tree point into.
 */
export function readOtherwise(
  tree: unknown,
  target: { readonly version: number; readonly bytes: Uint8Array },
): string | undefined {
  if (target.version < OLDEST) return 'Servers before PostgreSQL 13 are not understood.'
  if (target.version >= NEWEST_DIFFERENCE) return undefined
  return look(tree, target)
}

function look(
  value: unknown,
  target: { readonly version: number; readonly bytes: Uint8Array },
): string | undefined {
  if (Array.isArray(value)) {
    for (const one of value) {
      const found = look(one, target)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isPart(value)) return undefined
  for (const key in value) {
    const since = SINCE.get(key)
    if (since !== undefined && target.version < since)
      return `The target, PostgreSQL ${Math.trunc(target.version / 10000)}, does not read ${key} as we do.`
    const inside = value[key]
    if (key === 'A_Const' && target.version < NEW_NUMBERS && isPart(inside)) {
      if (isNewNumber(inside, target.bytes)) return 'The target does not read this number as we do.'
    } else {
      const found = look(inside, target)
      if (found !== undefined) return found
    }
  }
  return undefined
}

const UNDERSCORE = 0x5f
const ZERO = 0x30
const BASES = new Set([...'xXoObB'].map((one) => one.charCodeAt(0)))

function isNewNumber(constant: Readonly<Record<string, unknown>>, bytes: Uint8Array): boolean {
  if (!isPart(constant.ival) && !isPart(constant.fval)) return false
  const start = typeof constant.location === 'number' ? constant.location : 0
  // A sign is part of the constant.
  let at = start
  while (bytes[at] === 0x2d || bytes[at] === 0x2b || bytes[at] === 0x20) at++
  if (bytes[at] === ZERO && BASES.has(bytes[at + 1] ?? 0)) return true
  const length = (constantText(constant) ?? '').length
  for (let end = at; end <= at + length + 1; end++) if (bytes[end] === UNDERSCORE) return true
  return false
}
