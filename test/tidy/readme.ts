/** Pure. The parts of the README that are made from the source, so that they cannot say something else. */
import { ERRORS, type ErrorCode } from '../../src/base/errors.ts'
import { FACT_GROUPS, FINDING, SINGLE_FACTS } from '../../src/decide/facts/schema.ts'
import { SQLSTATE } from '../../src/protocols/postgres/write.ts'

/** Name of a part → its text, to stand between `<!-- generated: name -->` and `<!-- end: name -->`. */
export const PARTS: Readonly<Record<string, () => string>> = {
  errors: () =>
    table(
      ['code', 'SQLSTATE', 'verdict', 'whose', 'ends', 'the client reads'],
      (Object.keys(ERRORS) as ErrorCode[]).map((code) => {
        const { verdict, side, ends, say } = ERRORS[code]
        return [`\`${code}\``, SQLSTATE[code], verdict, side, `the ${ends}`, say]
      }),
    ),
  facts: () =>
    table(
      ['fact', 'type'],
      [
        ...Object.entries(FACT_GROUPS).flatMap(([group, facts]) =>
          Object.entries(facts).map(([name, type]) => [`\`${group}.${name}\``, `\`${type}\``]),
        ),
        ...Object.entries(SINGLE_FACTS).map(([name, type]) => [`\`${name}\``, `\`${type}\``]),
        ...Object.entries(FINDING).map(([name, type]) => [`\`findings[].${name}\``, `\`${type}\``]),
      ],
    ),
}

/** The text with every part made anew. Throws when a part has no place in it. */
export function withParts(text: string): string {
  return Object.entries(PARTS).reduce((made, [name, part]) => withPart(made, name, part()), text)
}

export function withPart(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the README has no place for ${name}`)
  const [before, after] = [text.substring(0, from + begin.length), text.substring(to)]
  return `${before}\n\n${part}\n\n${after}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
