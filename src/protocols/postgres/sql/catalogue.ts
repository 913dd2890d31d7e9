/**
 * Pure. What the gateway knows of a target's catalogue: relations, functions, operators, types and their places
 * in schemas, as plain data with look-ups. How it is asked for stands in `catalogue-query.ts`, how the answer is
 * read in `catalogue-read.ts`.
 *
 * One catalogue is shared by all sessions of a worker that use the same target, database and login; what only one
 * session sees (its `search_path`, its temporary objects, what its open transaction made) stands in `Names`.
 */

export interface Column {
  /** 1-based, as in pg_attribute; dropped columns are left out. */
  readonly number: number
  readonly name: string
  readonly typeOid: number
  readonly notNull: boolean
  /** Attribute numbers that a generated column is computed from, 0 for none; empty for ordinary ones. */
  readonly generatedFrom: readonly number[]
  /** Of one that is not stored but computed whenever it is read: the tree of its expression; '' where that is very large. */
  readonly computed?: string
}

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_class.relkind: r table, p partitioned, v view, m matview, f foreign, S sequence, c composite type. */
  readonly kind: string
  readonly temporary: boolean
  readonly columns: readonly Column[]
  /**
   * Attribute numbers of each unique index and exclusion constraint. 0 among them: it is no plain key of columns, but has
   * an expression or a predicate, excludes by other operators, or is not valid (which refuses doubles all the same).
   */
  readonly uniqueKeys: readonly (readonly number[])[]
  /** OIDs of direct partitions and inheritance children. */
  readonly children: readonly number[]
  readonly parents: readonly number[]
  /** Tables that ON DELETE or ON UPDATE CASCADE, SET NULL or SET DEFAULT of a foreign key onto this one reaches. */
  readonly cascades: readonly number[]
  /** Tables with any foreign key onto this one, which TRUNCATE … CASCADE empties. */
  readonly referencedBy?: readonly number[]
  /** Names of user triggers. */
  readonly triggers: readonly string[]
  readonly insteadOfTriggers: boolean
  /** True: one of its triggers skips updates that change nothing, and so tells by their number which do. */
  readonly skipsEqual?: boolean
  /** True: has a rewrite rule other than a view's own _RETURN. */
  readonly rules: boolean
  /** Views and matviews: columns (relation OID, attribute number; 0 = whole row or none named) they read directly. */
  readonly reads: readonly { readonly relation: number; readonly column: number }[]
  /** Views: functions (OID) their definition calls directly. */
  readonly calls: readonly number[]
  /** Views: the tree of their query as the target keeps it, unless it is very large (lineage/view-columns.ts). */
  readonly tree?: string | undefined
}

/** A function, procedure, aggregate or window function. */
export interface Routine {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_proc.prokind: f, p, a, w. */
  readonly kind: string
  /** pg_proc.provolatile: i, s, v. */
  readonly volatility: string
  /** pg_proc.prosecdef: it runs with its owner's rights, SECURITY DEFINER. */
  readonly asOwner: boolean
  /** The extension it is a member of. */
  readonly extension: string | undefined
}

export interface Operator {
  readonly schema: string
  readonly name: string
  /** OID of the function that does the work. */
  readonly routine: number
}

export interface Type {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_type.typtype: b base, c composite, d domain, e enum, m multirange, p pseudo, r range. */
  readonly kind: string
  readonly extension: string | undefined
  /** Routines (OID) that reading or writing a value runs: input, output, domain checks. */
  readonly calls: readonly number[]
  /** Types (OID) it is made of: base type, element, attributes, bounds. */
  readonly uses: readonly number[]
}

export interface Cast {
  readonly source: number
  readonly target: number
  /** OID of its function; 0 when it has none. */
  readonly routine: number
  /** e explicit, a also in assignments, i implicit. */
  readonly context: string
}

/** Everything below FIRST_USER_OID was made by initdb. */
export const FIRST_USER_OID = 16384

export interface Catalogue {
  /** server_version_num, such as 150018. */
  readonly serverVersion: number
  /** Rises with each load in this worker; part of every cache key. */
  readonly epoch: number
  relation(oid: number): Relation | undefined
  relationByName(schema: string, name: string): Relation | undefined
  relations(): Iterable<Relation>
  /** Routines not made by initdb, all overloads. */
  routines(schema: string, name: string): readonly Routine[]
  /** A routine not made by initdb, or one of initdb's that a view calls. */
  routine(oid: number): Routine | undefined
  /** initdb made a routine of that name in that schema. */
  builtInRoutine(schema: string, name: string): boolean
  /** initdb made a VOLATILE routine of that name. */
  builtInVolatile(name: string): boolean
  /** Operators not made by initdb. */
  operators(schema: string, name: string): readonly Operator[]
  builtInOperator(name: string): boolean
  /** Types not made by initdb; row types of tables among them. */
  type(oid: number): Type | undefined
  typeByName(schema: string, name: string): Type | undefined
  builtInType(schema: string, name: string): boolean
  /** Casts not made by initdb. */
  readonly casts: readonly Cast[]
  /** Of a shared catalogue: what it was made of, to be renewed in parts. */
  readonly parts?: CatalogueParts
}

/** What a catalogue is made of; also what one session sees besides (see `overlay`). */
export interface CatalogueParts {
  readonly serverVersion: number
  readonly epoch: number
  readonly relations: readonly Relation[]
  readonly routines: readonly Routine[]
  readonly operators: readonly Operator[]
  readonly types: readonly Type[]
  readonly casts: readonly Cast[]
  readonly builtIn: BuiltInNames
}

/** Names of what initdb made. `schema.name` for routines and types outside pg_catalog, bare names inside. */
export interface BuiltInNames {
  readonly routines: ReadonlySet<string>
  readonly volatile: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
  readonly types: ReadonlySet<string>
}

export function catalogueOf(parts: CatalogueParts): Catalogue {
  const relations = indexed(parts.relations)
  const types = indexed(parts.types)
  const routines = indexed(parts.routines)
  const routineNames = grouped(parts.routines)
  const operatorNames = grouped(parts.operators)
  const { builtIn } = parts
  return {
    serverVersion: parts.serverVersion,
    epoch: parts.epoch,
    parts,
    casts: parts.casts,
    relation: (oid) => relations.byOid.get(oid),
    relationByName: (schema, name) => relations.byName.get(key(schema, name)),
    relations: () => relations.byOid.values(),
    routine: (oid) => routines.byOid.get(oid),
    routines: (schema, name) => routineNames.get(key(schema, name)) ?? [],
    builtInRoutine: (schema, name) => builtIn.routines.has(initdbName(schema, name)),
    builtInVolatile: (name) => builtIn.volatile.has(name),
    operators: (schema, name) => operatorNames.get(key(schema, name)) ?? [],
    builtInOperator: (name) => builtIn.operators.has(name),
    type: (oid) => types.byOid.get(oid),
    typeByName: (schema, name) => types.byName.get(key(schema, name)),
    builtInType: (schema, name) => builtIn.types.has(initdbName(schema, name)),
  }
}

/** What one session sees besides the shared catalogue; takes the place of shared objects of the same OID. */
export interface OwnObjects {
  readonly relations: readonly Relation[]
  readonly routines: readonly Routine[]
  readonly operators: readonly Operator[]
  readonly types: readonly Type[]
  readonly casts: readonly Cast[]
  /** Relations that the session's open transaction has dropped. */
  readonly gone: readonly number[]
}

/** The catalogue as one session sees it. Old names of what the session renamed are not found any more. */
export function overlay(shared: Catalogue, own: OwnObjects): Catalogue {
  const mine = catalogueOf({
    ...own,
    serverVersion: shared.serverVersion,
    epoch: shared.epoch,
    builtIn: NOTHING_BUILT_IN,
  })
  const gone = new Set(own.gone)
  const hidden = (oid: number) => gone.has(oid) || mine.relation(oid) !== undefined
  const unlessHidden = (one: Relation | undefined) =>
    one === undefined || hidden(one.oid) ? undefined : one
  const typeUnlessOwn = (one: Type | undefined) =>
    one === undefined || mine.type(one.oid) !== undefined ? undefined : one
  return {
    serverVersion: shared.serverVersion,
    epoch: shared.epoch,
    casts: [...shared.casts, ...own.casts],
    relation: (oid) => mine.relation(oid) ?? unlessHidden(shared.relation(oid)),
    relationByName: (schema, name) =>
      mine.relationByName(schema, name) ?? unlessHidden(shared.relationByName(schema, name)),
    *relations() {
      yield* own.relations
      for (const one of shared.relations()) if (!hidden(one.oid)) yield one
    },
    routine: (oid) => mine.routine(oid) ?? shared.routine(oid),
    routines: (schema, name) => [...mine.routines(schema, name), ...shared.routines(schema, name)],
    builtInRoutine: shared.builtInRoutine,
    builtInVolatile: shared.builtInVolatile,
    operators: (schema, name) => [
      ...mine.operators(schema, name),
      ...shared.operators(schema, name),
    ],
    builtInOperator: shared.builtInOperator,
    type: (oid) => mine.type(oid) ?? shared.type(oid),
    typeByName: (schema, name) =>
      mine.typeByName(schema, name) ?? typeUnlessOwn(shared.typeByName(schema, name)),
    builtInType: shared.builtInType,
  }
}

const NOTHING_BUILT_IN: BuiltInNames = {
  routines: new Set(),
  volatile: new Set(),
  operators: new Set(),
  types: new Set(),
}

function key(schema: string, name: string): string {
  return `${schema}\u0000${name}`
}

function initdbName(schema: string, name: string): string {
  return schema === 'pg_catalog' ? name : `${schema}.${name}`
}

interface Named {
  readonly schema: string
  readonly name: string
}

interface Index<T> {
  readonly byOid: ReadonlyMap<number, T>
  readonly byName: ReadonlyMap<string, T>
}

/** Of lists that a catalogue takes over from the one before it. */
const indexes = new WeakMap<readonly Named[], Index<Named>>()
const groups = new WeakMap<readonly Named[], ReadonlyMap<string, Named[]>>()

function indexed<T extends Named & { readonly oid: number }>(all: readonly T[]): Index<T> {
  const known = indexes.get(all) as Index<T> | undefined
  if (known !== undefined) return known
  const made = {
    byOid: new Map(all.map((one) => [one.oid, one])),
    byName: new Map(all.map((one) => [key(one.schema, one.name), one])),
  }
  indexes.set(all, made)
  return made
}

/** All that initdb did not make, by name. */
function grouped<T extends Named & { readonly oid?: number }>(
  all: readonly T[],
): ReadonlyMap<string, T[]> {
  const known = groups.get(all) as ReadonlyMap<string, T[]> | undefined
  if (known !== undefined) return known
  const made = new Map<string, T[]>()
  for (const one of all) {
    if (one.oid !== undefined && one.oid < FIRST_USER_OID) continue
    const group = made.get(key(one.schema, one.name))
    if (group === undefined) made.set(key(one.schema, one.name), [one])
    else group.push(one)
  }
  groups.set(all, made)
  return made
}
