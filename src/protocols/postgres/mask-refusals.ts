/**
 * Pure. Refusals that hang on masks and not on the statement's own analysis: what the gateway cannot look into while
 * a mask applies (semantics §5, "Masks bind code").
 */
import type { Masks } from './session-masks.ts'
import type { Statement } from './sql/analysis.ts'

/** The statement, with a refusal added to its mask finding where these masks ask for one. */
export function underMasks(statement: Statement, masks: Masks): Statement {
  if (statement.mask.refusal !== undefined) return statement
  if (statement.opaque !== undefined && masks.hides) {
    return refused(statement, {
      reason: `While a mask applies, what is not understood is refused: ${statement.opaque.reason}`,
      hint: 'Say it in a form that the gateway understands.',
    })
  }
  const { copy } = statement.effect
  if (copy?.direction === 'out' && copy.format === 'binary' && !masks.idle) {
    return refused(statement, {
      reason: 'While a mask applies, COPY TO STDOUT in binary format is refused.',
      hint: 'Use the text or csv format.',
    })
  }
  return statement
}

function refused(statement: Statement, refusal: { reason: string; hint: string }): Statement {
  return { ...statement, mask: { ...statement.mask, touches: true, refusal } }
}
