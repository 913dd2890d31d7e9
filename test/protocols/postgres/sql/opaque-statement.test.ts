import { expect, test } from 'vitest'
import { opaqueStatement } from '../../../../src/protocols/postgres/sql/opaque-statement.ts'

test('what is not understood counts as if it could do anything', () => {
  expect(opaqueStatement('é', { reason: 'r', position: 3 })).toMatchObject({
    start: 0,
    end: 2,
    classes: ['opaque'],
    opaque: { reason: 'r', position: 3 },
    returnsRows: true,
    facts: { writes: true, bounded: false },
    effect: { dirties: true, changesCatalogue: true },
    mask: { touches: true, refusal: undefined },
  })
})
