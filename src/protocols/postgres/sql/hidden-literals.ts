/**
 * Pure. A statement's text with every value in it replaced, for records of statements that meet a masked column.
 *
 * Reads tokens only, so that it also serves texts that do not parse. What it cannot tell apart it hides: comments,
 * and everything behind a quote that is not closed.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

const TOKEN =
  /(?<comment>--[^\n]*|\/\*)|(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|(?<parameter>\$\d+)|(?<string>(?:[eE]|[bBxXnN]|[uU]&)?')|(?<quoted>(?:[uU]&)?"(?:[^"]|"")*(?:"|$))|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<number>\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?)/gy

export function withoutLiterals(text: string): string {
  let out = ''
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const groups = TOKEN.exec(text)?.groups
    if (groups === undefined) {
      out += text[at]
      at += 1
      continue
    }
    const end = TOKEN.lastIndex
    if (groups.comment !== undefined) {
      at = groups.comment === '/*' ? commentEnd(text, end) : end
      out += '/* **** */'
    } else if (groups.dollar !== undefined) {
      at = behind(text, groups.dollar, end)
      out += "'****'"
    } else if (groups.string !== undefined) {
      at = stringEnd(text, end, /^e/i.test(groups.string))
      out += "'****'"
    } else {
      at = end
      out +=
        groups.number === undefined ? text.substring(TOKEN.lastIndex - lengthOf(groups), end) : '?'
    }
  }
  return out
}

function lengthOf(groups: Record<string, string | undefined>): number {
  return (groups.parameter ?? groups.quoted ?? groups.word ?? '').length
}

/** Comments nest in PostgreSQL. */
function commentEnd(text: string, from: number): number {
  let depth = 1
  let at = from
  while (at < text.length && depth > 0) {
    if (text.startsWith('/*', at)) {
      depth += 1
      at += 2
    } else if (text.startsWith('*/', at)) {
      depth -= 1
      at += 2
    } else at += 1
  }
  return at
}

function behind(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at + mark.length
}

function stringEnd(text: string, from: number, escapes: boolean): number {
  let at = from
  while (at < text.length) {
    if (escapes && text[at] === '\\') at += 2
    else if (text[at] !== "'") at += 1
    else if (text[at + 1] === "'") at += 2
    else return at + 1
  }
  return text.length
}
