/** Pure once the parser is loaded. Lineage of a text over the sample catalogue, in a form that is short to compare. */
import { lineageOf } from '../../../../../src/protocols/postgres/sql/lineage/lineage.ts'
import { MASKED, NAMES } from '../sample.ts'

export const OPTIONS = {
  names: NAMES,
  masked: MASKED,
  functionsRead: [],
  identityParameter: undefined,
}

export function lineage(text: string) {
  const [first] = lineageOf(text, OPTIONS) ?? []
  if (first === undefined) throw new Error(`not read: ${text}`)
  return first
}

/** `name how column,column` of each output; schemas are left out. */
export function shown(text: string): string[] | undefined {
  return lineage(text).outputs?.map(({ name, how, columns }) =>
    [name ?? '', how, columns.map((one) => one.replace('public.', '')).join(',')].join(' ').trim(),
  )
}
