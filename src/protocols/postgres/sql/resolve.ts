/**
 * Pure. What a name in a text means to one session: the rules by which PostgreSQL searches schemas, over the
 * session's `Names`. Overloads are not told apart: a name is harmless only if everything it could mean is.
 * https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH
 */
import type { Names } from './analysis.ts'
import { FIRST_USER_OID, type Relation, type Routine, type Type } from './catalogue.ts'
import {
  FOREIGN_MEMBERS,
  HARMLESS_EXTENSIONS,
  HARMLESS_VOLATILE_MEMBERS,
} from './harmless-extensions.ts'

/** The relation a name means, or undefined when this session's catalogue knows none. */
export function relationOf(
  names: Names,
  schema: string | undefined,
  name: string,
): Relation | undefined {
  if (schema !== undefined) return inSchema(names, plainSchema(names, schema), name)
  for (const one of names.searchPath) {
    const found = inSchema(names, one, name)
    if (found !== undefined) return found
  }
  return undefined
}

function inSchema(names: Names, schema: string, name: string): Relation | undefined {
  for (const one of names.own) if (one.schema === schema && one.name === name) return one
  return names.catalogue.relationByName(schema, name)
}

/** `pg_temp_3` of this very session is `pg_temp`. */
export function plainSchema(names: Names, schema: string): string {
  return schema === names.temporarySchema ? 'pg_temp' : schema
}

/**
 * False when `search_path` names pg_catalog behind another schema: what an unqualified name means then hangs on
 * operators and functions that anybody may have planted before the built-in ones (semantics §1).
 */
export function pathIsPlain(names: Names): boolean {
  for (const one of names.searchPath) {
    if (one === 'pg_catalog') return true
    if (one !== 'pg_temp') return false
  }
  return true
}

/** Schema under which an unqualified name that the catalogue does not know is shown. */
export function homeSchema(names: Names): string {
  return names.searchPath.find((one) => one !== 'pg_temp' && one !== 'pg_catalog') ?? 'public'
}

/** Everything a function name could mean, over all overloads. */
export interface Meaning {
  /** `schema.name` of the first that the path finds; for records. */
  readonly name: string
  /** At least one candidate was made by initdb. */
  readonly builtIn: boolean
  /** The candidates that are neither initdb's nor harmless by list. */
  readonly foreign: readonly string[]
  /** Those of them that run with their owner's rights, and so may touch what the session itself may not. */
  readonly asOwner: readonly string[]
  /** No candidate at all. */
  readonly unknown: boolean
}

/** Schemas in which an unqualified function, operator or cast is looked for; pg_temp never is. */
function searched(names: Names, schema: string | undefined): readonly string[] {
  if (schema !== undefined) return [plainSchema(names, schema)]
  return names.searchPath.filter((one) => one !== 'pg_temp')
}

export interface Trust {
  readonly names: Names
  /** `connections.<c>.functions.read`. */
  readonly functionsRead: readonly string[]
}

export function functionMeaning(trust: Trust, schema: string | undefined, name: string): Meaning {
  const { names } = trust
  let first: string | undefined
  let builtIn = false
  const foreign: string[] = []
  const asOwner: string[] = []
  for (const one of searched(names, schema)) {
    const made = names.catalogue.builtInRoutine(one, name)
    const others = names.catalogue.routines(one, name)
    if (made || others.length > 0) first ??= `${one}.${name}`
    builtIn ||= made
    for (const routine of others) {
      if (routineIsHarmless(trust, routine)) continue
      foreign.push(`${one}.${name}`)
      if (routine.asOwner) asOwner.push(`${one}.${name}`)
    }
  }
  if (first === undefined) {
    const home = schema === undefined ? homeSchema(names) : plainSchema(names, schema)
    return { name: `${home}.${name}`, builtIn: false, foreign: [], asOwner: [], unknown: true }
  }
  return { name: first, builtIn, foreign, asOwner, unknown: false }
}

/** True only if every function of that name that the session can mean is initdb's or harmless by list. */
export function isBuiltInFunction(
  names: Names,
  name: { readonly schema: string | undefined; readonly name: string },
  functionsRead: readonly string[],
): boolean {
  const meaning = functionMeaning({ names, functionsRead }, name.schema, name.name)
  return !meaning.unknown && meaning.foreign.length === 0
}

export function routineIsHarmless(trust: Trust, routine: Routine): boolean {
  if (routine.oid < FIRST_USER_OID) return true
  if (isHarmlessMember(routine)) return true
  const whole = `${routine.schema}.${routine.name}`
  // One that runs with its owner's rights is only meant where its whole name is given.
  return trust.functionsRead.some((pattern) =>
    routine.asOwner ? pattern === whole : matches(pattern, whole),
  )
}

function isHarmlessMember({ extension, name, volatility }: Routine): boolean {
  if (extension === undefined || !HARMLESS_EXTENSIONS.has(extension)) return false
  if (volatility === 'v') return HARMLESS_VOLATILE_MEMBERS.has(name)
  return !FOREIGN_MEMBERS.test(name)
}

export function operatorIsHarmless(
  trust: Trust,
  schema: string | undefined,
  name: string,
): boolean {
  const { catalogue } = trust.names
  let known = false
  for (const one of searched(trust.names, schema)) {
    if (one === 'pg_catalog' && catalogue.builtInOperator(name)) known = true
    for (const operator of catalogue.operators(one, name)) {
      known = true
      if (!routineOidIsHarmless(trust, operator.routine)) return false
    }
  }
  return known
}

function routineOidIsHarmless(trust: Trust, oid: number): boolean {
  if (oid < FIRST_USER_OID) return true
  const routine = trust.names.catalogue.routine(oid)
  return routine !== undefined && routineIsHarmless(trust, routine)
}

/** The type a name means when it is not one of initdb's; 'built-in' when it is; undefined when unknown. */
export function typeOf(
  names: Names,
  schema: string | undefined,
  name: string,
): Type | 'built-in' | undefined {
  const schemas = schema === undefined ? names.searchPath : [plainSchema(names, schema)]
  for (const one of schemas) {
    const found = names.catalogue.typeByName(one, name)
    if (found !== undefined) return found
    if (names.catalogue.builtInType(one, name)) return 'built-in'
  }
  return undefined
}

/** Making or showing a value of the type runs no code that the gateway does not know. */
export function typeIsHarmless(trust: Trust, type: Type, seen = new Set<number>()): boolean {
  if (seen.has(type.oid)) return true
  seen.add(type.oid)
  for (const oid of type.calls) if (!routineOidIsHarmless(trust, oid)) return false
  for (const oid of type.uses) {
    const part = trust.names.catalogue.type(oid)
    if (part !== undefined && !typeIsHarmless(trust, part, seen)) return false
    if (part === undefined && oid >= FIRST_USER_OID) return false
  }
  return true
}

/** `public.st_*` against `public.st_area`; only `*` is special. */
function matches(pattern: string, whole: string): boolean {
  const parts = pattern.split('*')
  const first = parts[0]!
  if (parts.length === 1) return whole === pattern
  if (!whole.startsWith(first)) return false
  let at = first.length
  for (const part of parts.toSpliced(-1).toSpliced(0, 1)) {
    const found = whole.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  const last = parts.at(-1)!
  return whole.length - at >= last.length && whole.endsWith(last)
}
