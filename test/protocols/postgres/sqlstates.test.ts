import { expect, test } from 'vitest'
import {
  DETAIL_HARMLESS,
  HARMLESS_WITH_POSITION,
  MESSAGE_HARMLESS,
} from '../../../src/protocols/postgres/sqlstates.ts'

test('codes are of five characters, and none stands in both tables', () => {
  for (const code of [...MESSAGE_HARMLESS, ...HARMLESS_WITH_POSITION, ...DETAIL_HARMLESS]) {
    expect(code).toMatch(/^[0-9A-Z]{5}$/)
  }
  for (const code of HARMLESS_WITH_POSITION) expect(MESSAGE_HARMLESS.has(code)).toBe(false)
})

test('codes whose messages quote values, or come from code, are never harmless by themselves', () => {
  // invalid_text_representation, out of range, invalid date, raise_exception, notices, internal
  for (const code of ['22P02', '22003', '22007', '22008', 'P0001', '00000', '01000', 'XX000']) {
    expect(MESSAGE_HARMLESS.has(code)).toBe(false)
  }
  for (const code of ['P0001', '00000', '01000'])
    expect(HARMLESS_WITH_POSITION.has(code)).toBe(false)
})

test('details of constraint violations quote rows', () => {
  for (const code of DETAIL_HARMLESS) expect(code.startsWith('23')).toBe(false)
})
