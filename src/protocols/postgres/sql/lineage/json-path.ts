/**
 * Pure. Constant steps into a document, and the texts of the SQL/JSON path language that are nothing but such steps:
 *
 *   ('lax' | 'strict')? '$' ( '.' name | '."' text '"' | '[' number ']' | '[*]' )*
 *
 * Everything else of that language (filters, methods, wildcards, variables, escapes) is not read. In lax mode a key of
 * an array is that key of its elements, which is how masks walk through arrays too (mask/json-paths.ts).
 * https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-SQLJSON-PATH
 */

/** A key; a place in an array; or a text that is the one in an object and the other in an array. */
export type Step = { readonly key: string } | 'place' | { readonly either: string }

const STEP = /\s*(?:\.\s*(?:([A-Za-z_][A-Za-z0-9_]*)|"([^"\\]*)")|(\[\s*(?:\*|\d+)\s*\]))\s*/y
const START = /^\s*(?:(?:lax|strict)\s+)?\$/i

/** undefined: it is more than steps. */
export function stepsOfPath(text: string): readonly Step[] | undefined {
  const start = START.exec(text)
  if (start === null) return undefined
  const steps: Step[] = []
  let at = start[0].length
  const end = text.trimEnd().length
  while (at < end) {
    STEP.lastIndex = at
    const found = STEP.exec(text)
    if (found === null) return undefined
    const key = found[1] ?? found[2]
    steps.push(key === undefined ? 'place' : { key })
    at = STEP.lastIndex
  }
  return steps
}
