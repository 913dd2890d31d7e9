/** Pure. What becomes of values where nothing total is made of them, and where several meet in one. */
import { widens } from './sizes.ts'
import { derived, either, type Value } from './value.ts'
import type { Place, Use, Walk } from './walk.ts'

/** Where an expression stands. */
export interface Spot {
  readonly place: Place
  readonly use: Use
}

/** By something that could tell a masked value: refused where a value stands. */
export function other(walk: Walk, parts: readonly Value[], at: Spot): Value {
  const value = derived(parts, { how: 'other', kind: undefined })
  if (at.use === 'value') walk.forbid(value.marks)
  return value
}

/** By something total, of parts that may not be: even where nobody reads it, it may be worked out. */
export function computed(walk: Walk, value: Value, at: Spot): Value {
  if (value.how === 'other' && at.use === 'value') walk.forbid(value.marks)
  return value
}

/** Numbers that must be written out for the sake of another tell by their digits what they are. */
function together(value: Value, values: readonly Value[]): Value {
  const shows = value.kind === 'numeric' && values.length > 1 && widens(values)
  return shows ? derived([value], { how: 'other', kind: undefined }) : value
}

/** As `either`, in a type that all of them must take. */
export function meeting(walk: Walk, values: readonly Value[], at: Spot): Value {
  const value =
    values.length === 1
      ? derived(values, { how: 'total', kind: values[0]!.kind })
      : together(either(values), values)
  if (value.how === 'other' && at.use === 'value') walk.forbid(value.marks)
  return value
}
