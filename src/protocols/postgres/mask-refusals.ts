/**
 * Pure. Refusals that hang on masks and not on the statement's own analysis: what the gateway cannot look into while
 * a mask applies (semantics §5, "Masks bind code").
 */
import type { Masks } from './session-masks.ts'
import type { CopyForm, Statement } from './sql/analysis.ts'

/** The statement, with a refusal added to its mask finding where these masks ask for one. */
export function underMasks(statement: Statement, masks: Masks): Statement {
  if (statement.mask.refusal !== undefined) return statement
  const untold = opensRefusal(statement)
  if (untold !== undefined) return refused(statement, untold)
  if (statement.opaque !== undefined && masks.hides) {
    return refused(statement, {
      reason: `While a mask applies, what is not understood is refused: ${statement.opaque.reason}`,
      hint: 'Say it in a form that the gateway understands.',
    })
  }
  const { copy } = statement.effect
  const refusal = copy === undefined || masks.idle ? undefined : copyRefusal(copy, statement, masks)
  return refusal === undefined ? statement : refused(statement, refusal)
}

/** Pseudonyms that are translated where their message goes up, and nowhere else. */
function opensRefusal({ mask, effect, facts }: Statement): Refusal | undefined {
  const { opens, opened } = mask
  if (opens === undefined && opened === undefined) return undefined
  if (facts.commands.includes('EXPLAIN')) {
    return {
      reason: 'The plan of a statement with pseudonyms would show what they stand for.',
      hint: 'Explain it without them.',
    }
  }
  if (opens === undefined) return undefined
  if (effect.runs !== undefined || opens.literals.length > 0) {
    return {
      reason:
        'Pseudonyms in a statement that is run by name, or was prepared under other masks, are not translated.',
      hint: 'Prepare it again, by the protocol and with parameters.',
    }
  }
  return undefined
}

function copyRefusal(copy: CopyForm, statement: Statement, masks: Masks): Refusal | undefined {
  if (copy.direction === 'in') return undefined
  if (!copy.utf8) {
    return {
      reason: 'While a mask applies, COPY TO STDOUT in an encoding other than UTF-8 is refused.',
      hint: 'Leave ENCODING out, and set client_encoding to UTF8.',
    }
  }
  // No description says what its fields are: it may be a table that was renamed a moment ago.
  if (copy.table && copy.columns === undefined && masks.all !== undefined) {
    return {
      reason: 'While a mask applies, COPY of a table that the catalogue does not show is refused.',
      hint: 'Try again in a few seconds, or name the columns of a table that exists.',
    }
  }
  // In text a value may look like the mark of NULL, which is never masked: the mark would be a guess.
  const guesses = statement.mask.touches || (masks.detectors !== undefined && copy.nullText !== '')
  if (guesses && copy.format === 'text' && copy.nullText !== '\\N') {
    return {
      reason: 'While a mask applies, COPY TO STDOUT in text format takes no NULL option.',
      hint: 'Use the csv format, which tells a value from the mark of NULL.',
    }
  }
  return undefined
}

type Refusal = NonNullable<Statement['mask']['refusal']>

function refused(statement: Statement, refusal: Refusal): Statement {
  return { ...statement, mask: { ...statement.mask, touches: true, refusal } }
}
