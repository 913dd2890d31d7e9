import { expect, test } from 'vitest'
import { maskedColumns } from '../../../src/mask/resolve-masks.ts'
import { underMasks } from '../../../src/protocols/postgres/mask-refusals.ts'
import type { Masks } from '../../../src/protocols/postgres/session-masks.ts'
import { NO_EFFECT, NO_MASK, type Statement } from '../../../src/protocols/postgres/sql/analysis.ts'
import { opaqueStatement } from '../../../src/protocols/postgres/sql/opaque-statement.ts'
import { COPY_OUT } from './conversations.ts'

const MASKS: Masks = {
  key: 'k',
  all: maskedColumns(new Map(), 'k'),
  enforced: undefined,
  detectors: undefined,
  hides: true,
  monitors: false,
  idle: false,
}
const IDLE: Masks = { ...MASKS, all: undefined, hides: false, idle: true }
const OPAQUE = opaqueStatement('x', { reason: 'why not', position: undefined })

function copying(copy: Partial<typeof COPY_OUT>, touches = false): Statement {
  const effect = { ...NO_EFFECT, copy: { ...COPY_OUT, columns: [], ...copy } }
  return { ...OPAQUE, opaque: undefined, mask: { ...NO_MASK, touches }, effect }
}
const refused = (statement: Statement, masks: Masks) =>
  underMasks(statement, masks).mask.refusal !== undefined

test('what is not understood is refused while a mask hides something, and says why', () => {
  expect(underMasks(OPAQUE, MASKS).mask.refusal?.reason).toContain('why not')
  expect(refused(OPAQUE, IDLE)).toBe(false)
  expect(refused(OPAQUE, { ...MASKS, hides: false })).toBe(false)
})

test('a refusal that stands already stays', () => {
  const mask = { ...NO_MASK, refusal: { reason: 'first', hint: '' } }
  expect(underMasks({ ...OPAQUE, mask }, MASKS).mask.refusal?.reason).toBe('first')
})

test('COPY TO STDOUT is refused where its rows could not be told apart', () => {
  expect(refused(copying({}), MASKS)).toBe(false)
  expect(refused(copying({ format: 'binary' }), MASKS)).toBe(false)
  expect(refused(copying({ format: 'binary', utf8: false }), MASKS)).toBe(true)
  expect(refused(copying({ format: 'binary', columns: undefined }), MASKS)).toBe(true)
  expect(refused(copying({ columns: undefined }), MASKS)).toBe(true)
  expect(refused(copying({ columns: undefined, table: false }), MASKS)).toBe(false)
  expect(refused(copying({ nullText: 'x' }), MASKS)).toBe(false)
  expect(refused(copying({ nullText: 'x' }, true), MASKS)).toBe(true)
  expect(refused(copying({ nullText: 'x', format: 'csv' }, true), MASKS)).toBe(false)
})

test('where nothing is masked, and for COPY FROM, any form passes', () => {
  expect(refused(copying({ format: 'binary' }), IDLE)).toBe(false)
  expect(refused(copying({ direction: 'in', format: 'binary' }), MASKS)).toBe(false)
})
