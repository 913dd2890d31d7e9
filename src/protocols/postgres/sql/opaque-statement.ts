/** Pure. A statement of which nothing is known but that it is not understood. */
import type { OpaqueReason } from '../../../decide/action.ts'
import { NO_EFFECT, type Statement } from './analysis.ts'

export const TOO_LARGE: OpaqueReason = {
  reason: 'the text is larger than limits.statement_bytes_max',
  position: undefined,
}

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
    facts: {
      commands: [],
      tags: [],
      tables: [],
      tables_written: [],
      columns: [],
      functions: [],
      writes: true,
      bounded: false,
      by_key: false,
      has_where: false,
      where_always_true: false,
      literals: [],
      statements: 1,
      in_transaction: false,
      copy: '',
      params: [],
      triggers: [],
    },
    verb: 'OPAQUE',
    objects: [],
    returnsRows: true,
    effect: { ...NO_EFFECT, dirties: true, changesCatalogue: true },
    mask: { touches: true, refusal: undefined, rules: [] },
    parameters: 0,
  }
}
