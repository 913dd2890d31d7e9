/**
 * Pure. Where two versions mask what detectors find, and do it differently: whether a recorded result would have come out
 * otherwise, as far as its record tells.
 *
 * The record says how many values of a result each detector hit. One that was hit and is treated otherwise now changes the
 * result; one that was not there to hit anything may have. A result without rows has nothing to hit.
 */
import type { Guard, PolicySet } from '../decide/policy.ts'
import type { DetectorMaskDeclaration } from '../mask/transform-spec.ts'
import type { RecordedGroup } from './recorded.ts'

/** A text: why it cannot be told. */
export type DetectorChange =
  | { readonly type: 'same' }
  | { readonly type: 'changes'; readonly is: string }
  | { readonly type: 'unknown'; readonly because: string }

interface Difference {
  /** Detectors of before that are treated otherwise → how, before and now. */
  readonly changed: ReadonlyMap<string, string>
  /** Those that were not there, or found by another pattern. */
  readonly added: readonly string[]
}

/** Some mask by detector of one version is not in the other: outcomes must be asked for. */
export function detectorsDiffer(one: PolicySet, other: PolicySet): boolean {
  const said = ({ policies }: PolicySet): string =>
    JSON.stringify(
      policies.map(({ connections, roles, masks, monitor }) => [
        connections,
        roles,
        monitor,
        masks.detectors.map(keyOf).sort(),
      ]),
    )
  return said(one) !== said(other)
}

const SAME: DetectorChange = { type: 'same' }

export function detectorChange(
  { result }: Pick<RecordedGroup, 'result'>,
  guards: { readonly before: Guard; readonly now: Guard },
): DetectorChange {
  const { changed, added } = differenceOf(guards.before, guards.now)
  if (changed.size === 0 && added.length === 0) return SAME
  if (result === undefined)
    return { type: 'unknown', because: 'detectors differ, and no outcome was recorded' }
  const hit = result.hits.find((name) => changed.has(name))
  if (hit !== undefined) return { type: 'changes', is: `${hit}: ${changed.get(hit)}` }
  if (added.length === 0 || !result.hasRows) return SAME
  return {
    type: 'unknown',
    because: `whether ${added[0]} finds something in a result is not recorded`,
  }
}

const known = new WeakMap<Guard, WeakMap<Guard, Difference>>()

function differenceOf(before: Guard, now: Guard): Difference {
  let found = known.get(before)
  if (found === undefined) {
    found = new WeakMap()
    known.set(before, found)
  }
  const kept = found.get(now)
  if (kept !== undefined) return kept
  const made = difference(before, now)
  found.set(now, made)
  return made
}

function difference(before: Guard, now: Guard): Difference {
  const [old, present] = [before, now].map(({ masks }) => byName(masks.detectors)) as [Uses, Uses]
  const changed = new Map<string, string>()
  const added: string[] = []
  for (const name of new Set([...old.keys(), ...present.keys()])) {
    const [was, is] = [old.get(name), present.get(name)]
    if (was?.how === is?.how && was?.pattern === is?.pattern) continue
    if (was !== undefined) changed.set(name, `${was.how} → ${is?.how ?? 'none'}`)
    // What it would find that the former did not, nobody has counted.
    if (is !== undefined && was?.pattern !== is.pattern) added.push(name)
  }
  return { changed, added }
}

type Uses = ReadonlyMap<string, { readonly how: string; readonly pattern: string }>

/** All that policies say of one detector together; the stronger wins, whichever stands first. */
function byName(declarations: readonly DetectorMaskDeclaration[]): Uses {
  const uses = new Map<string, { how: string; pattern: string }>()
  for (const one of declarations) {
    const other = uses.get(one.detector)
    const how = [...new Set([...(other?.how.split(', ') ?? []), howOf(one)])].sort().join(', ')
    const pattern = `${other?.pattern ?? ''}${patternOf(one)}`
    uses.set(one.detector, { how, pattern })
  }
  return uses
}

function howOf({ with: how, monitor }: DetectorMaskDeclaration): string {
  const rest = Object.entries(how).filter(([key]) => key !== 'type')
  const more =
    rest.length === 0 ? '' : ` ${rest.map(([key, value]) => `${key} ${value}`).join(' ')}`
  return `${how.type}${more}${monitor ? ' (monitor)' : ''}`
}

function patternOf({ custom }: DetectorMaskDeclaration): string {
  if (custom === undefined) return ''
  const { forms, words = [] } = custom
  return JSON.stringify([forms.map(({ source }) => source), words])
}

function keyOf(one: DetectorMaskDeclaration): string {
  return `${one.detector} ${howOf(one)} ${patternOf(one)}`
}
