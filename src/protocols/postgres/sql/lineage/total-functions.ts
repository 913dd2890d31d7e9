/**
 * Pure. The committed list of functions through which a masked value may go (semantics §5, "Derived outputs"): for
 * arguments of these types they never fail, have no effect, and are null only where an argument is. What they make of a
 * masked value comes back masked. Everything that is not listed is refused.
 *
 * Not on the list, on purpose: arithmetic (overflows), substring by pattern, array_length (null for an empty array),
 * lpad, repeat and replace (lengths), sum and avg of numeric (overflow by a planted value), anything with a format; strpos
 * and split_part (under a collation that is not deterministic they fail only where the text is long enough).
 *
 * What they make of it may be as long as it is, and tell nothing else by its length: sizes.ts.
 *
 * What collects values fails by the size of what it has made, and rows can be multiplied by a join: so only columns
 * themselves go in, whose content does not decide their length, and nothing that may be of any length beside a mask.
 * https://www.postgresql.org/docs/current/functions.html
 */
import { isArray, isListed, isString, type Kind, unified } from './kinds.ts'
import { callShows, isFixed, prints } from './sizes.ts'
import { hidesNull, isSame, UNBOUNDED, type Value } from './value.ts'

export interface Total {
  readonly kind: Kind
  readonly copies: number
  readonly isAggregate: boolean
}

interface Signature {
  readonly args: readonly string[]
  /** The last of `args` may come any number of times. */
  readonly variadic: boolean
  readonly returns: string
  readonly isAggregate: boolean
}

/**
 * `name(arguments) result`. Arguments: `string`; `text!`, `int!`: a constant; `any`: of a listed type; `jsonable`:
 * such a one, or a row of such, but no `json`, which may hold what jsonb cannot; `row`; `*`: anything at all. Results:
 * a kind; `first`, `array`: as the first argument, an array of it.
 */
const FUNCTIONS = `
upper(string) text
lower(string) text
initcap(string) text
reverse(string) text
btrim(string) text
btrim(string, string) text
ltrim(string) text
ltrim(string, string) text
rtrim(string) text
rtrim(string, string) text
length(string) int4
length(bytea) int4
char_length(string) int4
character_length(string) int4
octet_length(string) int4
octet_length(bytea) int4
bit_length(string) int4
md5(string) text
md5(bytea) text
sha224(bytea) bytea
sha256(bytea) bytea
sha384(bytea) bytea
sha512(bytea) bytea
encode(bytea, text!) text
left(string, int!) text
right(string, int!) text
substr(string, int!) text
substr(string, int!, int!) text
substring(string, int!) text
substring(string, int!, int!) text
starts_with(string, string) bool
translate(string, text!, text!) text
quote_literal(string) text
quote_ident(string) text
concat(any...) text
concat_ws(string, any...) text
to_hex(int4) text
to_hex(int8) text
to_json(row) json
to_json(any) json
to_jsonb(jsonable) jsonb
row_to_json(row) json
json_build_array(any...) json
jsonb_build_array(jsonable...) jsonb
json_typeof(json) text
jsonb_typeof(jsonb) text
cardinality(list) int4
array_to_string(list, text!) text
lag(any) first
lag(any, int!) first
lead(any) first
lead(any, int!) first
first_value(any) first
last_value(any) first
`

const AGGREGATES = `
count(*) int8
min(any) first
max(any) first
any_value(any) first
array_agg(scalar) array
string_agg(string, text!) text
json_agg(row) json
json_agg(any) json
jsonb_agg(jsonable) jsonb
sum(int2) int8
sum(int4) int8
sum(int8) numeric
avg(int2) numeric
avg(int4) numeric
avg(int8) numeric
bool_and(bool) bool
bool_or(bool) bool
every(bool) bool
`

const LIST: ReadonlyMap<string, readonly Signature[]> = grouped([
  ...parsed(FUNCTIONS, false),
  ...parsed(AGGREGATES, true),
])

/** A text longer than this many copies of one value could fail by its length. */
const COPIES_MAX = 64
/** Functions whose text may be longer than what they are given. */
const LENGTHENS = /^(to_json|row_to_json|json_|jsonb_|quote_|encode|array_to_string|concat)/

/** Aggregates that keep all that they are given. */
const COLLECTS = /_agg$/
/** Nothing masked in it but columns as they are, or what has no length to tell. */
function isPlain({ marks, how, kind, fields }: Value): boolean {
  if (marks.length === 0 || how === 'identity') return true
  return fields === undefined ? isFixed(kind) : fields.every(isPlain)
}

/** Functions that turn capitals by a collation: of what is masked, by its own alone, and not by that of a column beside it. */
const TURNS = new Set(['upper', 'lower', 'initcap'])
/** Functions that sort or compare by one. */
const COMPARES = new Set(['starts_with', 'min', 'max'])

/**
 * Columns of different collations leave none to go by, which fails as soon as there is a value, and only then: under the mask
 * `null` that tells. Of the listed kinds only strings have collations.
 */
function mayLackCollation(args: readonly Value[]): boolean {
  return args.some(hidesNull) && hasSeveralColumns(args)
}

/**
 * Under a collation that is not deterministic `starts_with` fails as soon as there is a value. No view's column has its mask
 * here yet.
 */
function mayTellNull(args: readonly Value[]): boolean {
  return args.some((one) =>
    one.marks.some(({ mask }) => mask === undefined || mask.transform.type === 'null'),
  )
}

/** A masked column keeps its collation; one that a client made, in a temporary table, has what it likes. */
function mayBringCollation(args: readonly Value[]): boolean {
  const isHidden = args.some((one) => one.marks.length > 0)
  const isClear = args.some((one) => one.columns.some(({ mask }) => mask === undefined))
  return isHidden && isClear && hasSeveralColumns(args)
}

function hasSeveralColumns(args: readonly Value[]): boolean {
  const [first] = args.flatMap((one) => one.columns)
  return args.some((one) => one.columns.some((column) => !isSame(column, first!)))
}

/** What a call gives if it is on the list for these arguments; undefined otherwise. */
export function totalCall(name: string, args: readonly Value[]): Total | undefined {
  if (COMPARES.has(name) && mayLackCollation(args)) return undefined
  if (TURNS.has(name) && mayBringCollation(args)) return undefined
  if (name === 'starts_with' && mayTellNull(args)) return undefined
  if (callShows(name, args)) return undefined
  for (const signature of LIST.get(name) ?? []) {
    if (!fits(signature, args)) continue
    const { returns, isAggregate } = signature
    const collects = COLLECTS.test(name)
    if (collects && !args.every(isPlain)) continue
    const first = args[0]?.kind
    const kind =
      returns === 'first' ? textOf(first) : returns === 'array' ? `${textOf(first)}[]` : returns
    const copies = LENGTHENS.test(name)
      ? 2 * sum(args)
      : Math.max(1, ...args.map((one) => one.copies))
    const isLong = LENGTHENS.test(name) && copies > COPIES_MAX
    return isLong ? undefined : { kind, copies: collects ? UNBOUNDED : copies, isAggregate }
  }
  return undefined
}

const COMPARISONS = new Set(['=', '<>', '<', '>', '<=', '>='])

/** The same of an operator with two sides. */
export function totalOperator(name: string, left: Value, right: Value): Total | undefined {
  if (COMPARISONS.has(name)) {
    if (mayLackCollation([left, right])) return undefined
    const kind = unified([left.kind, right.kind])
    const compares = kind !== undefined && isListed(kind) && !isArray(kind) && kind !== 'json'
    return compares ? { kind: 'bool', copies: 1, isAggregate: false } : undefined
  }
  if (name !== '||') return undefined
  const copies = left.copies + right.copies
  if (copies > COPIES_MAX) return undefined
  if (left.kind === 'bytea' && right.kind === 'bytea')
    return { kind: 'bytea', copies, isAggregate: false }
  const isText = isString(left.kind) || isString(right.kind)
  const isShown = !prints(left) || !prints(right)
  return isText && !isShown && isPrinted(left.kind) && isPrinted(right.kind)
    ? { kind: 'text', copies, isAggregate: false }
    : undefined
}

/** Beside a text `||` appends it as text; arrays and jsonb have operators of their own. */
function isPrinted(kind: Kind): boolean {
  return isListed(kind) && !isArray(kind) && kind !== 'jsonb' && kind !== 'bytea'
}

/** Functions of several string types give text. */
function textOf(kind: Kind): Kind {
  return kind === 'varchar' || kind === 'literal' ? 'text' : kind
}

function sum(args: readonly Value[]): number {
  return args.reduce((total, one) => total + one.copies, 0)
}

function fits({ args, variadic }: Signature, given: readonly Value[]): boolean {
  if (variadic ? given.length < args.length : given.length !== args.length) return false
  return given.every((value, at) => isOf(value, args[Math.min(at, args.length - 1)]!))
}

function isOf(value: Value, wanted: string): boolean {
  const { kind, how } = value
  switch (wanted) {
    case '*':
      return true
    case 'string':
      return isString(kind)
    case 'text!':
      return how === 'constant' && isString(kind)
    case 'int!':
      return how === 'constant' && (kind === 'int4' || kind === 'int2')
    case 'any':
      return isListed(kind)
    case 'scalar':
      return isListed(kind) && !isArray(kind)
    case 'list':
      return isListed(kind) && isArray(kind)
    case 'row':
      return kind === 'record' && isRowOf(value, 'any')
    case 'jsonable':
      return (
        (isListed(kind) && kind !== 'json' && kind !== 'json[]') ||
        (kind === 'record' && isRowOf(value, 'jsonable'))
      )
    default:
      return kind === wanted
  }
}

/** What no mask hides of a row fails alike whatever is hidden. */
function isRowOf({ fields }: Value, wanted: string): boolean {
  return fields?.every((field) => field.marks.length === 0 || isOf(field, wanted)) === true
}

function parsed(text: string, isAggregate: boolean): [string, Signature][] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name, rest] = line.split('(') as [string, string]
      const [inside, returns] = rest.split(') ') as [string, string]
      const args = inside.split(', ')
      const variadic = inside.endsWith('...')
      const plain = args.map((arg) => arg.replace('...', ''))
      return [name, { args: plain, variadic, returns, isAggregate }]
    })
}

function grouped(list: readonly [string, Signature][]): Map<string, Signature[]> {
  const groups = new Map<string, Signature[]>()
  for (const [name, signature] of list) groups.set(name, [...(groups.get(name) ?? []), signature])
  return groups
}
