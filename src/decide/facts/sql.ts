/** Pure. The facts that rules may read about SQL (`sql.*`); exact meanings in semantics §1. */

export interface SqlFacts {
  /** Upper-case first words of the command tags of all parts, nested ones included. Distinct, first seen first. */
  readonly commands: readonly string[]
  /** The whole tags: `CREATE TABLE`. */
  readonly tags: readonly string[]
  /** `schema.name` as the catalogue resolves it; temporary ones `pg_temp.name`. */
  readonly tables: readonly string[]
  /** Also what a write reaches by declaration: base tables of views, partitions, children, cascades. */
  readonly tables_written: readonly string[]
  /** `schema.table.column` for each column named, or reached by a star or a whole row. */
  readonly columns: readonly string[]
  /** `schema.name` of each function called. */
  readonly functions: readonly string[]
  readonly writes: boolean
  readonly bounded: boolean
  readonly by_key: boolean
  readonly has_where: boolean
  readonly where_always_true: boolean
  /** Literal values of the text, as text. */
  readonly literals: readonly string[]
  /** How many statements the message holds. */
  readonly statements: number
  readonly in_transaction: boolean
  /** `''`, `in`, `out`, `file` or `program`. */
  readonly copy: string
  /** Parameter values as text (binary ones as `\x…`); empty until Bind. */
  readonly params: readonly string[]
  /** `schema.table.trigger` of triggers that the writes may run. */
  readonly triggers: readonly string[]
}
