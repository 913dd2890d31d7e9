/**
 * Pure. The `masks:` section of a policy file becomes mask declarations: column patterns, detectors, and what is done
 * to a value.
 */
import {
  always,
  checked,
  choice,
  type Field,
  integer,
  list,
  oneOf,
  parsed,
  section,
  type Value,
  withSchema,
} from '../config/fields.ts'
import { didYouMean, NOT_YET } from '../config/problem.ts'
import { parseName } from '../config/units.ts'
import type { Detector } from '../mask/detectors/detector.ts'
import type {
  ColumnMaskDeclaration,
  DetectorMaskDeclaration,
  MaskDeclarations,
  ValueTransform,
} from '../mask/transform-spec.ts'
import { OWN_NAME } from './policy-detectors.ts'

type ColumnPattern = Pick<ColumnMaskDeclaration, 'pattern' | 'path'>

/** Bytes of a name after which PostgreSQL cuts; a longer one would protect nothing. */
const NAME_BYTES_MAX = 63
const WORDS = ['redact', 'null', 'hash', 'pseudonym'] as const
const KEEP_MAX = 1000
/** Keys of a path. */
const KEYS_MAX = 30

const partial = checked(
  section({
    keep_first: integer(0, KEEP_MAX).optional(),
    keep_last: integer(0, KEEP_MAX).optional(),
  }),
  ({ keep_first, keep_last }) =>
    (keep_first === undefined) === (keep_last === undefined)
      ? 'expected one of keep_first and keep_last'
      : undefined,
)

type With = (typeof WORDS)[number] | { fixed: string } | { partial: Value<typeof partial> }

const words = oneOf(WORDS)
const nothing = always('null', { type: 'null' })
const fixedForm = section({ fixed: parsed('text', (fixed) => fixed) })
const partialForm = section({ partial })

const transform = choice<With>(
  (value): Field<With> | string => {
    // `with: null` is YAML's null, and means what it looks like.
    if (value === null) return nothing
    if (typeof value === 'string') return words
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
    if (keys.includes('fixed')) return fixedForm
    if (keys.includes('partial')) return partialForm
    return `expected one of ${WORDS.join(', ')}, { partial: … } or { fixed: … }`
  },
  [words, nothing, fixedForm, partialForm],
)

const columnPattern = parsed(
  `schema.table.column, each a name, "a quoted name" or *, and for a part of JSON in it ->'key'`,
  parseColumnPattern,
)

const predicates = oneOf(['deny', 'allow'])

/** A set of names, or a map from them. */
export interface KnownNames {
  has(name: string): boolean
  keys(): Iterable<string>
}

/** `detect` takes the names in `knownDetectors`, those in `own`, and no other. */
export function maskForm(knownDetectors: KnownNames, own: readonly string[] = []) {
  const detector = parsed('the name of a detector', (name) => name)
  const known = withSchema(
    checked(detector, (name) =>
      knownDetectors.has(name) || own.includes(name)
        ? undefined
        : `there is no such detector${didYouMean(name, [...knownDetectors.keys(), ...own])}`,
    ),
    { anyOf: [{ enum: [...knownDetectors.keys()] }, { type: 'string', pattern: OWN_NAME }] },
  )
  const form = section({
    columns: list(columnPattern, { min: 1 }).optional(),
    detect: list(known, { min: 1 }).optional(),
    with: transform,
    domain: parsed('letters, digits, _ . -', parseName).optional(),
    in_predicates: choice(
      (value) => (value === 'approve' ? `in_predicates: approve ${NOT_YET}` : predicates),
      [predicates],
    ).optional(),
    derived: oneOf(['mask', 'deny']).optional(),
  })
  return checked(form, maskFault)
}

export type MaskForm = Value<ReturnType<typeof maskForm>>

/** Names what each declaration stems from: `policy/mask-1`, counted from 1. */
export function maskDeclarations(
  forms: readonly MaskForm[],
  policy: { name: string; monitor: boolean; own?: ReadonlyMap<string, Detector> },
): MaskDeclarations {
  const columns: ColumnMaskDeclaration[] = []
  const detectors: DetectorMaskDeclaration[] = []
  for (const [index, form] of forms.entries()) {
    const rule = `${policy.name}/mask-${index + 1}`
    const { monitor } = policy
    for (const pattern of form.columns ?? [])
      columns.push({
        ...pattern,
        with: transformOf(form),
        inPredicates: form.in_predicates ?? 'deny',
        derived: form.derived ?? 'mask',
        monitor,
        rule,
      })
    for (const detector of form.detect ?? []) {
      const custom = policy.own?.get(detector)
      const declared = { detector, with: transformOf(form), monitor, rule }
      detectors.push(custom === undefined ? declared : { ...declared, custom })
    }
  }
  return { columns, detectors }
}

function maskFault(form: {
  columns?: unknown
  detect?: unknown
  with: With
  domain?: unknown
  in_predicates?: unknown
  derived?: unknown
}): string | undefined {
  const isColumns = form.columns !== undefined
  if (isColumns === (form.detect !== undefined)) return 'expected either columns or detect'
  if (form.domain !== undefined && form.with !== 'pseudonym') return 'domain goes with pseudonym'
  if (isColumns) return undefined
  // A detector's hit is a part of a value, and its key has no column to belong to.
  if (form.with === 'pseudonym') return 'pseudonym is for columns; use hash or redact with detect'
  return form.in_predicates === undefined && form.derived === undefined
    ? undefined
    : 'in_predicates and derived are for columns'
}

/** An absent domain is '': each column is its own. */
function transformOf(form: { with: With; domain?: string | undefined }): ValueTransform {
  const how = form.with
  if (how === 'pseudonym') return { type: 'pseudonym', domain: form.domain ?? '' }
  if (typeof how === 'string') return { type: how }
  if ('fixed' in how) return { type: 'fixed', value: how.fixed }
  const { keep_first, keep_last } = how.partial
  return { type: 'partial', keepFirst: keep_first ?? 0, keepLast: keep_last ?? 0 }
}

/**
 * Names fold as PostgreSQL folds them: ASCII letters to lower case, unless quoted. Keys are written as SQL writes them,
 * `->'it''s'`, and do not fold.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function parseColumnPattern(text: string): ColumnPattern | undefined {
  const part = /(\*|"(?:[^"\0]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)(\.|$|(?=->))/y
  const parts: string[] = []
  let behind = '.'
  while (behind === '.') {
    const match = part.exec(text)
    if (match === null) return undefined
    const name = plainName(match[1]!)
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return undefined
    parts.push(name)
    behind = match[2]!
  }
  const [schema, table, column, more] = parts
  if (schema === undefined || table === undefined || column === undefined) return undefined
  if (more !== undefined) return undefined
  const pattern = [schema, table, column] as const
  if (part.lastIndex === text.length) return { pattern }
  const path = parsePath(text.substring(part.lastIndex))
  return path === undefined ? undefined : { pattern, path }
}

/** `->'a'->'b'`; undefined where it is anything else. */
function parsePath(text: string): string[] | undefined {
  if (!/^(?:->'(?:[^'\0]|'')*')+$/.test(text)) return undefined
  const keys = [...text.matchAll(/->'((?:[^'\0]|'')*)'/g)].map((one) =>
    one[1]!.replaceAll("''", "'"),
  )
  return keys.length <= KEYS_MAX ? keys : undefined
}

function plainName(part: string): string {
  if (part.startsWith('"')) return part.substring(1, part.length - 1).replaceAll('""', '"')
  return part.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
