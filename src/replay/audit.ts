/**
 * Pure. Judges a text that somebody wants to run as an audit query. The text is hostile input:
 * `readonly=1` alone lets files, other tables and second statements through.
 *
 * Three steps, each run by the engine with the text as a value (replay/store.ts):
 *   1. `formatQuerySingleLine` makes one statement of it, without comments, or fails;
 *   2. `EXPLAIN AST` shows its tree, and `judge` allows it only if every node, function and
 *      table is on a list, and hands out the other names that stand where a table may: they are
 *      those of CTEs, aliases and columns, or of nothing;
 *   3. the engine says whether one of these is a table after all (`TABLES_QUESTION`): where a CTE
 *      ends, its name is the table's again;
 *   4. `SELECT * FROM (…) LIMIT n` runs it, read-only and limited.
 *
 * The tree does not print everything (`APPLY f` hides f), so the canonical text is scanned for
 * calls as well: both must agree. What is not on a list is refused.
 */
import { AGGREGATE_SUFFIXES, AUDIT_FUNCTIONS, AUDIT_TABLE_FUNCTIONS } from './audit-functions.ts'

/**
 * What may be read, and nothing else: neither sealed originals, holds, our own book-keeping and what stands behind the tables of
 * a cluster, nor what a later version or anybody else makes there.
 */
export const AUDIT_TABLES: ReadonlySet<string> = new Set([
  'events',
  'sessions',
  'requests',
  'chains',
  'chain_leaves',
  'chain_keys',
  'statements',
  'masked_access',
  'approvals',
  'refusals',
  'admin_actions',
  'job_timeline',
  'latency',
])

/** Which of `names` (a list of texts) are tables, views or dictionaries of `database`. */
export const TABLES_QUESTION =
  'SELECT name FROM system.tables WHERE database = {database:String} AND has({names:Array(String)}, name)'

/** Longest text of a query, in UTF-16 units. */
export const AUDIT_TEXT_MAX = 64 << 10
export const AUDIT_ROWS_MAX = 10_000

/** For the run itself; `readonly` makes the rest unchangeable. */
export const AUDIT_SETTINGS = {
  readonly: 1,
  max_execution_time: 10,
  timeout_overflow_mode: 'throw',
  max_memory_usage: 1_000_000_000,
  max_result_bytes: 64 << 20,
  result_overflow_mode: 'throw',
  max_threads: 2,
  max_subquery_depth: 20,
  max_temporary_data_on_disk_size_for_query: 1 << 30,
  allow_introspection_functions: 0,
  optimize_aggregation_in_order: 1,
  asterisk_include_alias_columns: 1,
} as const

/** A text that may run, once it is known that none of `names` is a table. */
export interface Judged {
  readonly formatted: string
  readonly names: readonly string[]
}

export type AuditStatement = { readonly sql: string } | { readonly say: string }

/** `tables`: what the engine answered to `TABLES_QUESTION` for its names. */
export function auditStatement(
  { formatted, names }: Judged,
  tables: ReadonlySet<string>,
  rowsMax: number,
): AuditStatement {
  const hidden = names.find((name) => tables.has(name))
  if (hidden !== undefined) return { say: noTable(hidden) }
  return { sql: `SELECT * FROM (${formatted}\n) LIMIT ${Math.floor(rowsMax)}` }
}

interface Node {
  readonly type: string
  /** What follows the type, without alias and number of children. */
  readonly name: string
  readonly hasAlias: boolean
  readonly children: Node[]
}

const NODES: ReadonlySet<string> = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'WithElement',
  'Subquery',
  'Identifier',
  'Literal',
  'Function',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableIdentifier',
  'TableJoin',
  'ArrayJoin',
  'OrderByElement',
  'InterpolateElement',
  'SampleRatio',
  'Asterisk',
  'QualifiedAsterisk',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'ColumnsRegexpMatcher',
  'ColumnsListMatcher',
  'WindowDefinition',
  'WindowListElement',
])

/** A sentence that says what is in the way, or what may run. */
export function judge(ast: string, formatted: string, database: string): string | Judged {
  const root = parseTree(ast)
  if (typeof root === 'string') return root
  if (root.type !== 'SelectWithUnionQuery') return `Only SELECT can be run here, not ${root.type}.`
  const names = new Set<string>()
  const reason = judgeNode(root, '', { database, names }) ?? judgeText(formatted)
  return reason ?? { formatted, names: [...names] }
}

interface Place {
  readonly database: string
  /** Where a table may stand, and none that may be read does. */
  readonly names: Set<string>
}

/** The tree that `EXPLAIN AST` prints: one node a line, one space of indentation a level. */
function parseTree(text: string): Node | string {
  const path: Node[] = []
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    const depth = line.length - line.trimStart().length
    const found = /^ *(\S+) ?(.*)$/.exec(line)
    if (found === null || depth > path.length || (depth === 0 && path.length > 0)) {
      return 'The query has a part that cannot be read here.'
    }
    const whole = found[2]!.replace(/ ?\(children \d+\)$/, '')
    const name = whole.replace(/ ?\(alias .*\)$/, '')
    const node: Node = { type: found[1]!, name, hasAlias: name !== whole, children: [] }
    path.length = depth
    path.at(-1)?.children.push(node)
    path.push(node)
  }
  return path[0] ?? 'The query is empty.'
}

function judgeNode(node: Node, parent: string, place: Place): string | undefined {
  const reason = judgeOne(node, parent, place)
  if (reason !== undefined) return reason
  for (const child of node.children) {
    const found = judgeNode(child, node.type, place)
    if (found !== undefined) return found
  }
  return undefined
}

function judgeOne(node: Node, parent: string, place: Place): string | undefined {
  if (!NODES.has(node.type)) return `${SAY[node.type] ?? node.type} cannot be used here.`
  switch (node.type) {
    case 'SelectWithUnionQuery':
      // INTO OUTFILE, FORMAT and SETTINGS stand beside the list of SELECTs.
      if (node.children.length === 1 && node.children[0]?.type === 'ExpressionList')
        return undefined
      return 'INTO OUTFILE, FORMAT and SETTINGS cannot be used here.'
    case 'TableIdentifier':
      return judgeTable(node.name, place)
    case 'Identifier':
      return node.hasAlias ? judgeAliased(node.name, place) : undefined
    case 'Function':
      return judgeFunction(node, parent, place)
    default:
      return undefined
  }
}

const SAY: Readonly<Record<string, string>> = {
  Set: 'SETTINGS',
  ColumnsApplyTransformer: 'APPLY',
  Explain: 'EXPLAIN',
  QueryParameter: 'A parameter',
}

function judgeTable(name: string, { database, names }: Place): string | undefined {
  const parts = /^(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)$/.exec(name)
  const [, place, table] = parts ?? []
  if (table === undefined || (place !== undefined && place !== database)) return noTable(name)
  if (AUDIT_TABLES.has(table)) return undefined
  if (place !== undefined) return noTable(name)
  names.add(table)
  return undefined
}

/** `WITH name AS other SELECT x IN other`: the table is read behind another name, even behind one that may be read. */
function judgeAliased(name: string, place: Place): string | undefined {
  // Quotes would end the text in which the engine is asked for it.
  if (/['\\\p{Cc}]/u.test(name)) return `The name ${name} cannot have another one here.`
  const [first, ...rest] = name.split('.')
  const isElsewhere = first === place.database || /^(system|information_schema)$/i.test(first!)
  if (rest.length === 1 && isElsewhere) return judgeTable(name, place)
  if (!AUDIT_TABLES.has(name)) place.names.add(name)
  return undefined
}

function noTable(name: string): string {
  return `There is no table ${name} here; there are ${[...AUDIT_TABLES].join(', ')}.`
}

function judgeFunction(node: Node, parent: string, place: Place): string | undefined {
  const name = node.name.toLowerCase()
  if (parent === 'TableExpression') {
    if (AUDIT_TABLE_FUNCTIONS.has(name)) return undefined
    return `The table function ${node.name} cannot be used here.`
  }
  if (!isAllowedFunction(name)) return `The function ${node.name} cannot be used here.`
  // `x IN name`: the name may be that of a table.
  if (!/^(global)?(not)?(null)?in$/.test(name)) return undefined
  const right = node.children[0]?.children[1]
  return right?.type === 'Identifier' ? judgeTable(right.name, place) : undefined
}

function isAllowedFunction(name: string): boolean {
  if (AUDIT_FUNCTIONS.has(name)) return true
  return AGGREGATE_SUFFIXES.some(
    (suffix) =>
      name.endsWith(suffix) && isAllowedFunction(name.substring(0, name.length - suffix.length)),
  )
}

/** Words that may stand before a parenthesis without being called. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'select from where prewhere having qualify with as materialized in not and or on using join ' +
    'by group order limit offset union all distinct intersect except replace over partition between ' +
    'like ilike is columns sets rollup cube interpolate fill to step window values any array'
  ).split(' '),
)

const TOKEN = /'(?:[^'\\]|\\[\s\S]|'')*'|(["`])((?:(?!\1)[^\\]|\\[\s\S])*)\1|([A-Za-z_]\w*)/g
const BANNED: ReadonlySet<string> = new Set(['apply', 'settings', 'outfile', 'infile'])

/** The same question asked of the canonical text: every name before a parenthesis must be known. */
function judgeText(formatted: string): string | undefined {
  for (const found of formatted.matchAll(TOKEN)) {
    const [whole, , quoted, plain] = found
    const name = (quoted ?? plain)?.toLowerCase()
    if (name === undefined) continue
    if (plain !== undefined && BANNED.has(name))
      return `${plain.toUpperCase()} cannot be used here.`
    if (
      !/^\s*\(/.test(
        formatted.substring(found.index + whole.length, found.index + whole.length + 8),
      )
    )
      continue
    if (plain !== undefined && KEYWORDS.has(name)) continue
    if (isAllowedFunction(name) || AUDIT_TABLE_FUNCTIONS.has(name)) continue
    return `The function ${name} cannot be used here.`
  }
  return undefined
}
