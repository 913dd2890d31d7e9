/** The JSON schema for editors against the loader: what the loader takes the schema takes, and both refuse alike. */
import { describe, expect, test } from 'vitest'
import { policySchema, readPolicy } from '../../src/decide/policy-file.ts'
import { DETECTORS } from './fixtures.ts'

type Schema = Readonly<Record<string, unknown>>
type Mapping = { [key: string]: Json }
type Json = null | string | number | boolean | Json[] | Mapping

const schema = policySchema(DETECTORS)

/** Of JSON Schema 2020-12, the keywords that ours uses. */
function fits(value: Json, by: Schema): boolean {
  for (const [keyword, wanted] of Object.entries(by))
    if (!KEYWORDS[keyword]!(value, wanted as never, by)) return false
  return true
}

const isMapping = (value: Json): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const KEYWORDS: Record<string, (value: Json, wanted: never, by: Schema) => boolean> = {
  $schema: () => true,
  title: () => true,
  description: () => true,
  type: (value, type: string) =>
    type === 'integer'
      ? Number.isInteger(value)
      : type === 'object'
        ? isMapping(value)
        : type === 'array'
          ? Array.isArray(value)
          : type === 'null'
            ? value === null
            : typeof value === type,
  pattern: (value, source: string) =>
    typeof value !== 'string' || new RegExp(source, 'u').test(value),
  maxLength: (value, most: number) => typeof value !== 'string' || value.length <= most,
  enum: (value, words: Json[]) => words.includes(value),
  const: (value, one: Json) => value === one,
  minimum: (value, least: number) => Number(value) >= least,
  maximum: (value, most: number) => Number(value) <= most,
  minItems: (value, least: number) => !Array.isArray(value) || value.length >= least,
  items: (value, item: Schema) => !Array.isArray(value) || value.every((one) => fits(one, item)),
  required: (value, keys: string[]) =>
    !isMapping(value) || keys.every((key) => Object.hasOwn(value, key)),
  properties: (value, known: Record<string, Schema>) =>
    !isMapping(value) ||
    Object.entries(value).every(([key, one]) => known[key] === undefined || fits(one, known[key])),
  additionalProperties: (value, more: boolean | Schema, by) =>
    !isMapping(value) ||
    Object.entries(value).every(
      ([key, one]) =>
        Object.hasOwn((by.properties ?? {}) as object, key) ||
        (typeof more === 'object' ? fits(one, more) : more),
    ),
  anyOf: (value, forms: Schema[]) => forms.some((form) => fits(value, form)),
  if: (value, condition: Schema, by) =>
    fits(value, (fits(value, condition) ? by.then : by.else) as Schema),
  then: () => true,
  else: () => true,
}

function loads(value: Json): boolean {
  return (
    readPolicy({ path: '/p.json', text: JSON.stringify(value) }, DETECTORS).problems.length === 0
  )
}

const POLICY: Mapping = {
  apiVersion: 'sluice/v1',
  kind: 'Policy',
  name: 'all',
  mode: 'monitor',
  applies: { connections: ['orders', 'label:a=b'], roles: ['*'] },
  rules: [{ id: 'a', when: 'sql.writes', then: 'deny', message: 'No.' }],
  detectors: [{ name: 'badge-number', pattern: 'EMP-[0-9]{6}', words: ['badge'] }],
  masks: [
    {
      columns: ['*.*.email'],
      with: 'pseudonym',
      domain: 'd',
      in_predicates: 'allow',
      derived: 'deny',
    },
    { columns: ['a.b.c'], with: null },
    { columns: ['a.b.d'], with: { partial: { keep_last: 4 } } },
    { detect: ['email'], with: { fixed: 'x' } },
  ],
  schema: 'CREATE TABLE a (b int)',
  tests: [
    {
      as: { subject: 's', roles: ['r'], groups: [], kind: 'human', job: 'j' },
      connection: 'orders',
      database: 'd',
      statement: 'SELECT 1',
      params: ['1'],
      in_transaction: false,
      expect: 'deny',
      rule: 'all/a',
      masked: [],
    },
  ],
}
const TESTS: Mapping = {
  apiVersion: 'sluice/v1',
  kind: 'PolicyTests',
  tests: POLICY.tests!,
  schema: POLICY.schema!,
}

/** The document with one part replaced, once for each part that `change` answers something for. */
function* changed(value: Json, change: (part: Json) => Json[]): Generator<Json> {
  yield* change(value)
  if (Array.isArray(value))
    for (const [at, one] of value.entries())
      for (const other of changed(one, change)) yield value.with(at, other)
  else if (isMapping(value))
    for (const [key, one] of Object.entries(value))
      for (const other of changed(one, change)) yield { ...value, [key]: other }
}

describe.each([
  ['a policy', POLICY],
  ['a file of tests', TESTS],
])('%s', (_, whole) => {
  test('that loads is of the schema', () => {
    expect(loads(whole)).toBe(true)
    expect(fits(whole, schema)).toBe(true)
  })

  test('with a key that nobody knows is refused by both, wherever it stands', () => {
    const more = [...changed(whole, (part) => (isMapping(part) ? [{ ...part, extra: 'x' }] : []))]
    expect(more.length).toBeGreaterThan(2)
    expect(more.filter(loads)).toEqual([])
    expect(more.filter((one) => fits(one, schema))).toEqual([])
  })

  test('without one of its keys is refused by the loader wherever the schema refuses it', () => {
    const less = [
      ...changed(whole, (part) =>
        isMapping(part)
          ? Object.keys(part).map((key) =>
              Object.fromEntries(Object.entries(part).filter(([one]) => one !== key)),
            )
          : [],
      ),
    ]
    expect(less.length).toBeGreaterThan(10)
    for (const one of less) if (loads(one)) expect(fits(one, schema)).toBe(true)
    // Which options of a mask go together, JSON Schema is not asked to say.
    const lax = less.filter((one) => !loads(one) && fits(one, schema))
    const outsideMasks = (one: Json) => JSON.stringify({ ...Object(one), masks: [] })
    const same = outsideMasks(whole)
    expect(lax.filter((one) => outsideMasks(one) !== same)).toEqual([])
  })

  test('with a value of another kind is refused by both', () => {
    const other = [
      ...changed(whole, (part) => (isMapping(part) || part === null ? [] : [{ wrong: 1 }, 99.5])),
    ]
    expect(other.length).toBeGreaterThan(10)
    expect(other.filter(loads)).toEqual([])
    expect(other.filter((one) => fits(one, schema))).toEqual([])
  })
})
