/**
 * Pure. Ties column masks, as policy names them, to (relation, attribute number) of one catalogue,
 * and follows the values to where the target itself shows them: partitions, inheritance parents and
 * children (a parent's rows carry the parent's identity although a child stores them), generated
 * columns, views, and the system catalogues that keep samples of values or texts of statements.
 *
 * Errs on the side of more: a view of which nobody knows what its columns show is masked in all of
 * them, and no use of them passes.
 */
import { CARRIERS } from './carriers.ts'
import type { ColumnMask, MaskedColumns } from './plan.ts'
import {
  type ColumnMaskDeclaration,
  isOwnDomain,
  type MaskDeclarations,
  type PathTransform,
  pathText,
  stronger,
  type Transform,
  together,
  type ValueTransform,
} from './transform-spec.ts'

/** What this file asks of a catalogue; the PostgreSQL one fits as it is. */
export interface MaskableCatalogue {
  readonly epoch: number
  relation(oid: number): MaskableRelation | undefined
  relations(): Iterable<MaskableRelation>
  /** What each column of a view shows, by its number; undefined where nobody knows. */
  shows?(view: number): ReadonlyMap<number, readonly ShownColumn[]> | undefined
  /** A column that is computed whenever it is read, by what may fail where it is computed from one value and not from another. */
  mayFail?(relation: number, column: number): boolean
}

export interface ShownColumn {
  readonly relation: number
  /** 0: the whole row. */
  readonly column: number
  /** `same`: it is that column; `total`, `other`: computed, by functions that may tell a value or not. */
  readonly how: 'same' | 'total' | 'other'
}

export interface MaskableRelation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind?: string
  readonly columns: readonly {
    readonly number: number
    readonly name: string
    readonly generatedFrom: readonly number[]
  }[]
  readonly children: readonly number[]
  readonly parents: readonly number[]
  /** Views: columns (0: whole row, or none named) they read directly. */
  readonly reads: readonly { readonly relation: number; readonly column: number }[]
}

/** `policyKey` names the declarations: equal keys promise equal declarations. */
export function resolveMasks(
  declarations: MaskDeclarations,
  catalogue: MaskableCatalogue,
  policyKey: string,
): MaskedColumns {
  const spread = new Spread(catalogue)
  for (const relation of catalogue.relations()) {
    for (const declaration of declarations.columns) declare(spread, relation, declaration)
  }
  spread.run()
  if (spread.byRelation.size > 0) {
    maskCarriers(spread, catalogue)
    spread.run()
  }
  return maskedColumns(spread.byRelation, `${policyKey}/${catalogue.epoch}`)
}

/** Look-ups over resolved masks. */
export function maskedColumns(
  byRelation: ReadonlyMap<number, ReadonlyMap<number, ColumnMask>>,
  key: string,
): MaskedColumns {
  return {
    byRelation,
    key,
    column: (relation, column) => byRelation.get(relation)?.get(column),
    touches: (relation) => byRelation.has(relation),
  }
}

function declare(
  spread: Spread,
  relation: MaskableRelation,
  declaration: ColumnMaskDeclaration,
): void {
  const [schema, table, wanted] = declaration.pattern
  if (!fits(schema, relation.schema) || !fits(table, relation.name)) return
  // `*.*.name` means the schemas that people made; the system's own must be named.
  if (schema === '*' && SYSTEM_SCHEMAS.has(relation.schema)) return
  for (const { number, name } of relation.columns) {
    if (!fits(wanted, name)) continue
    const column = `${relation.schema}.${relation.name}.${name}`
    spread.add(relation.oid, number, {
      transform: isOwn(relation)
        ? redactGuesses(declared(declaration, column))
        : declared(declaration, column),
      inPredicates: declaration.inPredicates,
      derived: declaration.derived,
      monitor: declaration.monitor,
      rule: declaration.rule,
      name: column,
    })
  }
}

function declared({ path, with: how, monitor }: ColumnMaskDeclaration, column: string): Transform {
  if (path === undefined) return ofColumn(how, column)
  const name = `${column}${pathText(path)}`
  return { type: 'paths', paths: [{ path, transform: ofColumn(how, name), monitor, name }] }
}

/** A pseudonym without a domain belongs to its column, in that database of that connection. */
function ofColumn(transform: ValueTransform, name: string): ValueTransform {
  if (transform.type !== 'pseudonym' || !isOwnDomain(transform.domain)) return transform
  return { type: 'pseudonym', domain: `${transform.domain}\0${name}` }
}

/** The session's own temporary relations hold what it put there itself: masked forms of that answer guesses. */
function isOwn(relation: MaskableRelation): boolean {
  return relation.schema === 'pg_temp'
}

function redactGuesses(transform: Transform): Transform {
  if (transform.type === 'paths')
    return {
      type: 'paths',
      paths: transform.paths.map((one) =>
        tells(one.transform) ? { ...one, transform: REDACT } : one,
      ),
    }
  return tells(transform) ? REDACT : transform
}

function tells({ type }: Transform): boolean {
  return type === 'hash' || type === 'pseudonym'
}

const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema'])

function fits(part: string, name: string): boolean {
  return part === '*' || part === name
}

/**
 * Masks columns that hold samples of masked values; only while some column is masked (semantics §5,
 * "Carriers").
 */
function maskCarriers(spread: Spread, catalogue: MaskableCatalogue): void {
  const monitor = spread.onlyMonitors()
  for (const relation of catalogue.relations()) {
    const carrier = CARRIERS.get(relation.name)
    if (carrier === undefined || !(carrier.anySchema || relation.schema === 'pg_catalog')) continue
    for (const { number, name } of relation.columns) {
      if (!carrier.columns.includes(name)) continue
      spread.add(relation.oid, number, {
        transform: { type: 'redact' },
        inPredicates: 'deny',
        derived: 'mask',
        monitor,
        rule: 'carriers',
        name: `${relation.schema}.${relation.name}.${name}`,
      })
    }
  }
}

/**
 * Two masks of one column: an enforced one beats one that only monitors, else the stronger
 * transform counts. Parts of a document say each for itself whether they monitor.
 */
function combine(one: ColumnMask, other: ColumnMask): ColumnMask {
  if (one.monitor !== other.monitor) {
    const [enforced, watched] = one.monitor ? [other, one] : [one, other]
    if (enforced.transform.type !== 'paths') return enforced
    const transform = together(enforced.transform, asParts(watched))
    return transform === enforced.transform ? enforced : { ...enforced, transform }
  }
  const transform = stronger(one.transform, other.transform)
  return {
    ...(transform === one.transform ? one : other),
    transform,
    inPredicates: one.inPredicates === 'deny' ? 'deny' : other.inPredicates,
    derived: one.derived === 'deny' ? 'deny' : other.derived,
    ...(one.fallible || other.fallible ? { fallible: true } : {}),
  }
}

/** A mask of the whole as one of its parts: that at its root. */
function asParts({ transform, monitor, name }: ColumnMask): PathTransform {
  if (transform.type === 'paths') return transform
  return { type: 'paths', paths: [{ path: [], transform, monitor, name }] }
}

function isSame(one: ColumnMask, other: ColumnMask): boolean {
  return (
    one.transform === other.transform &&
    one.monitor === other.monitor &&
    one.inPredicates === other.inPredicates &&
    one.derived === other.derived &&
    one.fallible === other.fallible
  )
}

/** Masks and what they reach. Each step only makes a mask stronger, so that it comes to an end. */
class Spread {
  readonly byRelation = new Map<number, Map<number, ColumnMask>>()
  readonly #catalogue: MaskableCatalogue
  readonly #readers: ReadonlyMap<number, readonly MaskableRelation[]>
  readonly #open: { relation: number; column: number }[] = []

  constructor(catalogue: MaskableCatalogue) {
    this.#catalogue = catalogue
    this.#readers = readersOf(catalogue)
  }

  add(relation: number, column: number, mask: ColumnMask): void {
    let columns = this.byRelation.get(relation)
    if (columns === undefined) {
      columns = new Map()
      this.byRelation.set(relation, columns)
    }
    const before = columns.get(column)
    const after = before === undefined ? mask : combine(before, mask)
    if (before !== undefined && isSame(before, after)) return
    columns.set(column, after)
    this.#open.push({ relation, column })
  }

  run(): void {
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      const relation = this.#catalogue.relation(next.relation)
      const mask = this.byRelation.get(next.relation)?.get(next.column)
      if (relation === undefined || mask === undefined) continue
      this.#kin(relation, next.column, mask)
      this.#generated(relation, next.column, mask)
      this.#views(relation, next.column, mask)
    }
  }

  onlyMonitors(): boolean {
    for (const columns of this.byRelation.values()) {
      for (const mask of columns.values()) if (!mask.monitor) return false
    }
    return true
  }

  /** Partitions and inheritance tie columns by name. */
  #kin(relation: MaskableRelation, column: number, mask: ColumnMask): void {
    const name = relation.columns.find((one) => one.number === column)?.name
    for (const oid of [...relation.children, ...relation.parents]) {
      const same = this.#catalogue.relation(oid)?.columns.find((one) => one.name === name)
      if (same !== undefined) this.add(oid, same.number, mask)
    }
  }

  #generated(relation: MaskableRelation, column: number, mask: ColumnMask): void {
    for (const { number, generatedFrom } of relation.columns) {
      if (!generatedFrom.includes(column)) continue
      const fails = this.#catalogue.mayFail?.(relation.oid, number) === true
      this.add(relation.oid, number, fails ? { ...derived(mask), fallible: true } : derived(mask))
    }
  }

  #views(relation: MaskableRelation, column: number, mask: ColumnMask): void {
    for (const view of this.#readers.get(relation.oid) ?? []) {
      // The statistics and activity views are masked by column, so that monitoring goes on.
      if (view.schema === 'pg_catalog' && CARRIERS.has(view.name)) continue
      // Which columns it reads says nothing: a row read whole leaves no trace beside a column that is named.
      this.#shown(view, { relation: relation.oid, column }, mask)
    }
  }

  /** A view's columns by what each of them shows; all of them where nobody knows. */
  #shown(view: MaskableRelation, of: { relation: number; column: number }, mask: ColumnMask): void {
    // What a materialised view holds was computed when it was filled.
    const told: ColumnMask =
      view.kind === 'm' ? derived(mask) : { ...derived(mask), fallible: true }
    const shows = this.#catalogue.shows?.(view.oid)
    for (const { number } of view.columns) {
      const sources = shows === undefined ? ANY : (shows.get(number) ?? ANY)
      for (const { relation, column, how } of sources) {
        if (sources !== ANY && relation !== of.relation) continue
        if (sources !== ANY && column !== 0 && column !== of.column) continue
        if (how === 'other') this.add(view.oid, number, told)
        else this.add(view.oid, number, how === 'same' ? mask : derived(mask))
      }
    }
  }
}

const ANY: readonly ShownColumn[] = [{ relation: 0, column: 0, how: 'other' }]

/** partial, hash and pseudonym hold for a column itself; what is computed from it is redacted. */
function derived(mask: ColumnMask): ColumnMask {
  const { type } = mask.transform
  return type === 'null' || type === 'fixed' ? mask : { ...mask, transform: REDACT }
}

const REDACT = { type: 'redact' } as const

/** For each relation the views that read it directly. */
function readersOf(catalogue: MaskableCatalogue): ReadonlyMap<number, readonly MaskableRelation[]> {
  const readers = new Map<number, MaskableRelation[]>()
  for (const relation of catalogue.relations()) {
    for (const oid of new Set(relation.reads.map((read) => read.relation))) {
      const views = readers.get(oid)
      if (views === undefined) readers.set(oid, [relation])
      else views.push(relation)
    }
  }
  return readers
}
