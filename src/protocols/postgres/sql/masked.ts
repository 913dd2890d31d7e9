/**
 * Pure. What a statement does with masked columns (semantics §5): whether it names any, what its outputs show of them,
 * and why it must be refused if it must. In doubt it is refused.
 *
 * How columns are followed stands in lineage/; that nothing may run that the gateway cannot see into, in masked-code.ts.
 */

import type { ActionClass } from '../../../decide/action.ts'
import type { MaskedColumns } from '../../../mask/plan.ts'
import { type AnalyseOptions, type MaskFinding, NO_MASK } from './analysis.ts'
import { walked } from './lineage/lineage.ts'
import { codeRefusal } from './masked-code.ts'
import type { Node } from './parse.ts'

/** `classes` of the whole statement: `execute` and `opaque` are refused while a mask applies. */
export function maskFinding(
  stmt: Node,
  options: AnalyseOptions,
  classes: readonly ActionClass[],
): MaskFinding {
  const { masked } = options
  if (masked === undefined) return NO_MASK
  const code = bindsCode(masked) ? codeRefusal(stmt, classes) : undefined
  const { walk, masks } = walked(stmt, options)
  const opens = walk.opens.finish(stmt)
  const refused = opens !== undefined && 'reason' in opens ? opens : undefined
  return {
    touches: walk.touches,
    ...(walk.meets ? { meets: true } : {}),
    refusal: code ?? walk.refusal ?? refused,
    rules: [...walk.rules],
    ...(opens !== undefined && !('reason' in opens) ? { opens } : {}),
    ...(walk.touches && masks !== undefined ? { outputs: masks } : {}),
  }
}

/** Masks that only watch (`mode: monitor`) let code run; detectors alone, without columns, do not. */
function bindsCode(masked: MaskedColumns): boolean {
  if (masked.byRelation.size === 0) return true
  for (const columns of masked.byRelation.values())
    for (const mask of columns.values()) if (!mask.monitor) return true
  return false
}
