/**
 * Pure. EXECUTE, FETCH and MOVE take the facts of what they name (semantics §1); a name that was not seen made is
 * opaque.
 */
import { CLASSES } from '../../decide/action.ts'
import type { Statement } from './sql/analysis.ts'
import { AFTER_CHANGE, opaqueStatement } from './sql/opaque-statement.ts'

export type FindNamed = (
  kind: 'prepared' | 'cursor',
  name: string,
) => Statement | undefined | 'wait'

/** The statement with the classes, facts and mask finding of what it runs added to its own. */
export function withNamed(statement: Statement, find: FindNamed): Statement | 'wait' {
  const { runs } = statement.effect
  if (runs === undefined) return statement
  const body = find(runs.kind, runs.name)
  if (body === 'wait') return 'wait'
  // One prepared statement cannot hold an EXECUTE of another: PostgreSQL's grammar does not allow it.
  if (body === undefined || body.effect.runs !== undefined) {
    const reason = `${runs.kind === 'prepared' ? 'prepared statement' : 'cursor'} that was not seen made`
    const opaque = opaqueStatement('', { reason, position: undefined })
    return body === undefined ? { ...opaque, unseen: runs } : opaque
  }
  return merged(statement, body)
}

/** As `FindNamed`; `local`: what this message has made so far, by kind and name. */
export type FindIn = (
  kind: 'prepared' | 'cursor',
  name: string,
  local: ReadonlyMap<string, Statement>,
) => Statement | undefined | 'wait'

/**
 * All statements of a message, each with what it runs. What one of them runs may change what names mean to those behind
 * it, which are opaque then: analysis, that reads the text alone, could not know.
 */
export function allNamed(
  statements: readonly Statement[],
  find: FindIn,
): readonly Statement[] | 'wait' {
  const all: Statement[] = []
  const local = new Map<string, Statement>()
  let isMoved = false
  for (const one of statements) {
    const named = withNamed(one, (kind, name) => find(kind, name, local))
    if (named === 'wait') return 'wait'
    const statement: Statement = isMoved && one.nameless !== true ? behindChange(named) : named
    const { prepares, declares, dirties } = statement.effect
    if (prepares !== undefined) local.set(`prepared ${prepares.name}`, prepares.body)
    if (declares !== undefined) local.set(`cursor ${declares.name}`, declares.body)
    isMoved ||= dirties && one.effect.runs !== undefined
    all.push(statement)
  }
  return all
}

function behindChange(statement: Statement): Statement {
  if (statement.opaque !== undefined) return statement
  return {
    ...statement,
    classes: CLASSES.filter((one) => one === 'opaque' || statement.classes.includes(one)),
    opaque: { reason: AFTER_CHANGE, position: undefined },
    reasons: [...statement.reasons, AFTER_CHANGE],
  }
}

function merged(statement: Statement, body: Statement): Statement {
  const classes = CLASSES.filter(
    (one) => statement.classes.includes(one) || body.classes.includes(one),
  )
  const join = (one: readonly string[], other: readonly string[]) => [
    ...new Set([...one, ...other]),
  ]
  const { facts } = statement
  return {
    ...body,
    start: statement.start,
    end: statement.end,
    classes,
    opaque: statement.opaque ?? body.opaque,
    refused: statement.refused ?? body.refused,
    reasons: [...statement.reasons, ...body.reasons],
    verb: statement.verb,
    objects: join(statement.objects, body.objects),
    facts: {
      ...body.facts,
      commands: join(facts.commands, body.facts.commands),
      tags: join(facts.tags, body.facts.tags),
      // CREATE TABLE … AS EXECUTE names a table of its own.
      tables: join(facts.tables, body.facts.tables),
      tables_written: join(facts.tables_written, body.facts.tables_written),
      columns: join(facts.columns, body.facts.columns),
      functions: join(facts.functions, body.facts.functions),
      literals: [...facts.literals, ...body.facts.literals],
      writes: facts.writes || body.facts.writes,
      bounded: facts.bounded && body.facts.bounded,
    },
    returnsRows: true,
    effect: {
      ...statement.effect,
      dirties: statement.effect.dirties || body.effect.dirties,
      dirtiesAtEnd: statement.effect.dirtiesAtEnd || body.effect.dirtiesAtEnd,
      changesCatalogue: statement.effect.changesCatalogue || body.effect.changesCatalogue,
    },
    // A refusal for what the arguments of EXECUTE name stands beside that of the body.
    mask: statement.mask.refusal === undefined ? body.mask : statement.mask,
  }
}
