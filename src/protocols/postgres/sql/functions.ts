/**
 * Pure. What calling a function, applying an operator or casting to a type does to an action's classes.
 *
 * Overloads are not told apart: a name does all that any of its candidates does (semantics §1, "Built in").
 */
import { FIRST_USER_OID, type Relation, type Routine } from './catalogue.ts'
import {
  ADMINISTRATIVE,
  FILE_VIEWS,
  HARMLESS_VOLATILE,
  LARGE_OBJECTS,
  LOCKS_AND_MESSAGES,
  RUN_TEXT,
} from './function-lists.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import type { Node } from './parse.ts'
import {
  functionMeaning,
  operatorIsHarmless,
  plainSchema,
  routineIsHarmless,
  typeIsHarmless,
  typeOf,
} from './resolve.ts'
import { unifies, viewRunsTypes } from './typed-code.ts'

/** A function as the text names it. */
export interface Call {
  readonly schema: string | undefined
  readonly name: string
  /** Number of arguments; undefined when unknown. */
  readonly count: number | undefined
}

/** Schema and name of a dotted name; a database in front is dropped, as PostgreSQL allows only the current one. */
export function splitName(parts: readonly string[]): {
  schema: string | undefined
  name: string
} {
  return { schema: parts.at(-2), name: parts.at(-1) ?? '' }
}

export function judgeCall(g: Gathered, call: Call): void {
  const { schema, name } = call
  if (schema === undefined) g.unqualified()
  const meaning = functionMeaning(g.trust, schema, name)
  if (meaning.unknown && castByCall(g, call)) return
  if (unifies(name)) g.unifies = true
  g.functions.add(meaning.name)
  for (const one of meaning.foreign) {
    const rights = meaning.asOwner.includes(one) ? ", which runs with its owner's rights" : ''
    g.run('execute', `${one} is a function that the gateway cannot see into${rights}`)
  }
  if (meaning.unknown) g.run('execute', `${name} is a function that the gateway does not know`)
  if (meaning.builtIn) judgeBuiltIn(g, name, call.count)
}

/** `f(x)` where f is no function but a type: a cast. */
function castByCall(g: Gathered, call: Call): boolean {
  if (call.count !== 1) return false
  const type = typeOf(g.trust.names, call.schema, call.name)
  if (type === undefined) return false
  judgeType(g, call.schema, call.name)
  return true
}

/** `t.f` and `(x).f`, which are `f(t)` and `f(x)` when f is no column. Most names are columns: unknown is fine. */
export function judgeAttribute(g: Gathered, name: string): void {
  const meaning = functionMeaning(g.trust, undefined, name)
  for (const one of meaning.foreign) {
    g.functions.add(one)
    g.run('execute', `${one} may be called in attribute notation`)
  }
  if (meaning.builtIn) judgeBuiltIn(g, name, 1)
}

export function judgeBuiltIn(g: Gathered, name: string, count: number | undefined): void {
  const { catalogue } = g.trust.names
  if (name === 'nextval') {
    g.run('write', 'nextval is a write')
    g.writes = true
  } else if (name === 'setval') {
    g.run('write', 'setval is a write')
    changes(g)
  } else if (LARGE_OBJECTS.has(name)) {
    g.run('write', `${name} reaches large objects`)
    changes(g)
  } else if (LOCKS_AND_MESSAGES.has(name)) {
    g.run('write', `${name} is a write`)
  }
  if (RUN_TEXT.has(name) || (name === 'ts_rewrite' && count === 2))
    g.run('execute', `${name} runs what it is given as text`)
  if (ADMINISTRATIVE.has(name) || name.startsWith('binary_upgrade_')) {
    g.run('admin', `${name} administers the server`)
    changes(g)
  } else if (catalogue.builtInVolatile(name) && !isListed(name)) {
    g.run('admin', `${name} is not on a list of functions known to be harmless`)
    changes(g)
  }
}

function changes(g: Gathered): void {
  g.writes = true
  g.unbounded = true
}

function isListed(name: string): boolean {
  return (
    HARMLESS_VOLATILE.has(name) ||
    LOCKS_AND_MESSAGES.has(name) ||
    LARGE_OBJECTS.has(name) ||
    RUN_TEXT.has(name) ||
    name === 'nextval' ||
    name === 'setval' ||
    name === 'set_config'
  )
}

/** `parts`: a dotted operator name such as `pg_catalog.=`. */
export function judgeOperator(g: Gathered, parts: readonly string[]): void {
  const { schema, name } = splitName(parts)
  if (schema === undefined) g.unqualified()
  if (!operatorIsHarmless(g.trust, schema, name))
    g.run('execute', `operator ${name} is not built in`)
}

/** A TypeName's inside. */
export function judgeTypeName(g: Gathered, typeName: unknown): void {
  if (!isPart(typeName)) return
  const parts = dotted(typeName.names as Node[] | undefined)
  if (parts === undefined) {
    g.notUnderstood('A type name could not be read.')
    return
  }
  const { schema, name } = splitName(parts)
  judgeType(g, schema, name)
  // Before PostgreSQL 17 `json` was an ordinary name; the grammar here qualifies it.
  if (schema === 'pg_catalog' && name === 'json' && g.trust.names.catalogue.serverVersion < 170000)
    judgeType(g, undefined, name)
}

export function judgeType(g: Gathered, schema: string | undefined, name: string): void {
  if (schema === undefined) g.unqualified()
  const { names } = g.trust
  const type = typeOf(names, schema, name)
  if (type === 'built-in') return
  if (type === undefined) {
    const whole = schema === undefined ? name : `${plainSchema(names, schema)}.${name}`
    g.run('execute', `${whole} is a type that the gateway does not know`)
    return
  }
  g.typeOids.add(type.oid)
  if (!typeIsHarmless(g.trust, type))
    g.run('execute', `${type.schema}.${type.name} is a type whose values run code`)
}

/** Functions that reading a view calls, its own views included. */
export function judgeView(g: Gathered, view: Relation, seen = new Set<number>()): void {
  const whole = `${view.schema}.${view.name}`
  if (FILE_VIEWS.has(whole)) g.run('admin', `${whole} shows files of the server`)
  if (view.kind !== 'v' || seen.has(view.oid)) return
  seen.add(view.oid)
  if (viewRunsTypes(g.trust, view))
    g.run('execute', `${whole} casts to a type whose values run code`)
  if (writesJson(g, view)) g.run('execute', `${whole} makes JSON, by a cast that is not built in`)
  const { catalogue } = g.trust.names
  for (const oid of view.calls) {
    const routine = catalogue.routine(oid)
    if (routine === undefined)
      g.run(
        'execute',
        `${view.schema}.${view.name} calls a function that the gateway does not know`,
      )
    else judgeRoutine(g, routine, view)
  }
  for (const { relation } of view.reads) {
    const inner = catalogue.relation(relation)
    if (inner !== undefined) judgeView(g, inner, seen)
  }
}

const JSON_TYPES: ReadonlySet<number> = new Set([114, 3802])

/**
 * `to_json` and its like run a cast to json of users' making for values of a type of theirs, which stands in no name: any
 * view that makes JSON where there is such a cast.
 */
function writesJson(g: Gathered, view: Relation): boolean {
  // Those of initdb, whose trees are not kept, make none of users' types.
  if (view.oid < FIRST_USER_OID) return false
  const { catalogue } = g.trust.names
  const isForeign = catalogue.casts.some(({ target, routine: oid }) => {
    if (oid < FIRST_USER_OID || !JSON_TYPES.has(target)) return false
    const routine = catalogue.routine(oid)
    return routine === undefined || !routineIsHarmless(g.trust, routine)
  })
  if (!isForeign) return false
  const calls = view.calls.some((oid) => catalogue.routine(oid)?.name.includes('json') !== false)
  return calls || view.tree === undefined || view.tree.includes('JSON')
}

function judgeRoutine(g: Gathered, routine: Routine, view: Relation): void {
  if (routine.oid >= FIRST_USER_OID) {
    if (routineIsHarmless(g.trust, routine)) return
    const name = `${routine.schema}.${routine.name}`
    g.functions.add(name)
    g.run('execute', `view ${view.schema}.${view.name} calls ${name}`)
    return
  }
  if (routine.name === 'set_config') {
    g.run('admin', `view ${view.schema}.${view.name} calls set_config`)
    g.effect.dirties = true
    g.effect.dirtiesAtEnd = true
  }
  judgeBuiltIn(g, routine.name, undefined)
}

/** Casts of users' making that run code and could apply to what the statement names. */
export function judgeCasts(g: Gathered): void {
  const { catalogue } = g.trust.names
  for (const cast of catalogue.casts) {
    if (cast.routine < FIRST_USER_OID) continue
    const routine = catalogue.routine(cast.routine)
    if (routine !== undefined && routineIsHarmless(g.trust, routine)) continue
    if (couldApply(g, cast.source, cast.target))
      g.run('execute', 'a cast that is not built in could apply')
  }
}

/** Without types of expressions: a cast could apply where a type of either side may turn up. */
function couldApply(g: Gathered, source: number, target: number): boolean {
  const own = [source, target].filter((oid) => oid >= FIRST_USER_OID)
  if (own.length === 0 || g.parameters > 0) return true
  for (const oid of own) if (g.typeOids.has(oid)) return true
  for (const oid of g.relationOids)
    for (const column of g.trust.names.catalogue.relation(oid)?.columns ?? [])
      if (own.includes(column.typeOid)) return true
  return false
}

/** Arguments of a FuncCall. */
export function argumentsOf(call: Part): readonly unknown[] {
  return Array.isArray(call.args) ? call.args : []
}
