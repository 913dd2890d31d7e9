/**
 * Pure. A message's text to what each of its statements would do: parse, classify, bounds, masks.
 *
 * Total and deterministic: whatever goes wrong on the way makes the text opaque. The parser must be loaded.
 */
import { type ActionClass, CLASSES, type OpaqueReason } from '../../../decide/action.ts'
import type { AnalyseOptions, Analysis, Effect, Statement } from './analysis.ts'
import { boundsOf } from './bounded.ts'
import { classify } from './classify.ts'
import type { Gathered } from './gathered.ts'
import { readOtherwise } from './grammar.ts'
import { maskFinding } from './masked.ts'
import { isPart, type Part } from './nodes.ts'
import { AFTER_CHANGE } from './opaque-statement.ts'
import { type Node, type Parsed, parse, type RawStmt } from './parse.ts'
import { relationOf } from './resolve.ts'

export function analyse(text: string, options: AnalyseOptions): Analysis {
  return analyseParsed(text, parse(text), options)
}

/** As `analyse`, of a text that was parsed elsewhere (parse-pool.ts). */
export function analyseParsed(
  text: string,
  parsed: Parsed | OpaqueReason,
  options: AnalyseOptions,
): Analysis {
  const reason = unreadable(text, options)
  if (reason !== undefined) return opaque({ reason, position: undefined })
  if ('reason' in parsed) return opaque(parsed)
  try {
    return { statements: all(parsed.statements, text, options), opaque: undefined }
  } catch (error) {
    // The walk follows the tree's depth; the parser's own stack is deeper than ours.
    if (error instanceof RangeError)
      return opaque({ reason: 'The text is nested too deeply.', position: undefined })
    throw error
  }
}

/** What gateway and target might not read as the same characters (semantics §1, "The same bytes"). */
function unreadable(text: string, options: AnalyseOptions): string | undefined {
  const { names } = options
  if (!names.standardConformingStrings) return 'standard_conforming_strings is off.'
  if (names.encoding !== 'utf8' && /[^\x00-\x7f]/.test(text))
    return 'The text holds bytes that the target may read in another encoding.'
  // Names that are the same in UTF-8, cut to 63 bytes, may be two at the target.
  if (names.encoding !== 'utf8' && /u&["']/i.test(text))
    return 'The text holds characters by number, which the target may read in another encoding.'
  return undefined
}

function opaque(reason: OpaqueReason): Analysis {
  return { statements: [], opaque: reason }
}

function all(raw: readonly RawStmt[], text: string, options: AnalyseOptions): Statement[] {
  const bytes = Buffer.from(text)
  const statements: Statement[] = []
  let dirty = false
  for (const one of raw) {
    const start = one.stmt_location ?? 0
    const end = one.stmt_len === undefined ? bytes.length : start + one.stmt_len
    const node = one.stmt ?? ({ Unknown: {} } as unknown as Node)
    const statement = judge(node, { start, end, bytes, options, dirty })
    statements.push(statement)
    dirty ||= statement.effect.dirties || statement.effect.transaction === 'commit'
  }
  return statements
}

/** Statements that mean the same whatever names mean. */
const NAMELESS = new Set([
  'TransactionStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'DeallocateStmt',
  'ClosePortalStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
  'DiscardStmt',
])

function usesNames(node: Node): boolean {
  return !NAMELESS.has(Object.keys(node)[0] ?? '')
}

interface Setting {
  readonly start: number
  readonly end: number
  readonly bytes: Buffer
  readonly options: AnalyseOptions
  /** A statement before it may have changed what names mean; after COMMIT as well: what SET LOCAL had set is back. */
  readonly dirty: boolean
}

function judge(node: Node, at: Setting): Statement {
  const { options } = at
  const g = classify(node as unknown as Part, {
    trust: { names: options.names, functionsRead: options.functionsRead },
    identityParameter: options.identityParameter,
  })
  if (at.dirty && usesNames(node)) g.notUnderstood(AFTER_CHANGE)
  const version = options.names.catalogue.serverVersion
  const otherwise = readOtherwise(node, { version, bytes: at.bytes })
  if (otherwise !== undefined) g.notUnderstood(otherwise)
  const resolve = (schema: string | undefined, name: string) =>
    relationOf(options.names, schema, name)
  const bounds = boundsOf(node, resolve)
  const classes = inOrder(g.classes)
  const commands = [...g.tags].map(firstWord)
  return {
    start: at.start,
    end: at.end,
    classes,
    opaque: g.opaque,
    refused: g.refused,
    reasons: [...g.reasons],
    facts: {
      commands: [...new Set(commands)],
      tags: [...g.tags],
      tables: [...g.tables],
      tables_written: [...g.tablesWritten],
      columns: [...g.columns],
      functions: [...g.functions],
      writes: g.writes,
      bounded: bounds.bounded && !g.unbounded,
      by_key: bounds.byKey && !g.unbounded,
      has_where: bounds.hasWhere,
      where_always_true: bounds.whereAlwaysTrue,
      literals: [...g.literals],
      statements: 1,
      in_transaction: false,
      copy: g.copy,
      params: [],
      triggers: [...g.triggers],
    },
    verb: verbOf(node, commands),
    objects: [...new Set([...g.objects, ...g.functions])],
    returnsRows: g.returnsRows,
    effect: effectOf(node, g, at),
    mask: maskFinding(node, options, classes),
    parameters: g.parameters,
    nameless: !usesNames(node),
  }
}

function firstWord(tag: string): string {
  const blank = tag.indexOf(' ')
  return blank < 0 ? tag : tag.substring(0, blank)
}

/** The statement's own command, not that of a CTE before it. */
function verbOf(node: Node, commands: readonly string[]): string {
  const own = VERBS.get(Object.keys(node)[0] ?? '')
  return own ?? commands[0] ?? 'UNKNOWN'
}

const VERBS: ReadonlyMap<string, string> = new Map([
  ['InsertStmt', 'INSERT'],
  ['UpdateStmt', 'UPDATE'],
  ['DeleteStmt', 'DELETE'],
  ['MergeStmt', 'MERGE'],
  ['SelectStmt', 'SELECT'],
])

/** PREPARE and DECLARE carry the analysis of what they hold, for whoever runs it later. */
function effectOf(node: Node, g: Gathered, at: Setting): Effect {
  const inner = innerOf(node)
  if (inner === undefined) return g.effect
  const body = judge(inner.body, at)
  const { name } = inner
  const held = { ...g.effect, runs: undefined, copy: undefined }
  return inner.kind === 'prepared'
    ? { ...held, prepares: { name, body } }
    : { ...held, declares: { name, body } }
}

function innerOf(
  node: Node,
): { kind: 'prepared' | 'cursor'; name: string; body: Node } | undefined {
  if ('PrepareStmt' in node && isPart(node.PrepareStmt.query))
    return { kind: 'prepared', name: node.PrepareStmt.name ?? '', body: node.PrepareStmt.query }
  if ('DeclareCursorStmt' in node && isPart(node.DeclareCursorStmt.query)) {
    const { portalname, query } = node.DeclareCursorStmt
    return { kind: 'cursor', name: portalname ?? '', body: query }
  }
  return undefined
}

/** In rising order, as contracts list them. */
function inOrder(classes: ReadonlySet<ActionClass>): ActionClass[] {
  return CLASSES.filter((one) => classes.has(one))
}
