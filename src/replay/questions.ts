/**
 * Pure. Questions to the record that have a name: how they are written down (questions.sql), and how their blanks are filled.
 *
 * What comes out is text for `Store.audit`, which judges it like any other: a question that somebody has saved is as little
 * trusted as one that somebody types. Values are written as literals, and only outside of quotes and comments.
 */
import { parseDuration } from '../config/units.ts'

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** undefined: must be given. */
  readonly default: string | undefined
  readonly meaning: string
}

export interface AuditQuestion {
  /** 0: one that was saved here. */
  readonly number: number
  readonly name: string
  readonly asks: string
  readonly fields: readonly Field[]
  readonly sql: string
}

const TYPES = ['String', 'UInt64', 'DateTime64(6)'] as const
export type FieldType = (typeof TYPES)[number]

export type Filled = { readonly sql: string } | { readonly problems: readonly string[] }

/** Text in quotes and in comments, or a blank. */
const PARTS =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\/|\{([A-Za-z]\w*):([^{}]*)\}/g

/** A file of questions. Throws for one that is malformed: it is ours. */
export function parseQuestions(text: string): AuditQuestion[] {
  return text
    .split(/^--- /m)
    .filter((_, at) => at > 0)
    .map((part) => {
      const end = part.indexOf('\n')
      const found = /^(\d+)\. ([a-z][a-z-]*): (.+)$/.exec(part.substring(0, end))
      if (found === null) throw new Error(`not the head of a question: ${part.substring(0, end)}`)
      const read = readQuestion(part.substring(end + 1))
      if ('problems' in read) throw new Error(`question ${found[1]}: ${read.problems.join(', ')}`)
      return { number: Number(found[1]), name: found[2]!, asks: found[3]!, ...read }
    })
}

/** The SQL of a question, with lines `--: name = default, meaning` for its blanks; those without a line have no default. */
export function readQuestion(
  text: string,
): { readonly fields: readonly Field[]; readonly sql: string } | { readonly problems: string[] } {
  const told = new Map<string, { default: string | undefined; meaning: string }>()
  const lines = text.split('\n').filter((line) => {
    const found = /^--: (\w+)(?: = ([^,]*))?(?:, (.*))?$/.exec(line)
    if (found === null) return true
    told.set(found[1]!, { default: found[2], meaning: found[3] ?? '' })
    return false
  })
  const sql = lines.join('\n').trim()
  const fields = new Map<string, Field>()
  const problems: string[] = []
  for (const [, name, given] of sql.matchAll(PARTS)) {
    if (name === undefined) continue
    const type = TYPES.find((one) => one === given)
    if (type === undefined) problems.push(`{${name}: …} is of none of ${TYPES.join(', ')}`)
    else if ((fields.get(name)?.type ?? type) !== type) problems.push(`${name} has two types`)
    else {
      const { default: fallback, meaning } = told.get(name) ?? { default: undefined, meaning: '' }
      fields.set(name, { name, type, default: fallback, meaning })
    }
  }
  for (const name of told.keys())
    if (!fields.has(name)) problems.push(`${name} is described and not used`)
  return problems.length > 0 ? { problems } : { fields: [...fields.values()], sql }
}

/** `nowMs` is what a duration is counted back from. */
export function fillQuestion(
  { fields, sql }: Pick<AuditQuestion, 'fields' | 'sql'>,
  values: ReadonlyMap<string, string>,
  nowMs: number,
): Filled {
  const problems: string[] = []
  const literals = new Map<string, string>()
  for (const name of values.keys())
    if (!fields.some((field) => field.name === name)) problems.push(`it has no blank ${name}`)
  for (const { name, type, default: fallback } of fields) {
    const value = values.get(name) ?? fallback
    const literal = value === undefined ? undefined : literalOf(type, value, nowMs)
    if (value === undefined) problems.push(`${name} is missing`)
    else if (literal === undefined) problems.push(`${name}: expected ${EXPECTED[type]}`)
    else literals.set(name, literal)
  }
  if (problems.length > 0) return { problems }
  return {
    sql: sql.replace(PARTS, (whole, name?: string) =>
      name === undefined ? whole : literals.get(name)!,
    ),
  }
}

const EXPECTED: Readonly<Record<FieldType, string>> = {
  String: 'a text without zero bytes',
  UInt64: 'a whole number',
  'DateTime64(6)': 'a moment such as 2026-11-01 or 2026-11-01T12:00:00Z, or how long ago: 24h, 7d',
}

function literalOf(type: FieldType, value: string, nowMs: number): string | undefined {
  switch (type) {
    case 'String':
      return value.includes('\0') ? undefined : `'${value.replace(/[\\']/g, '\\$&')}'`
    case 'UInt64':
      return /^\d{1,19}$/.test(value) ? value : undefined
    case 'DateTime64(6)': {
      const ms = momentOf(value, nowMs)
      if (ms === undefined) return undefined
      return `toDateTime64('${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')}', 6, 'UTC')`
    }
    default:
      return type satisfies never
  }
}

const YEAR_2300_MS = 10_413_792_000_000

/** Milliseconds since 1970. A moment without a zone is in UTC. */
export function momentOf(text: string, nowMs: number): number | undefined {
  const ago = parseDuration(text)
  if (ago !== undefined) return Math.max(0, nowMs - ago)
  const form = /^\d{4}-\d\d-\d\d(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+-]\d\d:\d\d)?)?$/
  const found = form.exec(text)
  if (found === null) return undefined
  const [, time, zone] = found
  const ms = Date.parse(`${text.substring(0, 10)}T${time ?? '00:00'}${zone ?? 'Z'}`)
  return ms >= 0 && ms < YEAR_2300_MS ? ms : undefined
}
