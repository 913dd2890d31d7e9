import { expect, test } from 'vitest'
import {
  constantOf,
  constantText,
  optionText,
} from '../../../../src/protocols/postgres/sql/constants.ts'

test("constants are what they say, with the parser's gaps filled", () => {
  expect(constantText({ sval: {} })).toBe('')
  expect(constantText({ ival: {} })).toBe('0')
  expect(constantText({ boolval: {} })).toBe('false')
  expect(constantText({ fval: { fval: '1.5' } })).toBe('1.5')
  expect(constantText({ isnull: true })).toBeUndefined()
})

test('NULL, a constant and anything else are three things', () => {
  expect(constantOf({ A_Const: { isnull: true } })).toBeNull()
  expect(constantOf({ TypeCast: { arg: { A_Const: { sval: { sval: 'x' } } } } })).toBe('x')
  expect(constantOf({ ParamRef: { number: 1 } })).toBeUndefined()
})

test('options are text in whatever node they stand', () => {
  expect(optionText({ String: { sval: 'csv' } })).toBe('csv')
  expect(optionText({ TypeName: { names: [{ String: { sval: 'off' } }] } })).toBe('off')
  expect(optionText({ A_Star: {} })).toBe('*')
  expect(optionText({ List: { items: [{ String: { sval: 'a' } }, { A_Star: {} }] } })).toBe('a.*')
  expect(optionText({ List: { items: [{ ParamRef: {} }] } })).toBeUndefined()
  expect(optionText(undefined)).toBeUndefined()
})
