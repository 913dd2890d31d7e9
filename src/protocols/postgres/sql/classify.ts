/**
 * Pure. One statement's tree to what was gathered from it: the table of semantics §1, one handler per kind.
 *
 * A kind of statement that has no handler here is administration; a kind of expression that nobody has read about
 * makes the statement opaque.
 */
import { administer, runsCode } from './admin-statements.ts'
import { CHANGES, change } from './changes.ts'
import { copy } from './copy-statement.ts'
import { expression } from './expressions.ts'
import { judgeCasts } from './functions.ts'
import { Gathered } from './gathered.ts'
import { each, isPart, type Part } from './nodes.ts'
import { query } from './queries.ts'
import { placeOf, writes } from './relations.ts'
import type { Trust } from './resolve.ts'
import { SCHEMA } from './schema-statements.ts'
import { nested, type Outputs, type Scope } from './scope.ts'
import { explainRuns, SESSION } from './session-statements.ts'
import { judgeCodeTypes } from './typed-code.ts'

export interface ClassifyOptions {
  readonly trust: Trust
  readonly identityParameter: string | undefined
}

/** `node`: the statement, as RawStmt holds it. */
export function classify(node: Part, options: ClassifyOptions): Gathered {
  const g = new Gathered(options.trust, {
    identityParameter: options.identityParameter,
    walkers: { query, statement },
  })
  statement(g, undefined, node)
  judgeCasts(g)
  judgeCodeTypes(g)
  attachedSettings(g, node)
  // What only concerns the session is a read.
  if (g.classes.size === 0) g.classes.add('read')
  return g
}

/** ALTER ROLE … SET, CREATE FUNCTION … SET and the like carry a SET inside. */
function attachedSettings(g: Gathered, node: Part): void {
  const wanted = g.identityParameter?.toLowerCase()
  if (wanted === undefined) return
  each(node, (key, inside) => {
    if ((key === 'VariableSetStmt' || key === 'setstmt') && isPart(inside))
      if (String(inside.name ?? '').toLowerCase() === wanted && !isReset(inside))
        g.refuse(`${wanted} is set by the gateway alone`)
    return true
  })
}

function isReset(set: Part): boolean {
  return set.kind === 'VAR_RESET' || set.kind === 'VAR_SET_DEFAULT'
}

function statement(g: Gathered, outer: Scope | undefined, node: Part): Outputs {
  const kind = Object.keys(node)[0] ?? ''
  const inside = isPart(node[kind]) ? node[kind] : {}
  if (kind === 'SelectStmt') return select(g, outer, inside)
  if (CHANGES.has(kind)) return change(g, outer, { kind, inside })
  const session = own(SESSION, kind)
  const schema = own(SCHEMA, kind)
  if (session !== undefined) session(g, inside)
  else if (schema !== undefined) schema(g, inside)
  else if (kind === 'CopyStmt') copy(g, inside)
  else if (kind === 'TruncateStmt') truncate(g, inside)
  else if (kind === 'ExplainStmt') explain(g, inside)
  else if (kind === 'PrepareStmt') body(g, inside, 'PREPARE')
  else if (kind === 'DeclareCursorStmt') body(g, inside, 'DECLARE CURSOR')
  else if (kind === 'DoStmt' || kind === 'CallStmt') runsCode(g, { kind, inside })
  else administer(g, { kind, inside })
  return undefined
}

function own<T>(table: Readonly<Record<string, T>>, kind: string): T | undefined {
  return Object.hasOwn(table, kind) ? table[kind] : undefined
}

/** A query that stands where a statement may: its tag counts, unless its INTO has given one. */
function select(g: Gathered, outer: Scope | undefined, inside: Part): Outputs {
  const makes = leftmost(inside).intoClause !== undefined
  const outputs = query(g, outer, inside)
  if (!makes) g.tag('SELECT')
  g.returnsRows = !makes
  return outputs
}

/** INTO of a set operation stands in its first branch. */
function leftmost(inside: Part): Part {
  return isPart(inside.larg) ? leftmost(inside.larg) : inside
}

function truncate(g: Gathered, inside: Part): void {
  g.tag('TRUNCATE TABLE')
  g.give('write', 'TRUNCATE is a write')
  const references = inside.behavior === 'DROP_CASCADE'
  for (const one of Array.isArray(inside.relations) ? inside.relations : [])
    if (isPart(one) && isPart(one.RangeVar))
      writes(g, placeOf(g, one.RangeVar), { bounded: false, cascades: references, references })
    else g.notUnderstood('A table of TRUNCATE could not be read.')
}

/** EXPLAIN without ANALYZE plans: functions may run, changes do not happen. */
function explain(g: Gathered, inside: Part): void {
  g.tag('EXPLAIN')
  g.give('read', 'EXPLAIN is a read')
  const plain = !explainRuns(inside)
  if (plain) g.dry++
  if (isPart(inside.query)) statement(g, undefined, inside.query)
  else g.notUnderstood('EXPLAIN holds no statement.')
  if (plain) g.dry--
  g.returnsRows = true
  g.effect.copy = undefined
}

/** PREPARE and DECLARE have the classes of what they hold. */
function body(g: Gathered, inside: Part, tag: string): void {
  g.tag(tag)
  expression(g, nested(undefined), inside.argtypes)
  if (isPart(inside.query)) statement(g, undefined, inside.query)
  else g.notUnderstood(`${tag} holds no statement.`)
  // Its $n are given by EXECUTE, not by the protocol.
  if (tag === 'PREPARE') g.parameters = 0
  g.returnsRows = false
}
