/**
 * Pure. What is made of a masked value may be as long as the value, and nothing else about it may be seen in its length:
 * the order in which rows leave a join that outgrew its memory tells lengths, and so do files, statistics and time. If
 * `(email < 'm')::text` were made, whether it is `true` or `false` long would say what stands in the column.
 *
 * Numbers, times and truth values take the same room whatever they are. So nothing may be computed from masked ones and
 * then printed, and no function may leave out, double or choose by what a text holds.
 */
import { isArray, isString, type Kind } from './kinds.ts'
import type { Value } from './value.ts'

/** Kinds whose values are all of one length. */
const FIXED =
  /^(bool|int[248]|float[48]|date|time|timetz|timestamp|timestamptz|interval|uuid|money|macaddr)$/
/** Of these also their texts are. */
const EVEN: ReadonlySet<Kind> = new Set(['date', 'uuid', 'macaddr'])
/** Of one length or nearly, but their texts are not. */
const ADDRESSES: ReadonlySet<Kind> = new Set(['inet', 'cidr'])

/**
 * Their texts are longer or shorter by what a client sets: TimeZone (one of its own making has another offset on the days
 * that it names), extra_float_digits, bytea_output, IntervalStyle. So it could ask for a value bit by bit.
 */
const BY_SETTINGS = /^(timestamptz|float[48]|bytea|interval)(\[\])?$/

const TEXTS: ReadonlySet<Kind> = new Set(['text', 'varchar', 'bpchar'])

/** Functions that print what they are given; into jsonb a truth value goes as it is. */
const PRINTS = /^(concat|concat_ws|to_hex|to_jsonb?|row_to_json|jsonb?_agg|jsonb?_build_array)$/
/** Functions that leave out, double or name what a text holds. */
const CHOOSES = /^(translate|quote_literal|quote_ident|jsonb?_typeof)$/
const TRIMS = /^[blr]trim$/

export function isFixed(kind: Kind): boolean {
  return FIXED.test(kind ?? '')
}

/**
 * The length of its text tells no more of what is masked than how long that is, or how large a number. JSON doubles some
 * characters of a text: of a part of it, taken character by character, that says which they are.
 */
export function prints(value: Value, into?: 'json' | 'jsonb'): boolean {
  const { marks, how, kind, fields } = value
  if (marks.length === 0) return true
  if (kind === 'record') return fields?.every((field) => prints(field, into)) === true
  if (kind === 'bool') return into === 'jsonb'
  if (into !== undefined && how !== 'identity' && (kind === undefined || isString(kind)))
    return false
  if (BY_SETTINGS.test(kind ?? '')) return false
  if (how === 'identity' || EVEN.has(kind)) return true
  return !isFixed(kind) && !isArray(kind) && !ADDRESSES.has(kind)
}

/** `value::kind`. */
export function castShows(value: Value, kind: Kind): boolean {
  if (TEXTS.has(kind)) return !prints(value)
  return kind === 'numeric' && widens([value])
}

/** A number is written in as many digits as it has where it was computed as one of fixed size. */
export function widens(parts: readonly Value[]): boolean {
  return parts.some(
    ({ marks, how, kind }) => marks.length > 0 && how !== 'identity' && kind !== 'numeric',
  )
}

/**
 * Which of several values it is, or how large a sum of them, is seen in its length: beside rows that somebody writes, or knows,
 * that is a search for the others. An aggregate of texts keeps the one it has found, and groups that outgrow their memory
 * leave in another order, so it is told even where nothing is joined or sorted behind it.
 */
export function chooses(name: string, args: readonly Value[]): boolean {
  const [first] = args
  if (first === undefined || first.marks.length === 0) return false
  if (name === 'min' || name === 'max') return !isFixed(first.kind)
  return name === 'avg' || (name === 'sum' && first.kind === 'int8')
}

/** A call of the committed list whose result is longer or shorter by what a masked argument holds. */
export function callShows(name: string, args: readonly Value[]): boolean {
  const hidden = args.filter((one) => one.marks.length > 0)
  if (hidden.length === 0) return false
  if (CHOOSES.test(name) || (TRIMS.test(name) && args.length > 1)) return true
  const computed = hidden.some((one) => one.how !== 'identity')
  // Beside a constant the least of two is as long as either, and says which it is.
  if (name === 'min' || name === 'max') return computed && !isFixed(args[0]?.kind)
  if (name === 'avg' || (name === 'sum' && args[0]?.kind === 'int8')) return computed
  if (name === 'array_to_string')
    return (
      BY_SETTINGS.test(args[0]?.kind ?? '') || (computed && !isString(elementOf(args[0]?.kind)))
    )
  const into = name.includes('jsonb') ? 'jsonb' : name.includes('json') ? 'json' : undefined
  return PRINTS.test(name) && !args.every((one) => prints(one, into))
}

function elementOf(kind: Kind): Kind {
  return kind?.replace('[]', '')
}
