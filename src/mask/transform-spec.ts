/** Pure. What a mask does to a value, as policy says it (`with:`); which of two is the stronger; masks of parts of a document. */
import type { Detector } from './detectors/detector.ts'

export type Transform = ValueTransform | PathTransform

/** What becomes of one value, whatever stands around it. */
export type ValueTransform =
  | { readonly type: 'null' }
  | { readonly type: 'redact' }
  | { readonly type: 'fixed'; readonly value: string }
  | { readonly type: 'hash' }
  | { readonly type: 'pseudonym'; readonly domain: string }
  | { readonly type: 'partial'; readonly keepFirst: number; readonly keepLast: number }

/** Parts of a JSON document are masked, the rest of it stays. */
export interface PathTransform {
  readonly type: 'paths'
  readonly paths: readonly PathMask[]
}

export interface PathMask {
  /** Keys from the root; arrays on the way are walked through. Empty: the whole document. */
  readonly path: readonly string[]
  readonly transform: ValueTransform
  /** As of a column's mask. One document may have parts of both kinds. */
  readonly monitor: boolean
  /** `schema.table.column->'key'`. */
  readonly name: string
}

/**
 * A pseudonym's domain that policy did not name: empty, or `\0` and where the column is. No name that
 * policy gives begins so.
 */
export function isOwnDomain(domain: string): boolean {
  return domain === '' || domain.startsWith('\0')
}

/** The declaration as it holds at one place: a domain without a name is that place's own. */
export function atPlace(
  declaration: ColumnMaskDeclaration,
  place: readonly string[],
): ColumnMaskDeclaration {
  const how = declaration.with
  if (how.type !== 'pseudonym' || how.domain !== '') return declaration
  return { ...declaration, with: { type: 'pseudonym', domain: ['', ...place].join('\0') } }
}

/** Strongest first; masks of parts of a document leave the most of it. */
const ORDER = ['null', 'redact', 'fixed', 'hash', 'pseudonym', 'partial', 'paths'] as const

/** Masks add up: the stronger of two wins, the first one given among equals; parts of a document are masked both. */
export function stronger(one: ValueTransform, other: ValueTransform): ValueTransform
export function stronger(one: Transform, other: Transform): Transform
export function stronger(one: Transform, other: Transform): Transform {
  if (one.type === 'paths' && other.type === 'paths') return together(one, other)
  return ORDER.indexOf(other.type) < ORDER.indexOf(one.type) ? other : one
}

/** The first itself where the other adds nothing. */
export function together(one: PathTransform, other: PathTransform): PathTransform {
  const known = new Set(one.paths.map((each) => JSON.stringify(each)))
  const added = other.paths.filter((each) => !known.has(JSON.stringify(each)))
  return added.length === 0 ? one : { type: 'paths', paths: [...one.paths, ...added] }
}

/** `->'a'->'b'`, as policy writes it. */
export function pathText(path: readonly string[]): string {
  return path.map((key) => `->'${key.replaceAll("'", "''")}'`).join('')
}

/** Masks of one grant as policy declares them, not yet resolved to a catalogue. */
export interface MaskDeclarations {
  readonly columns: readonly ColumnMaskDeclaration[]
  readonly detectors: readonly DetectorMaskDeclaration[]
}

export interface ColumnMaskDeclaration {
  /** `schema.table.column`, each part a name or `*`. Lower-case unless quoted in the policy. */
  readonly pattern: readonly [schema: string, table: string, column: string]
  /** Keys to a part of the JSON documents in it; left out: the column itself. */
  readonly path?: readonly string[]
  readonly with: ValueTransform
  readonly inPredicates: 'deny' | 'allow'
  readonly derived: 'mask' | 'deny'
  /** True: of a policy in `mode: monitor`; the client sees clear values, records stay masked. */
  readonly monitor: boolean
  /** `policy/index`, for messages and records. */
  readonly rule: string
}

export interface DetectorMaskDeclaration {
  readonly detector: string
  /** That of the policy's own; left out for known ones. */
  readonly custom?: Detector
  readonly with: ValueTransform
  readonly monitor: boolean
  readonly rule: string
}
