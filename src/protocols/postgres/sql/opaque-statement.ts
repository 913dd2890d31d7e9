/** Pure. A statement of which nothing is known but that it is not understood. */
import type { OpaqueReason } from '../../../decide/action.ts'
import { NO_EFFECT, NO_FACTS, type Statement } from './analysis.ts'

export const TOO_LARGE: OpaqueReason = {
  reason: 'the text is larger than limits.statement_bytes_max',
  position: undefined,
}

export const AFTER_CHANGE =
  'It follows a statement of the same message that may change what names mean; send it by itself.'

/**
 * Treated as if it could do anything: it may change what names mean, write without bound, and send rows. Where masks
 * apply it is refused whatever the role allows (semantics §5, "Masks bind code").
 */
export function opaqueStatement(text: string, opaque: OpaqueReason): Statement {
  return {
    start: 0,
    end: Buffer.byteLength(text),
    classes: ['opaque'],
    opaque,
    reasons: [opaque.reason],
    facts: { ...NO_FACTS, writes: true, bounded: false },
    verb: 'OPAQUE',
    objects: [],
    returnsRows: true,
    effect: { ...NO_EFFECT, dirties: true, changesCatalogue: true },
    mask: { touches: true, refusal: undefined, rules: [] },
    parameters: 0,
  }
}
