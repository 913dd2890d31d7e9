/**
 * Pure. Statements that carry another one's rows: COPY … TO and FROM, and EXPLAIN, whose plans show estimates that the
 * statistics of masked columns decide.
 */
import { isPart, stringOf } from '../nodes.ts'
import type { CopyStmt, ExplainStmt, Node } from '../parse.ts'
import { rangeItem } from './relation-item.ts'
import { type Level, NO_OUTPUTS, type Outputs } from './scope.ts'
import type { Place, Walk } from './walk.ts'

export function copied(walk: Walk, part: CopyStmt, place: Place): Outputs {
  if (part.query !== undefined) return walk.statement(part.query, place, 'top')
  if (part.relation === undefined) return NO_OUTPUTS
  const item = rangeItem(part.relation, walk.world)
  const names = (part.attlist ?? []).map((one) => stringOf(one) ?? '')
  const level: Level = { items: [item], star: item.outputs, definite: true, parent: place.level }
  walk.decide(part.whereClause, { ...place, level })
  const list = item.outputs.list.filter(
    ({ name }) => names.length === 0 || names.includes(name ?? ''),
  )
  for (const { value } of list) {
    walk.note(value.marks)
    if (part.is_from === true) walk.opens.written(value, undefined)
  }
  // Which columns are sent stands in CopyForm.columns.
  return NO_OUTPUTS
}

export function explained(walk: Walk, part: ExplainStmt, place: Place): Outputs {
  const query = part.query
  if (query === undefined) return NO_OUTPUTS
  // What EXECUTE runs is not known here: it may name masked columns.
  const runs = 'ExecuteStmt' in query
  const { list, open } = walk.statement(query, place, 'top')
  for (const { value } of list) walk.output(value)
  if (open !== undefined) walk.output(open)
  if ((walk.touches || runs) && !(isOff(part, 'costs') && !has(part, 'serialize')))
    walk.refuse(
      'The plan of a statement that names masked columns shows estimates about their values.',
      'Use EXPLAIN (COSTS OFF).',
    )
  // What is logged of an update is what differs, between the columns that it names too.
  if (has(part, 'wal') && !isOff(part, 'wal') && hidesAny(walk))
    walk.refuse(
      'What a statement logs shows how much room the values of masked columns take.',
      'Leave WAL out.',
    )
  if ((walk.touches || runs) && !isAnalyzeOff(part))
    walk.refuse(
      'Running a statement under EXPLAIN shows how much room the values of masked columns take.',
      'Leave ANALYZE out: EXPLAIN (COSTS OFF).',
    )
  return NO_OUTPUTS
}

function hidesAny({ world }: Walk): boolean {
  for (const oid of world.maskedRelations()) {
    const columns = world.relation(oid)?.columns ?? []
    if (columns.some(({ number }) => world.mask(oid, number)?.monitor === false)) return true
  }
  return false
}

function isAnalyzeOff(part: ExplainStmt): boolean {
  return !has(part, 'analyze') || isOff(part, 'analyze')
}

function has(part: ExplainStmt, name: string): boolean {
  return (part.options ?? []).some((one) => 'DefElem' in one && one.DefElem.defname === name)
}

/** The last one of several counts for PostgreSQL; here all must agree. */
function isOff(part: ExplainStmt, name: string): boolean {
  const options = (part.options ?? []).flatMap((one) =>
    'DefElem' in one && one.DefElem.defname === name ? [one.DefElem.arg] : [],
  )
  return options.length > 0 && options.every(isFalse)
}

function isFalse(arg: Node | undefined): boolean {
  if (!isPart(arg)) return false
  if ('Integer' in arg) return (arg as { Integer: { ival?: number } }).Integer.ival === undefined
  if ('Boolean' in arg) return (arg as { Boolean: { boolval?: boolean } }).Boolean.boolval !== true
  return ['off', 'false'].includes(stringOf(arg)?.toLowerCase() ?? '')
}
