/**
 * Pure. The shapes that pass between the SQL analyser and the conversation: names as one session sees them, and
 * what one message's text says it would do.
 */
import type { ActionClass, OpaqueReason } from '../../../decide/action.ts'
import type { SqlFacts } from '../../../decide/facts/sql.ts'
import type { MaskedColumns, OutputMask } from '../../../mask/plan.ts'
import type { Transform } from '../../../mask/transform-spec.ts'
import type { Catalogue, OwnObjects, Relation } from './catalogue.ts'

/** What a session's unqualified names mean right now. Immutable: a change makes a new one with a new `key`. */
export interface Names {
  readonly catalogue: Catalogue
  /** Schemas in the order in which PostgreSQL searches them: current_schemas(true), so pg_temp and pg_catalog stand in it where they are searched. */
  readonly searchPath: readonly string[]
  readonly currentUser: string
  /** Relations only this session sees: temporary ones and those of its open transaction. */
  readonly own: readonly Relation[]
  /** All that only this session sees, for another shared catalogue to be laid under it. */
  readonly ownObjects?: OwnObjects
  /** Equal keys: equal meaning of every text. Part of the cache key. */
  readonly key: string
  /** 'utf8' when gateway and target read the same bytes; else every text with a byte ≥ 0x80 is opaque. */
  readonly encoding: 'utf8' | 'other'
  /**
   * What the target does with a text that it sends: `fails` where the client's encoding lacks one of its characters;
   * `cuts` where the database knows bytes only, and a part of a text may be half a character. Left out: it passes.
   */
  readonly sending?: 'fails' | 'cuts' | undefined
  readonly standardConformingStrings: boolean
  /** `pg_temp_3`, once the session has one; relations in it stand under `pg_temp` in `own` and `searchPath`. */
  readonly temporarySchema?: string | undefined
}

export interface AnalyseOptions {
  readonly names: Names
  /** Columns that a mask of this grant hides; undefined when it hides none. */
  readonly masked: MaskedColumns | undefined
  /** `connections.<c>.functions.read` patterns, `schema.name` with `*`. */
  readonly functionsRead: readonly string[]
  /** Parameter that hands identity to the target; refused in every form. */
  readonly identityParameter: string | undefined
}

/** All statements of one message. An empty text has no statements and is allowed. */
export interface Analysis {
  readonly statements: readonly Statement[]
  /** Set when the text as a whole could not be read. `statements` is then empty. */
  readonly opaque: OpaqueReason | undefined
}

export interface Statement {
  /** Bytes [start, end) of this statement in the UTF-8 text. */
  readonly start: number
  readonly end: number
  readonly classes: readonly ActionClass[]
  readonly opaque: OpaqueReason | undefined
  /** It is opaque because nobody saw this name made. */
  readonly unseen?: { readonly kind: 'prepared' | 'cursor'; readonly name: string } | undefined
  /** Set: no role may do this, whatever it allows (the parameter that hands identity to the target). */
  readonly refused?: string | undefined
  /** Why each class but `read` was given, as sentences for messages: `nextval is a write`. */
  readonly reasons: readonly string[]
  /** Facts of this statement alone; `statements`, `in_transaction` and `params` are filled in by the conversation. */
  readonly facts: SqlFacts
  readonly verb: string
  /** Qualified names of what it touches: tables, functions, and what DDL names. */
  readonly objects: readonly string[]
  /** True when it can send rows (SELECT, RETURNING, FETCH, SHOW, EXPLAIN, EXECUTE…); true in doubt. */
  readonly returnsRows: boolean
  readonly effect: Effect
  readonly mask: MaskFinding
  /** Highest $n. */
  readonly parameters: number
  /** It means the same whatever names mean. */
  readonly nameless?: boolean
}

/** What a statement does to the session itself, for the conversation to keep track of. */
export interface Effect {
  /** The session's names may mean something else after it (semantics §1 "The same names"). */
  readonly dirties: boolean
  /** So does the end of the transaction it runs in, COMMIT included: SET LOCAL, ON COMMIT DROP. */
  readonly dirtiesAtEnd: boolean
  /** Besides: shared objects may have changed, so the catalogue must be asked for again. */
  readonly changesCatalogue: boolean
  readonly transaction:
    | 'begin'
    | 'commit'
    | 'rollback'
    | 'savepoint'
    | 'rollback-to'
    | 'prepare'
    | undefined
  /** COPY FROM STDIN or TO STDOUT, with what the masker must know of its format. */
  readonly copy: CopyForm | undefined
  /** SQL PREPARE: name and analysis of its body. */
  readonly prepares: { readonly name: string; readonly body: Statement } | undefined
  /** DECLARE CURSOR: name and analysis of its query. */
  readonly declares: { readonly name: string; readonly body: Statement } | undefined
  /** EXECUTE name, or FETCH/MOVE name: facts are those of what is named; the conversation merges them. */
  readonly runs: { readonly kind: 'prepared' | 'cursor'; readonly name: string } | undefined
  /** DEALLOCATE or CLOSE; `name` undefined: all. */
  readonly closes:
    | { readonly kind: 'prepared' | 'cursor'; readonly name: string | undefined }
    | undefined
  /** DISCARD ALL, which closes every prepared statement and cursor. */
  readonly discardsAll: boolean
}

export interface CopyForm {
  readonly direction: 'in' | 'out'
  readonly format: 'text' | 'csv' | 'binary'
  readonly delimiter: string
  readonly quote: string
  readonly escape: string
  readonly nullText: string
  readonly header: boolean
  /** Its text is UTF-8. In some encodings a later byte of a character looks like a delimiter or a backslash. */
  readonly utf8: boolean
  /** It copies a table by its name, and not the rows of a query. */
  readonly table: boolean
  /** For `COPY table (columns) TO`: what each field is; undefined for COPY (query), whose fields the finding describes. */
  readonly columns: readonly { readonly relation: number; readonly column: number }[] | undefined
}

/** What the statement does with masked columns (semantics §5). */
export interface MaskFinding {
  /** It names or reaches a masked column at all, by column, star, whole row, view or unknown name. */
  readonly touches: boolean
  /** One decides something (in ON, HAVING, FILTER, ORDER BY …), or is compared or put together with something. */
  readonly meets?: boolean
  /** Set: refuse, with this sentence and hint. */
  readonly refusal: { readonly reason: string; readonly hint: string } | undefined
  /** `rule` of the masks concerned, for the record. */
  readonly rules: readonly string[]
  /** What hides each output, by position; undefined where it touches nothing, or positions are not known. */
  readonly outputs?: readonly (OutputMask | null)[] | undefined
  /** Constants that stand for pseudonyms, to be translated before they go up. */
  readonly opens?: Opens | undefined
  /** Literals that were translated: the target's text holds what they stand for. */
  readonly opened?: Opens['literals'] | undefined
}

export type PseudonymKind = 'text' | 'uuid' | 'bytea'

interface Opening {
  /** Domain of the mask whose pseudonym it must be. */
  readonly domain: string
  readonly kind: PseudonymKind
  /** The column, for messages. */
  readonly label: string
}

export interface Opens {
  /** `at`: byte of the message's text at which it begins. */
  readonly literals: readonly (Opening & { readonly text: string; readonly at: number })[]
  readonly parameters: readonly (Opening & { readonly number: number; readonly array: boolean })[]
  /** Parameters that are written to a masked column, and must not be what its mask shows. */
  readonly checks: readonly {
    readonly number: number
    readonly transform: Transform
    readonly label: string
  }[]
}

export const NO_EFFECT: Effect = {
  dirties: false,
  dirtiesAtEnd: false,
  changesCatalogue: false,
  transaction: undefined,
  copy: undefined,
  prepares: undefined,
  declares: undefined,
  runs: undefined,
  closes: undefined,
  discardsAll: false,
}

/** Of one statement that names nothing and writes nothing. */
export const NO_FACTS: SqlFacts = {
  commands: [],
  tags: [],
  tables: [],
  tables_written: [],
  columns: [],
  functions: [],
  writes: false,
  bounded: true,
  by_key: false,
  has_where: false,
  where_always_true: false,
  literals: [],
  statements: 1,
  in_transaction: false,
  copy: '',
  params: [],
  triggers: [],
}

export const NO_MASK: MaskFinding = { touches: false, refusal: undefined, rules: [] }
