/**
 * Pure. The types that a Parse gives its parameters by number. Their names stand in no text, and yet each value of a Bind
 * is made one of its type, by whatever code that type runs: where it runs any, the text counts as not understood.
 */
import type { OpaqueReason } from '../../decide/action.ts'
import type { Analysis } from './sql/analysis.ts'
import type { Trust } from './sql/resolve.ts'
import { typeRunsCode } from './sql/typed-code.ts'

/** The reason itself is looked for when a statement's text is analysed anew, which does not show its types. */
export const TYPED: OpaqueReason = {
  reason: 'a parameter is declared to be of a type whose values run code, or which is not known',
  position: undefined,
}

/** `types`: those that initdb did not make; `trust`: undefined while names are not known. */
export function withTypes(
  read: Analysis,
  types: readonly number[],
  trust: () => Trust | undefined,
): Analysis {
  if (types.length === 0) return read
  const known = trust()
  if (known !== undefined && !types.some((oid) => typeRunsCode(known, oid))) return read
  return { statements: [], opaque: TYPED }
}
