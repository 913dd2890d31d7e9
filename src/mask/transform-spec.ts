/** Pure. What a mask does to a value, as policy says it (`with:`); which of two is the stronger. */
import type { Detector } from './detectors/detector.ts'

export type Transform =
  | { readonly type: 'null' }
  | { readonly type: 'redact' }
  | { readonly type: 'fixed'; readonly value: string }
  | { readonly type: 'hash' }
  | { readonly type: 'pseudonym'; readonly domain: string }
  | { readonly type: 'partial'; readonly keepFirst: number; readonly keepLast: number }

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

/** Strongest first. */
const ORDER = ['null', 'redact', 'fixed', 'hash', 'pseudonym', 'partial'] as const

/** Masks add up: the stronger of two wins, the first one given among equals. */
export function stronger(one: Transform, other: Transform): Transform {
  return ORDER.indexOf(other.type) < ORDER.indexOf(one.type) ? other : one
}

/** Masks of one grant as policy declares them, not yet resolved to a catalogue. */
export interface MaskDeclarations {
  readonly columns: readonly ColumnMaskDeclaration[]
  readonly detectors: readonly DetectorMaskDeclaration[]
}

export interface ColumnMaskDeclaration {
  /** `schema.table.column`, each part a name or `*`. Lower-case unless quoted in the policy. */
  readonly pattern: readonly [schema: string, table: string, column: string]
  readonly with: Transform
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
  readonly with: Transform
  readonly monitor: boolean
  readonly rule: string
}
