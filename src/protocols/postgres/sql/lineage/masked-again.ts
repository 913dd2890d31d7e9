/**
 * Pure. Whether a text is what a mask has shown: writing it back would destroy the value (semantics §5, "Pseudonyms").
 */
import { DOCUMENT_BYTES_MAX } from '../../../../mask/json-paths.ts'
import type { PathMask, Transform } from '../../../../mask/transform-spec.ts'
import { isPart } from '../nodes.ts'

export interface Refused {
  readonly reason: string
  readonly hint: string
}

/** Deeper nesting of arrays is not looked into. */
const DEPTH_MAX = 500

export function maskedAgain(label: string): Refused {
  return {
    reason: `${label} is masked, and what a mask shows is no value to write back.`,
    hint: 'Leave the column out of what you write; its value stays as it is.',
  }
}

/** A text that this transform could have made; of a value that only looks so nobody can tell the difference. */
export function looksMasked(given: string, transform: Transform): boolean {
  // jsonb in binary has a version byte before it.
  const text = given.startsWith('\u0001') ? given.substring(1) : given
  switch (transform.type) {
    case 'redact':
      return /^\*{1,4}$|^"\*{4}"$|^[0-]{36}$/.test(text)
    case 'fixed':
      return text === transform.value || text === JSON.stringify(transform.value)
    case 'hash':
      return /^"?[0-9a-f]{16}"?$/.test(text)
    case 'partial': {
      const { keepFirst, keepLast } = transform
      const points = [...text]
      const hidden = points.filter((_, at) => at >= keepFirst && at < points.length - keepLast)
      return points.length > 0 && (hidden.length > 0 ? hidden : points).every((one) => one === '*')
    }
    case 'paths':
      return holdsMasked(text, transform.paths)
    default:
      return false
  }
}

/** A document, or a part of one, in which something stands that these masks could have put there. */
function holdsMasked(text: string, masks: readonly PathMask[]): boolean {
  // A larger one was never shown but as a whole.
  if (text.length > DOCUMENT_BYTES_MAX) return false
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return false
  }
  return masks.some(
    ({ path, transform }) =>
      // `SET d['a'] = …` writes what may stand anywhere on the way.
      path.some((_, from) =>
        valuesAt(document, path, from).some((one) => isShown(one, transform)),
      ) || isShown(document, transform),
  )
}

function isShown(value: unknown, transform: Transform): boolean {
  return typeof value === 'string' && looksMasked(value, transform)
}

/** Arrays on the way are walked through, and so is one at its end. */
function valuesAt(value: unknown, path: readonly string[], from: number, depth = 0): unknown[] {
  if (depth > DEPTH_MAX) return []
  if (Array.isArray(value))
    return value.flatMap((one: unknown) => valuesAt(one, path, from, depth + 1))
  if (from === path.length) return [value]
  const key = path[from]!
  if (!isPart(value) || !Object.hasOwn(value, key)) return []
  return valuesAt(value[key], path, from + 1, depth + 1)
}
