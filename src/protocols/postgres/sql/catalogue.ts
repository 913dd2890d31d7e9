/**
 * Pure. What the gateway knows of a target's catalogue: relations, functions, operators, types and their places
 * in schemas, as plain data with look-ups. How it is asked for stands in `catalogue-query.ts`.
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
  /** Attribute numbers that a generated column is computed from; empty for ordinary ones. */
  readonly generatedFrom: readonly number[]
}

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_class.relkind: r table, p partitioned, v view, m matview, f foreign, S sequence, c composite type. */
  readonly kind: string
  readonly temporary: boolean
  readonly columns: readonly Column[]
  /** Attribute numbers of each unique index without expressions or predicate. */
  readonly uniqueKeys: readonly (readonly number[])[]
  /** OIDs of direct partitions and inheritance children. */
  readonly children: readonly number[]
  readonly parents: readonly number[]
  /** Tables that ON DELETE or ON UPDATE CASCADE, SET NULL or SET DEFAULT of a foreign key onto this one reaches. */
  readonly cascades: readonly number[]
  /** Names of user triggers. */
  readonly triggers: readonly string[]
  readonly insteadOfTriggers: boolean
  /** True: has a rewrite rule other than a view's own _RETURN. */
  readonly rules: boolean
  /** Views and matviews: columns (relation OID, attribute number; 0 = whole row or none named) they read directly. */
  readonly reads: readonly { readonly relation: number; readonly column: number }[]
  /** Views: functions (OID) their definition calls directly. */
  readonly calls: readonly number[]
}

export interface Catalogue {
  /** server_version_num, such as 150018. */
  readonly serverVersion: number
  /** Rises with each load in this worker; part of every cache key. */
  readonly epoch: number
  relation(oid: number): Relation | undefined
  relationByName(schema: string, name: string): Relation | undefined
  relations(): Iterable<Relation>
}
