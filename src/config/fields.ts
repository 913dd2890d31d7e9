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

/** Text that `parse` accepts; `parse` answers undefined for what it does not. */
export function parsed<T>(expected: string, parse: (text: string) => T | undefined): Field<T> {
  return z.unknown().transform((value, context): T => {
    const result = typeof value === 'string' ? parse(value) : undefined
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: expectation(expected, value) })
    return z.NEVER
  })
}

export function text(expected = 'text (in quotes where it looks like a number)'): Field<string> {
  return parsed(expected, (value) => (value === '' ? undefined : value))
}

export function integer(min: number, max: number): Field<number> {
  const expected = `a whole number from ${min} to ${max}`
  const error = (issue: { input?: unknown }) => expectation(expected, issue.input)
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

export function oneOf<const W extends string>(words: readonly W[]): Field<W> {
  const expected = words.length === 1 ? words[0]! : `one of ${words.join(', ')}`
  return z.unknown().transform((value, context): W => {
    const word = words.find((one) => one === value)
    if (word !== undefined) return word
    const near = typeof value === 'string' && words.length > 1 ? didYouMean(value, words) : ''
    context.addIssue({ code: 'custom', message: expectation(expected, value) + near })
    return z.NEVER
  })
}

/** Whatever stands there means `value`; for a `choice` that has looked already. */
export function always<const T>(value: T): Field<T> {
  return z.unknown().transform(() => value)
}

export function list<T>(item: Field<T>, options: { min?: number } = {}): Field<T[]> {
  const error = (issue: { input?: unknown }) => expectation('a list', issue.input)
  const array = z.array(item, { error })
  return options.min === undefined
    ? array
    : array.min(options.min, { error: `expected at least ${options.min} in the list` })
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
  return z.record(z.string().refine(options.isName), field, { error })
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
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as string[]).map(name).join('\n')
        : expectation('a mapping', issue.input),
  })
}

/** One of several forms, told apart by `pick`. A text answer refuses with that sentence. */
export function choice<T>(pick: (value: unknown) => Field<T> | string): Field<T> {
  return z.unknown().transform((value, context): T => {
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
}

/** A form with one more condition; `fault` answers the sentence, or undefined where all is well. */
export function checked<T>(field: Field<T>, fault: (value: T) => string | undefined): Field<T> {
  return z.unknown().transform((value, context): T => {
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
