import { describe, expect, test } from 'vitest'
import {
  always,
  check,
  checked,
  choice,
  type Field,
  integer,
  jsonSchema,
  list,
  oneOf,
  parsed,
  section,
  table,
  text,
  withSchema,
} from '../../src/config/fields.ts'

const form = section(
  { name: text(), count: integer(1, 5).optional(), kind: oneOf(['red', 'blue']) },
  ['later'],
)

function issues<T>(field: Field<T>, value: unknown): string[] {
  const result = check(field, value)
  return 'issues' in result
    ? result.issues.map(({ path, message, at }) => `${path.join('.')} ${at}: ${message}`)
    : []
}

describe('a section', () => {
  test('takes its fields', () => {
    expect(check(form, { name: 'a', kind: 'red' })).toEqual({ value: { name: 'a', kind: 'red' } })
  })

  test('says everything that is wrong at once', () => {
    expect(issues(form, { count: 9, kind: 'rde', nmae: 1, later: 2 })).toEqual([
      'name value: missing; expected text (in quotes where it looks like a number)',
      'count value: expected a whole number from 1 to 5, found a number',
      'kind value: expected one of red, blue (did you mean red?)',
      'nmae key: nmae is not a known key (did you mean name?)',
      'later key: later is not available in this version',
    ])
  })

  test('is a mapping', () => {
    expect(issues(form, [])).toEqual([' value: expected a mapping, found a list'])
    expect(issues(form, null)).toEqual([' value: expected a mapping, found nothing'])
  })

  test('keeps one sentence a key, whatever the key holds', () => {
    expect(issues(section({}), { 'a\nb': 1, c: 2 })).toEqual([
      'a\nb key: "a\\nb" is not a known key',
      'c key: c is not a known key',
    ])
  })
})

test('lists and tables check what is in them', () => {
  expect(issues(list(integer(0, 1), { min: 1 }), [])).toEqual([
    ' value: expected at least 1 in the list',
  ])
  expect(issues(list(integer(0, 1)), 'x')).toEqual([' value: expected a list'])
  const names = table(text(), { expected: 'a letter', isName: (name) => name.length === 1 })
  expect(issues(names, { a: 'x', bc: 'x', d: 1 })).toEqual([
    'bc key: expected a letter as the name',
    'd value: expected text (in quotes where it looks like a number), found a number',
  ])
})

test('a choice keeps the places of what is inside it', () => {
  const either = choice<unknown>((value) => (typeof value === 'object' ? form : 'expected a form'))
  expect(issues(either, { kind: 'red', x: 1 })).toEqual([
    'name value: missing; expected text (in quotes where it looks like a number)',
    'x key: x is not a known key',
  ])
  expect(issues(either, 1)).toEqual([' value: expected a form'])
  expect(issues(either, undefined)).toEqual([' value: missing; expected a form'])
})

test('a further condition is judged on what is otherwise right', () => {
  const even = checked(integer(0, 9), (value) => (value % 2 === 0 ? undefined : 'expected even'))
  expect(check(even, 4)).toEqual({ value: 4 })
  expect(issues(even, 3)).toEqual([' value: expected even'])
  expect(issues(even, 11)).toHaveLength(1)
})

test('a value never stands in a message', () => {
  const secret = 'hunter2'
  for (const field of [parsed('x', () => undefined), oneOf(['a']), integer(0, 1), form])
    for (const line of issues(field as Field<unknown>, secret)) expect(line).not.toContain(secret)
  expect(check(always('null'), 5)).toEqual({ value: 'null' })
})

describe('what editors are told', () => {
  test('each form says what it takes', () => {
    expect(jsonSchema(form)).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', description: 'text (in quotes where it looks like a number)' },
        count: { type: 'integer', minimum: 1, maximum: 5 },
        kind: { enum: ['red', 'blue'] },
      },
      required: ['name', 'kind'],
      additionalProperties: false,
    })
    expect(jsonSchema(list(integer(0, 1), { min: 2 }))).toMatchObject({
      type: 'array',
      minItems: 2,
    })
  })

  test('a choice lists its forms, a condition changes nothing, and what is not known is everything', () => {
    const number = integer(0, 1)
    expect(jsonSchema(choice(() => number, [number]))).toEqual(jsonSchema(number))
    expect(jsonSchema(choice<number | 'x'>(() => number, [number, oneOf(['x'])]))).toEqual({
      anyOf: [jsonSchema(number), { enum: ['x'] }],
    })
    expect(jsonSchema(choice(() => number))).toEqual({})
    expect(jsonSchema(checked(number, () => undefined))).toEqual(jsonSchema(number))
    expect(
      jsonSchema(
        withSchema(
          checked(number, () => undefined),
          { enum: [1] },
        ),
      ),
    ).toEqual({ enum: [1] })
  })
})
