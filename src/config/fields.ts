/**
 * Pure. The only door to `zod`: the few forms that a field of our files can have, each with a sentence that says
 * what was expected. A form checks everything below it, so that all problems come at once.
 *
 * Values are never quoted in messages, since one of them might be a secret put in the wrong place.
 */
import { z } from 'zod'
import { didYouMean, NOT_YET } from './problem.ts'

export type Field<T> = z.ZodType<T>
export type Value<F> = F extends z.ZodType<infer T> ? T : never
export type JsonSchema = Readonly<Record<string, unknown>>

export interface Issue {
  readonly path: readonly (string | number)[]
  readonly message: string
  /** Where the place is that a reader should look at. */
  readonly at: 'key' | 'value'
}

/** All of `value`, checked; or everything that is wrong with it. */
export function check<T>(field: Field<T>, value: unknown): { value: T } | { issues: Issue[] } {
  const result = field.safeParse(value)
  return result.success ? { value: result.data } : { issues: issuesOf(result.error) }
}

/** What an editor is told of a form. Not narrower than the form itself, and as near to it as JSON Schema can say. */
const described = new WeakMap<object, JsonSchema>()

/** JSON Schema (2020-12) of a form made here. */
export function jsonSchema(field: Field<unknown>): JsonSchema {
  const known = described.get(field)
  if (known !== undefined) return known
  const inner = innerOf(field)
  return inner === undefined ? {} : jsonSchema(inner)
}

/** The form, told to editors in this way. */
export function withSchema<F extends object>(field: F, schema: JsonSchema): F {
  described.set(field, schema)
  return field
}

/** Of `field.optional()`, the field. */
function innerOf(field: object): Field<unknown> | undefined {
  return field instanceof z.ZodOptional ? (field.def.innerType as Field<unknown>) : undefined
}

/** Text that `parse` accepts; `parse` answers undefined for what it does not. */
export function parsed<T>(expected: string, parse: (text: string) => T | undefined): Field<T> {
  const field = z.unknown().transform((value, context): T => {
    const result = typeof value === 'string' ? parse(value) : undefined
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: expectation(expected, value) })
    return z.NEVER
  })
  return withSchema(field, { type: 'string', description: expected })
}

export function text(expected = 'text (in quotes where it looks like a number)'): Field<string> {
  return parsed(expected, (value) => (value === '' ? undefined : value))
}

export function integer(min: number, max: number): Field<number> {
  const expected = `a whole number from ${min} to ${max}`
  const error = (issue: { input?: unknown }) => expectation(expected, issue.input)
  const field = z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
  return withSchema(field, { type: 'integer', minimum: min, maximum: max })
}

export function oneOf<const W extends string>(words: readonly W[]): Field<W> {
  const expected = words.length === 1 ? words[0]! : `one of ${words.join(', ')}`
  const field = z.unknown().transform((value, context): W => {
    const word = words.find((one) => one === value)
    if (word !== undefined) return word
    const near = typeof value === 'string' && words.length > 1 ? didYouMean(value, words) : ''
    context.addIssue({ code: 'custom', message: expectation(expected, value) + near })
    return z.NEVER
  })
  return withSchema(field, { enum: [...words] })
}

/** Whatever stands there means `value`; for a `choice` that has looked already. */
export function always<const T>(value: T, schema: JsonSchema = {}): Field<T> {
  return withSchema(
    z.unknown().transform(() => value),
    schema,
  )
}

export function list<T>(item: Field<T>, options: { min?: number } = {}): Field<T[]> {
  const error = (issue: { input?: unknown }) => expectation('a list', issue.input)
  const array = z.array(item, { error })
  const schema = { type: 'array', items: jsonSchema(item) }
  if (options.min === undefined) return withSchema(array, schema)
  const field = array.min(options.min, { error: `expected at least ${options.min} in the list` })
  return withSchema(field, { ...schema, minItems: options.min })
}

/** A mapping from names that `isName` accepts. */
export function table<T>(
  field: Field<T>,
  options: { expected: string; isName: (name: string) => boolean },
): Field<Record<string, T>> {
  const error = (issue: { code?: string; input?: unknown }) =>
    issue.code === 'invalid_key'
      ? `expected ${options.expected} as the name`
      : expectation('a mapping', issue.input)
  const record = z.record(z.string().refine(options.isName), field, { error })
  return withSchema(record, { type: 'object', additionalProperties: jsonSchema(field) })
}

/**
 * A mapping with these fields and no other. `later`: names that the contract has and this version has not; they are
 * refused with that sentence, because what is ignored silently protects nobody.
 */
export function section<S extends z.ZodRawShape>(shape: S, later: readonly string[] = []) {
  const known = Object.keys(shape)
  const name = (key: string) =>
    later.includes(key)
      ? `${key} ${NOT_YET}`
      : `${printable(key)} is not a known key${didYouMean(key, [...known, ...later])}`
  const field = z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as string[]).map(name).join('\n')
        : expectation('a mapping', issue.input),
  })
  const parts = Object.entries(shape) as [string, Field<unknown>][]
  return withSchema(field, {
    type: 'object',
    properties: Object.fromEntries(parts.map(([key, part]) => [key, jsonSchema(part)])),
    required: parts.filter(([, part]) => innerOf(part) === undefined).map(([key]) => key),
    additionalProperties: false,
  })
}

/**
 * One of several forms, told apart by `pick`. A text answer refuses with that sentence. `forms`: those that `pick`
 * may answer, for the description.
 */
export function choice<T>(
  pick: (value: unknown) => Field<T> | string,
  forms: readonly Field<unknown>[] = [],
): Field<T> {
  const field = z.unknown().transform((value, context): T => {
    const field = pick(value)
    if (typeof field === 'string') {
      const message = value === undefined ? `missing; ${field}` : field
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    const result = check(field, value)
    if ('value' in result) return result.value
    for (const { path, message, at } of result.issues)
      context.addIssue({ code: 'custom', path: [...path], message, params: { at } })
    return z.NEVER
  })
  if (forms.length === 0) return field
  const schemas = forms.map(jsonSchema)
  return withSchema(field, schemas.length === 1 ? schemas[0]! : { anyOf: schemas })
}

/** A form with one more condition; `fault` answers the sentence, or undefined where all is well. */
export function checked<T>(field: Field<T>, fault: (value: T) => string | undefined): Field<T> {
  const narrowed = z.unknown().transform((value, context): T => {
    const result = check(field, value)
    if ('issues' in result) {
      for (const { path, message, at } of result.issues)
        context.addIssue({ code: 'custom', path: [...path], message, params: { at } })
      return z.NEVER
    }
    const message = fault(result.value)
    if (message === undefined) return result.value
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  return withSchema(narrowed, jsonSchema(field))
}

function issuesOf(error: z.ZodError): Issue[] {
  return error.issues.flatMap((issue): Issue[] => {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
    if (issue.code === 'unrecognized_keys') {
      const sentences = issue.message.split('\n')
      return issue.keys.map((key, at) => ({
        path: [...path, key],
        message: sentences[at]!,
        at: 'key',
      }))
    }
    const at =
      issue.code === 'invalid_key' || (issue.code === 'custom' && issue.params?.at === 'key')
    return [{ path, message: issue.message, at: at ? 'key' : 'value' }]
  })
}

/** `expected a size, found a number`; never the value itself. */
function expectation(expected: string, value: unknown): string {
  if (value === undefined) return `missing; expected ${expected}`
  return `expected ${expected}${FOUND[kindOf(value)]}`
}

const FOUND = {
  text: '',
  nothing: ', found nothing',
  number: ', found a number',
  boolean: ', found true or false',
  list: ', found a list',
  mapping: ', found a mapping',
} as const

function kindOf(value: unknown): keyof typeof FOUND {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number' || typeof value === 'bigint') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (Array.isArray(value)) return 'list'
  return value === null ? 'nothing' : 'mapping'
}

/** Keys may hold line breaks, which separate sentences in `section`. */
function printable(key: string): string {
  return JSON.stringify(key).replace(/^"([\w.-]*)"$/, '$1')
}
