/** Pure. Parameter values of a Bind as text, for rules and records: binary ones as `\x…`, long ones cut. */
import { type BindBody, formatAt } from './read.ts'

/** Longest value that is kept; what is cut off is said. */
export const PARAM_BYTES_MAX = 1024
/** Most bytes of all values of one Bind that are kept. */
const PARAMS_BYTES_MAX = 64 << 10

/** `whole`: nothing is cut, because rules will read the values. */
export function parameterTexts(
  body: Pick<BindBody, 'formats' | 'values'>,
  bytes: Buffer,
  whole: boolean,
): readonly string[] {
  const { values, formats } = body
  const texts = new Array<string>(values.length / 2)
  let left = whole ? Number.POSITIVE_INFINITY : PARAMS_BYTES_MAX
  const each = whole ? Number.POSITIVE_INFINITY : PARAM_BYTES_MAX
  for (let i = 0; i < texts.length; i++) {
    const start = values[2 * i]!
    const size = values[2 * i + 1]!
    const kept = Math.min(size, each, left)
    texts[i] = size < 0 ? 'NULL' : textOf(bytes, { start, size, kept }, formatAt(formats, i))
    left -= Math.max(kept, 0)
  }
  return texts
}

function textOf(
  bytes: Buffer,
  span: { start: number; size: number; kept: number },
  format: number,
): string {
  const { start, size, kept } = span
  const text =
    format === 0
      ? bytes.toString('utf8', start, start + kept)
      : `\\x${bytes.toString('hex', start, start + kept)}`
  return kept < size ? `${text}… (${size} bytes)` : text
}

/** Values as they are recorded. */
export function cutForRecord(params: readonly string[]): readonly string[] {
  let left = PARAMS_BYTES_MAX
  let whole = true
  for (const value of params) {
    left -= value.length
    if (value.length > PARAM_BYTES_MAX + 32 || left < 0) whole = false
  }
  if (whole) return params
  left = PARAMS_BYTES_MAX
  return params.map((value) => {
    const kept = Math.max(0, Math.min(PARAM_BYTES_MAX, left))
    left -= kept
    return value.length <= kept
      ? value
      : `${value.substring(0, kept)}… (${value.length} characters)`
  })
}
