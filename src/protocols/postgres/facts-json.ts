/**
 * Pure. Facts of a statement as they are recorded: all but text and values, which could hold what a mask hides.
 *
 * Texts that differ in their literals alone come by the thousand and have all other facts in common, the lists among
 * them the same objects (sql/template.ts): then what was made of the last one serves again. Whether it does is seen by
 * comparing all of them.
 */
import type { Action } from '../../decide/action.ts'
import type { SqlFacts } from '../../decide/facts/sql.ts'

type Told = Omit<SqlFacts, 'literals' | 'params'>

interface Kept {
  readonly classes: Action['classes']
  readonly isOpaque: boolean
  /** Without values: they may be large, and secret. */
  readonly told: Told
  readonly json: string
}

/** By a list that they have in common. */
const kept = new WeakMap<readonly string[], Kept>()

export function factsJson({ classes, opaque, findings, facts }: Action): string {
  const isOpaque = opaque !== undefined
  const known = findings === undefined ? kept.get(facts.sql!.columns) : undefined
  if (
    known !== undefined &&
    known.classes === classes &&
    known.isOpaque === isOpaque &&
    isSame(known.told, facts.sql!)
  )
    return known.json
  const { literals: _literals, params: _params, ...told } = facts.sql!
  const json = JSON.stringify({
    classes,
    opaque: isOpaque ? true : undefined,
    findings,
    sql: told,
  })
  if (findings === undefined) kept.set(told.columns, { classes, isOpaque, told, json })
  return json
}

/** Lists only where they are the same objects. */
function isSame(one: Told, other: Told): boolean {
  return (
    one.commands === other.commands &&
    one.tags === other.tags &&
    one.tables === other.tables &&
    one.tables_written === other.tables_written &&
    one.columns === other.columns &&
    one.functions === other.functions &&
    one.writes === other.writes &&
    one.bounded === other.bounded &&
    one.by_key === other.by_key &&
    one.has_where === other.has_where &&
    one.where_always_true === other.where_always_true &&
    one.statements === other.statements &&
    one.in_transaction === other.in_transaction &&
    one.copy === other.copy &&
    one.triggers === other.triggers
  )
}
