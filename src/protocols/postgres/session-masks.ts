/**
 * Pure. What masks mean for one session: declarations of its grant, resolved to the catalogue as the session sees it
 * now, and the analysis of texts under them.
 */
import type { OpaqueReason } from '../../decide/action.ts'
import type { Guard } from '../../decide/policy.ts'
import { DetectorSet } from '../../mask/detect.ts'
import { enforces, type Field, type MaskedColumns, planRow, type RowPlan } from '../../mask/plan.ts'
import { maskedColumns, resolveMasks } from '../../mask/resolve-masks.ts'
import { maskText } from '../../mask/spans.ts'
import { atPlace, type ColumnMaskDeclaration } from '../../mask/transform-spec.ts'
import type { Conversation } from './conversation.ts'
import type { ParseThread } from './parse-pool.ts'
import { analyseParsed } from './sql/analyse.ts'
import type { AnalyseOptions, Analysis, MaskFinding, Names, Statement } from './sql/analysis.ts'
import { FIRST_USER_OID } from './sql/catalogue.ts'
import type { FactsCache } from './sql/facts-cache.ts'
import { withoutLiterals } from './sql/hidden-literals.ts'
import { maskable } from './sql/lineage/view-columns.ts'
import { natureOf } from './type-family.ts'

/** Masks of a grant on one catalogue. Shared by sessions whose key is equal. */
export interface Masks {
  readonly key: string
  /** Everything that is masked in records. */
  readonly all: MaskedColumns | undefined
  /** What is masked for the client; decides what statements may do. */
  readonly enforced: MaskedColumns | undefined
  readonly detectors: DetectorSet | undefined
  /** Column masks change what the client sees: errors and notices are hidden too. */
  readonly hides: boolean
  /** Some masks only monitor: client and record see different values. */
  readonly monitors: boolean
  /** Nothing is masked at all. */
  readonly idle: boolean
}

/** One per worker. */
export interface PostgresShared {
  readonly facts: FactsCache
  readonly masks: Map<string, Masks>
  readonly parser: ParseThread
}

const MASKS_MAX = 1000
/** OID that no relation has. */
const UNKNOWN_OID = 0xffffffff

export class SessionMasks {
  readonly #talk: Conversation
  readonly #shared: PostgresShared
  #guard: Guard | undefined
  #names: Names | undefined
  #now: Masks = NOTHING
  #analyseOptions: AnalyseOptions | undefined

  constructor(talk: Conversation, shared: PostgresShared) {
    this.#talk = talk
    this.#shared = shared
  }

  /** The masks that apply now; names that are not known at the moment leave those that applied before. */
  get now(): Masks {
    const { guard } = this.#talk
    const names = this.#talk.keeper.names ?? this.#names
    if (guard !== this.#guard || names !== this.#names) {
      this.#guard = guard
      this.#names = names
      this.#now = this.#find(guard, names)
    }
    return this.#now
  }

  analyse(text: string, names: Names): Analysis {
    return this.#shared.facts.analyse(text, this.#options(names))
  }

  #options(names: Names): AnalyseOptions {
    if (this.#analyseOptions?.names !== names || this.#analyseOptions.masked !== this.now.all) {
      const { functionsRead, identityParameter } = this.#talk.parts.grant.connection
      // Masks that only monitor refuse nothing, but the record must know what touches them.
      const masked = this.now.all
      this.#analyseOptions = { names, masked, functionsRead, identityParameter }
    }
    return this.#analyseOptions
  }

  /** As `analyse`, for a long text: the answer comes in a later turn. */
  analyseElsewhere(text: string, names: Names, done: (analysis: Analysis) => void): void {
    const opaque = (reason: OpaqueReason) => done({ statements: [], opaque: reason })
    this.#shared.parser.parse(text).then(
      (parsed) => {
        if ('reason' in parsed) opaque(parsed)
        else done(analyseParsed(text, parsed, this.#options(names)))
      },
      () => opaque({ reason: 'The text could not be parsed in time.', position: undefined }),
    )
  }

  /** `outputs`: what the analysis says of each, where it could tell (`MaskFinding.outputs`). */
  plan(
    fields: readonly Field[],
    touchesMasked: boolean,
    outputs?: MaskFinding['outputs'],
  ): RowPlan {
    const { all, detectors } = this.now
    const typeOf = (oid: number) => this.#names?.catalogue.type(oid)
    return planRow(
      fields.map((field) => this.#explained(field)),
      {
        masked: all,
        detectors,
        touchesMasked,
        outputs,
        known: (oid) => oid < FIRST_USER_OID || this.#names?.catalogue.relation(oid) !== undefined,
        nature: (field) => natureOf(field, typeOf),
        mayWrite: mayWrite(this.#talk.parts.grant.allow),
        utf8: this.#names?.encoding === 'utf8',
      },
    )
  }

  /**
   * A column that was added after the catalogue was read may be one that a mask names: it counts as unknown. Of one that
   * is known by its own name, an alias does not hide that from detectors.
   */
  #explained(field: Field): Field {
    if (field.relation < FIRST_USER_OID || field.column <= 0) return field
    const columns = this.#names?.catalogue.relation(field.relation)?.columns
    const column = columns?.find(({ number }) => number === field.column)
    if (column === undefined) return { ...field, relation: UNKNOWN_OID }
    return column.name === field.name ? field : { ...field, origin: column.name }
  }

  /** A statement's text as it is recorded: literals that a detector hits, or that meet a masked column, replaced. */
  recordedText(exact: string, statement: Statement): string {
    const { detectors, all } = this.now
    let text = exact
    const meets =
      statement.mask.touches &&
      (statement.mask.meets === true ||
        statement.facts.writes ||
        statement.mask.refusal !== undefined ||
        statement.facts.has_where)
    if (all !== undefined && (meets || statement.opaque !== undefined))
      text = withoutLiterals(exact)
    return detectors === undefined ? text : this.#scanned(text, detectors)
  }

  recordedParams(params: readonly string[], statement: Statement): readonly string[] {
    if (params.length === 0) return params
    const { detectors, all } = this.now
    if (all !== undefined && (statement.mask.touches || statement.opaque !== undefined)) {
      return params.map(() => '****')
    }
    return detectors === undefined ? params : params.map((one) => this.#scanned(one, detectors))
  }

  #scanned(text: string, detectors: DetectorSet): string {
    const bytes = Buffer.from(text)
    if (!detectors.mayHold(bytes, 0, bytes.length)) return text
    const key = this.#talk.parts.worker.maskKey
    const masked = maskText(bytes, { detectors, key, tally: new Map() })
    if (masked === undefined) return text
    return masked === null ? '****' : masked.toString('utf8')
  }

  #find(guard: Guard, names: Names | undefined): Masks {
    const { columns, detectors } = guard.masks
    if (columns.length === 0 && detectors.length === 0) return NOTHING
    // A session's own relations change what the patterns reach: its masks are its own then.
    const { connection, database, allow } = this.#talk.parts.grant
    const mayDefine = allow.has('schema')
    const where = JSON.stringify([connection.name, database, mayDefine, names?.key ?? ''])
    const key = `${guard.key}|${where}`
    const known = this.#shared.masks.get(key)
    if (known !== undefined) return known
    const place = [connection.name, database]
    const made = masksOf(guard, names, { key, place, mayDefine })
    if (this.#shared.masks.size >= MASKS_MAX) this.#shared.masks.clear()
    this.#shared.masks.set(key, made)
    return made
  }
}

/** Any class but `read` may come to write. */
function mayWrite(allow: ReadonlySet<string>): boolean {
  return allow.size > (allow.has('read') ? 1 : 0)
}

/**
 * `key` names guard, place, names and `mayDefine`: equal keys promise equal ones. `mayDefine`: the role may change the
 * schema. It could put guesses into a column of its own, give that a name that a mask says, and see what pseudonyms they
 * have, or which of them a pseudonym is equal to: to it they are redacted.
 */
export function masksOf(
  guard: Guard,
  names: Names | undefined,
  of: { readonly key: string; readonly place: readonly string[]; readonly mayDefine: boolean },
): Masks {
  const { key, place, mayDefine } = of
  const { detectors } = guard.masks
  const columns = guard.masks.columns.map((one) =>
    mayDefine && one.with.type === 'pseudonym' ? { ...one, with: REDACT } : atPlace(one, place),
  )
  if (names === undefined) return blind(guard, key)
  const resolved = (declared: readonly ColumnMaskDeclaration[], part: string) =>
    declared.length === 0
      ? undefined
      : resolveMasks(
          { columns: declared, detectors: [] },
          maskable(names.catalogue),
          `${key}${part}`,
        )
  const all = someOf(resolved(columns, ''))
  const applied = columns.filter((one) => !one.monitor)
  const enforced = applied.length === columns.length ? all : someOf(resolved(applied, '|enforced'))
  return {
    key,
    all,
    enforced,
    detectors: detectors.length === 0 ? undefined : new DetectorSet(detectors),
    hides: enforces(enforced),
    monitors: applied.length < columns.length || detectors.some((one) => one.monitor),
    idle: all === undefined && detectors.length === 0,
  }
}

const REDACT = { type: 'redact' } as const

/** Before names were ever known: whatever is enforced hides everything. */
function blind(guard: Guard, key: string): Masks {
  const { columns, detectors } = guard.masks
  const enforced = columns.some((one) => !one.monitor)
  const nothing = maskedColumns(new Map(), key)
  return {
    key,
    all: columns.length === 0 ? undefined : nothing,
    enforced: enforced ? nothing : undefined,
    detectors: detectors.length === 0 ? undefined : new DetectorSet(detectors),
    hides: enforced,
    monitors: columns.some((one) => one.monitor) || detectors.some((one) => one.monitor),
    idle: false,
  }
}

/** Masks that meet no column of this catalogue are none. */
function someOf(masked: MaskedColumns | undefined): MaskedColumns | undefined {
  return masked === undefined || masked.byRelation.size === 0 ? undefined : masked
}

const NOTHING: Masks = {
  key: '',
  all: undefined,
  enforced: undefined,
  detectors: undefined,
  hides: false,
  monitors: false,
  idle: true,
}
