/**
 * Pure. The catalogue that DDL describes, while it is read: each method takes the inside of one statement's tree and
 * answers what is wrong with it, or undefined.
 */
import type { Names } from '../protocols/postgres/sql/analysis.ts'
import {
  type CatalogueParts,
  type Column,
  catalogueOf,
  FIRST_USER_OID,
  type Operator,
  type Relation,
  type Routine,
  type Type,
} from '../protocols/postgres/sql/catalogue.ts'
import { classify } from '../protocols/postgres/sql/classify.ts'
import { NO_TARGET } from '../protocols/postgres/sql/no-target.ts'
import { dotted, isPart, type Part } from '../protocols/postgres/sql/nodes.ts'
import type { Node } from '../protocols/postgres/sql/parse.ts'
import {
  calledIn,
  list,
  numbered,
  outputNames,
  placeOf,
  plainColumn,
  qualified,
  sources,
  words,
} from './schema-tree.ts'
import { builtInTypeOid } from './type-oids.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Draft = Mutable<Relation>

const TEXT_OID = 25
/** Actions of a foreign key that change rows of the table that has it: CASCADE, SET NULL, SET DEFAULT. */
const REACHING = ['c', 'n', 'd']
/** ALTER TABLE that changes nothing a statement's meaning hangs on. */
const HARMLESS_ALTER =
  /^AT_(ChangeOwner|ReplicaIdentity|EnableRowSecurity|ForceRowSecurity|SetStorage|SetStatistics|ClusterOn|ColumnDefault|AddIdentity|SetNotNull|SetLogged)$/

export class SchemaDraft {
  readonly #relations = new Map<string, Draft>()
  readonly #routines: Routine[] = []
  readonly #types: Type[] = []
  readonly #operators: Operator[] = []
  /** `schema.table.column` in pairs that a foreign key makes equal. */
  readonly links: (readonly [from: string, to: string])[] = []
  #oid = FIRST_USER_OID + 1000

  names(): Names {
    const { parts } = NO_TARGET.catalogue
    // Lists of its own: a catalogue keeps look-ups over the lists that it was made of.
    const all: CatalogueParts = {
      ...parts!,
      epoch: 1,
      relations: [...this.#relations.values()],
      routines: [...this.#routines],
      types: [...this.#types],
      operators: [...this.#operators],
    }
    return { ...NO_TARGET, catalogue: catalogueOf(all), key: 'schema' }
  }

  table(part: Part): string | undefined {
    const elements = list(part.tableElts)
    const parents = this.#parents(part)
    if (typeof parents === 'string') return parents
    const relation = this.#add(part.relation, part.partspec === undefined ? 'r' : 'p')
    if (typeof relation === 'string') return relation
    const inherited = parents.flatMap((parent) => parent.columns)
    relation.columns = numbered([
      ...inherited,
      ...elements.flatMap((one) => this.#column(one) ?? []),
    ])
    relation.parents = parents.map(({ oid }) => oid)
    for (const parent of parents) parent.children = [...parent.children, relation.oid]
    for (const one of elements) {
      const fault = this.#element(relation, one)
      if (fault !== undefined) return fault
    }
    relation.columns = relation.columns.map((column) => {
      const made = elements.find(
        (one) => one.ColumnDef && Object(one.ColumnDef).colname === column.name,
      )
      return made === undefined ? column : { ...column, generatedFrom: sources(made, relation) }
    })
    return undefined
  }

  view(part: Part): string | undefined {
    return this.#view(part.view, 'v', { query: part.query, names: words(part.aliases) })
  }

  /** CREATE MATERIALIZED VIEW; a table made from a query has no columns that are known here. */
  materialized(part: Part): string | undefined {
    if (part.objtype !== 'OBJECT_MATVIEW')
      return 'CREATE TABLE AS is not read here; say which columns the table has'
    const into = isPart(part.into) ? part.into : {}
    return this.#view(into.rel, 'm', { query: part.query, names: words(into.colNames) })
  }

  index(part: Part): string | undefined {
    const relation = this.#find(part.relation)
    if (typeof relation === 'string') return relation
    if (part.unique !== true) return undefined
    const columns = list(part.indexParams).map((one) => Object(one.IndexElem).name)
    if (part.whereClause === undefined && columns.every((name) => typeof name === 'string'))
      this.#key(relation, columns)
    else relation.uniqueKeys = [...relation.uniqueKeys, [0]]
    return undefined
  }

  trigger(part: Part): string | undefined {
    const relation = this.#find(part.relation)
    if (typeof relation === 'string') return relation
    relation.triggers = [...relation.triggers, String(part.trigname)]
    // TRIGGER_TYPE_INSTEAD of pg_trigger.h.
    if (part.timing === 64) relation.insteadOfTriggers = true
    return undefined
  }

  routine(part: Part): string | undefined {
    const [schema, name] = qualified(dotted(part.funcname as Node[]) ?? [])
    const option = (name: string) =>
      Object(Object(list(part.options).find((one) => Object(one.DefElem).defname === name)).DefElem)
        .arg
    const word = String(Object(option('volatility')).String?.sval ?? 'volatile')
    this.#routines.push({
      oid: this.#next(),
      schema,
      name,
      kind: part.is_procedure === true ? 'p' : 'f',
      volatility: word[0] ?? 'v',
      extension: undefined,
      asOwner: Object(option('security')).Boolean?.boolval === true,
    })
    return undefined
  }

  type(named: unknown, kind: string): string | undefined {
    const [schema, name] = qualified(dotted(named as Node[]) ?? [])
    const oid = this.#next()
    this.#types.push({ oid, schema, name, kind, extension: undefined, calls: [], uses: [] })
    return undefined
  }

  /** Its values run what its CHECK calls, and what the type does that it is made of. */
  domain(part: Part): string | undefined {
    const calls = calledIn(part.constraints, this.#routines)
    const base = this.#typeOid(part.typeName)
    const fault = this.type(part.domainname, 'd')
    this.#types.push({ ...this.#types.pop()!, calls, uses: base < FIRST_USER_OID ? [] : [base] })
    return fault
  }

  /** CREATE OPERATOR and CREATE AGGREGATE. */
  define(part: Part): string | undefined {
    const [schema, name] = qualified(dotted(part.defnames as Node[]) ?? [])
    if (part.kind === 'OBJECT_AGGREGATE') {
      const oid = this.#next()
      const nature = { kind: 'a', volatility: 'i', extension: undefined, asOwner: false }
      this.#routines.push({ oid, schema, name, ...nature })
      return undefined
    }
    if (part.kind !== 'OBJECT_OPERATOR') return `CREATE … ${name} is not read here`
    const words = ['function', 'procedure']
    const option = list(part.definition).find((one) => words.includes(Object(one.DefElem).defname))
    const does = Object(Object(Object(option).DefElem).arg).TypeName
    const [home, called] = qualified(dotted(Object(does).names) ?? [])
    const routine = this.#routines.find((one) => one.schema === home && one.name === called)
    // A function of PostgreSQL's own has an OID below those of users; which one does not matter.
    this.#operators.push({ schema, name, routine: routine?.oid ?? 1 })
    return undefined
  }

  rule(part: Part): string | undefined {
    const relation = this.#find(part.relation)
    if (typeof relation === 'string') return relation
    relation.rules = true
    return undefined
  }

  composite(part: Part): string | undefined {
    const made = isPart(part.typevar) ? part.typevar : {}
    const names = [made.schemaname, made.relname].filter((one) => typeof one === 'string')
    return this.type(
      names.map((sval) => ({ String: { sval } })),
      'c',
    )
  }

  alter(part: Part): string | undefined {
    const relation = this.#find(part.relation)
    // Sequences and indexes are altered by the same statement.
    if (typeof relation === 'string') return part.objtype === 'OBJECT_TABLE' ? relation : undefined
    for (const one of list(part.cmds)) {
      const { subtype, def, name } = Object(one.AlterTableCmd)
      const fault = this.#alteration(relation, { subtype: String(subtype), def, name })
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #alteration(
    relation: Draft,
    { subtype, def, name }: { subtype: string; def: unknown; name: unknown },
  ): string | undefined {
    if (subtype === 'AT_AddConstraint') return this.#element(relation, def as Part)
    if (subtype === 'AT_AddColumn') {
      const column = this.#column(def as Part)
      if (column !== undefined) relation.columns = numbered([...relation.columns, column])
      return this.#element(relation, def as Part)
    }
    if (subtype === 'AT_AttachPartition') {
      const child = this.#find(Object(Object(def).PartitionCmd).name)
      if (typeof child === 'string') return child
      child.parents = [...child.parents, relation.oid]
      relation.children = [...relation.children, child.oid]
      return undefined
    }
    if (HARMLESS_ALTER.test(subtype)) return undefined
    const what = subtype.replace(/^AT_/, '')
    return `ALTER TABLE … ${what}${typeof name === 'string' ? ` ${name}` : ''} is not read here; write the table as it is afterwards`
  }

  #parents(part: Part): Draft[] | string {
    const parents: Draft[] = []
    for (const one of list(part.inhRelations)) {
      const parent = this.#find(one.RangeVar)
      if (typeof parent === 'string') return parent
      if (parents.includes(parent)) return `${parent.schema}.${parent.name} is named twice`
      parents.push(parent)
    }
    return parents
  }

  #column(element: Part): Column | undefined {
    if (!isPart(element.ColumnDef)) return undefined
    const { colname, typeName, constraints } = element.ColumnDef
    const kinds = list(constraints).map((one) => Object(one.Constraint).contype)
    return {
      number: 0,
      name: String(colname),
      typeOid: this.#typeOid(typeName),
      notNull: kinds.includes('CONSTR_NOTNULL') || kinds.includes('CONSTR_PRIMARY'),
      generatedFrom: [],
    }
  }

  /** Keys and foreign keys, of a column or of the table. */
  #element(relation: Draft, element: Part): string | undefined {
    if (isPart(element.Constraint)) return this.#constraint(relation, element.Constraint, [])
    if (!isPart(element.ColumnDef)) return undefined
    const { colname, constraints } = element.ColumnDef
    for (const one of list(constraints)) {
      if (!isPart(one.Constraint)) continue
      const fault = this.#constraint(relation, one.Constraint, [String(colname)])
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #constraint(relation: Draft, part: Part, own: readonly string[]): string | undefined {
    const { contype } = part
    const keys = words(part.keys)
    if (contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_UNIQUE')
      this.#key(relation, keys.length > 0 ? keys : own)
    if (contype === 'CONSTR_EXCLUSION') relation.uniqueKeys = [...relation.uniqueKeys, [0]]
    if (contype !== 'CONSTR_FOREIGN') return undefined
    const target = this.#find(part.pktable)
    if (typeof target === 'string') return target
    target.referencedBy = [...(target.referencedBy ?? []), relation.oid]
    this.#link({ relation, target }, part, own)
    const actions = [part.fk_upd_action, part.fk_del_action]
    if (actions.some((one) => REACHING.includes(String(one))))
      target.cascades = [...target.cascades, relation.oid]
    return undefined
  }

  /** Columns that a foreign key makes equal, in pairs. Without names it means the key of the other table. */
  #link(of: { relation: Draft; target: Draft }, part: Part, own: readonly string[]): void {
    const key = of.target.uniqueKeys[0] ?? []
    const keyed = key.map((number) => of.target.columns.find((one) => one.number === number)?.name)
    const from = words(part.fk_attrs)
    const to = words(part.pk_attrs)
    const [left, right] = [from.length > 0 ? from : own, to.length > 0 ? to : keyed]
    const name = (table: Draft, column: string) => `${table.schema}.${table.name}.${column}`
    for (const [at, column] of left.entries()) {
      const other = right[at]
      if (other !== undefined) this.links.push([name(of.relation, column), name(of.target, other)])
    }
  }

  #key(relation: Draft, columns: readonly string[]): void {
    const numbers = columns.map(
      (name) => relation.columns.find((column) => column.name === name)?.number,
    )
    if (numbers.length > 0 && numbers.every((one) => one !== undefined))
      relation.uniqueKeys = [...relation.uniqueKeys, numbers]
  }

  #view(
    place: unknown,
    kind: 'v' | 'm',
    made: { query: unknown; names: readonly string[] },
  ): string | undefined {
    if (!isPart(made.query)) return 'the query of this view cannot be read'
    const trust = { names: this.names(), functionsRead: [] }
    const read = classify(made.query, { trust, identityParameter: undefined })
    if (read.opaque !== undefined) return read.opaque.reason
    const unknown = [...read.tables].find((name) => !this.#relations.has(name))
    if (unknown !== undefined) return `there is no table ${unknown} above this`
    const relation = this.#add(place, kind)
    if (typeof relation === 'string') return relation
    const tables = [...read.tables].map((name) => this.#relations.get(name)!)
    const reads = tables.flatMap((table) => {
      const named = table.columns.filter(({ name }) =>
        read.columns.has(`${table.schema}.${table.name}.${name}`),
      )
      const numbers = named.length === 0 ? [0] : named.map(({ number }) => number)
      return numbers.map((column) => ({ relation: table.oid, column }))
    })
    relation.reads = reads
    relation.calls = this.#routines
      .filter(({ schema, name }) => read.functions.has(`${schema}.${name}`))
      .map(({ oid }) => oid)
    // Nothing but the types that it casts to, as the target's own tree would say them.
    const casts = [...read.typeOids].map((oid) => `:resulttype ${oid}`)
    if (casts.length > 0) relation.tree = casts.join(' ')
    const outputs = outputNames(made.query, tables)
    relation.columns = numbered(
      outputs.map((output, at) => ({
        ...plainColumn(made.names[at] ?? output),
        typeOid:
          tables.flatMap(({ columns }) => columns).find(({ name }) => name === output)?.typeOid ??
          TEXT_OID,
      })),
    )
    return undefined
  }

  #add(place: unknown, kind: string): Draft | string {
    const [schema, name] = placeOf(place)
    const key = `${schema}.${name}`
    if (this.#relations.has(key)) return `${key} stands here twice`
    const relation: Draft = {
      oid: this.#next(),
      schema,
      name,
      kind,
      temporary: false,
      columns: [],
      uniqueKeys: [],
      children: [],
      parents: [],
      cascades: [],
      referencedBy: [],
      triggers: [],
      insteadOfTriggers: false,
      rules: false,
      reads: [],
      calls: [],
    }
    this.#relations.set(key, relation)
    return relation
  }

  #find(place: unknown): Draft | string {
    const [schema, name] = placeOf(place)
    return (
      this.#relations.get(`${schema}.${name}`) ?? `there is no table ${schema}.${name} above this`
    )
  }

  #typeOid(typeName: unknown): number {
    const part = isPart(typeName) ? typeName : {}
    const isArray = list(part.arrayBounds).length > 0
    const [schema, bare] = qualified(dotted(part.names as Node[]) ?? [])
    const own = this.#types.find((type) => type.schema === schema && type.name === bare)
    const oid = isArray && own !== undefined ? this.#arrayOf(own) : own?.oid
    return oid ?? builtInTypeOid(bare, isArray) ?? TEXT_OID
  }

  #arrayOf({ oid, schema, name }: Type): number {
    const array = `_${name}`
    let found = this.#types.find((type) => type.schema === schema && type.name === array)
    const nature = { kind: 'b', extension: undefined, calls: [], uses: [oid] }
    found ??= { oid: this.#next(), schema, name: array, ...nature }
    if (!this.#types.includes(found)) this.#types.push(found)
    return found.oid
  }

  #next(): number {
    this.#oid += 1
    return this.#oid
  }
}
