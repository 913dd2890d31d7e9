/**
 * Pure once the parser is loaded. DDL, as a person or `pg_dump --schema-only` writes it, becomes the catalogue that
 * statements are judged by where there is no target: `schema:` in policy files, `--schema` of the command line.
 *
 * Reads tables with their keys, partitions and foreign keys, views, functions, types, indexes and triggers. What only
 * says who owns something is passed over; everything else is a problem, because a half-known catalogue would be
 * believed. The same names mean the same as in a target: statements are resolved by the same code.
 */
import type { Names } from '../protocols/postgres/sql/analysis.ts'
import { NO_TARGET } from '../protocols/postgres/sql/no-target.ts'
import type { Part } from '../protocols/postgres/sql/nodes.ts'
import { type Node, parse } from '../protocols/postgres/sql/parse.ts'
import { SchemaDraft } from './schema-draft.ts'

export interface SchemaProblem {
  readonly message: string
  /** Bytes into the UTF-8 text. */
  readonly offset: number
}

export interface SchemaCatalogue {
  readonly names: Names
  readonly problems: readonly SchemaProblem[]
  /** `schema.table.column` in pairs that a foreign key makes equal. */
  readonly links: readonly (readonly [from: string, to: string])[]
}

/** Statements of a dump that say nothing about what statements mean. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'VariableSetStmt',
  'CommentStmt',
  'GrantStmt',
  'AlterOwnerStmt',
  'AlterDefaultPrivilegesStmt',
  'CreateSchemaStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'CreateStatsStmt',
  'AlterObjectDependsStmt',
  'TransactionStmt',
  // Rows are no schema.
  'InsertStmt',
])

/** `text` '' is no schema: names mean what they mean without a target. */
export function readSchema(text: string): SchemaCatalogue {
  if (text.trim() === '') return { names: NO_TARGET, problems: [], links: [] }
  const parsed = parse(text)
  if (!('statements' in parsed)) {
    const before = text.substring(0, Math.max(0, (parsed.position ?? 1) - 1))
    return {
      names: NO_TARGET,
      problems: [{ message: parsed.reason, offset: Buffer.byteLength(before) }],
      links: [],
    }
  }
  const draft = new SchemaDraft()
  const problems: SchemaProblem[] = []
  const bytes = Buffer.from(text)
  for (const { stmt, stmt_location } of parsed.statements) {
    if (stmt === undefined) continue
    const message = read(draft, stmt)
    if (message !== undefined)
      problems.push({ message, offset: afterBlanks(bytes, stmt_location ?? 0) })
  }
  return { names: draft.names(), problems, links: draft.links }
}

/** What is wrong with it, or undefined. */
function read(draft: SchemaDraft, stmt: Node): string | undefined {
  try {
    return readStatement(draft, stmt)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return error.message.startsWith('it ') ? error.message : 'this is nested too deeply to be read'
  }
}

function readStatement(draft: SchemaDraft, stmt: Node): string | undefined {
  const [kind, inside] = Object.entries(stmt)[0] as [string, Part]
  switch (kind) {
    case 'CreateStmt':
      return draft.table(inside)
    case 'ViewStmt':
      return draft.view(inside)
    case 'CreateTableAsStmt':
      return draft.materialized(inside)
    case 'IndexStmt':
      return draft.index(inside)
    case 'CreateTrigStmt':
      return draft.trigger(inside)
    case 'CreateFunctionStmt':
      return draft.routine(inside)
    case 'CreateEnumStmt':
      return draft.type(inside.typeName, 'e')
    case 'CreateDomainStmt':
      return draft.domain(inside)
    case 'CompositeTypeStmt':
      return draft.composite(inside)
    case 'DefineStmt':
      return draft.define(inside)
    case 'RuleStmt':
      return draft.rule(inside)
    case 'AlterTableStmt':
      return draft.alter(inside)
    case 'SelectStmt':
      // pg_dump sets the search_path so; every other query has no place in a schema.
      return JSON.stringify(inside).includes('"set_config"') ? undefined : 'SELECT is not read here'
    default:
      return PASSED_OVER.has(kind)
        ? undefined
        : `${words(kind)} is not read here; leave it out, or say what it makes as CREATE TABLE, VIEW, FUNCTION, TYPE, INDEX or TRIGGER`
  }
}

/** `CreateExtensionStmt` → `CREATE EXTENSION`. */
function words(kind: string): string {
  return kind
    .replace(/Stmt$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase()
}

/** A statement's place begins behind the semicolon of the one before, and may begin with comments. */
function afterBlanks(bytes: Buffer, start: number): number {
  const text = bytes.toString('utf8', start)
  const blank = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*/.exec(text)?.[0] ?? ''
  return start + Buffer.byteLength(blank)
}
