/**
 * Pure. COPY in its forms: to and from the client, a file of the server, a program on the server.
 * https://www.postgresql.org/docs/current/sql-copy.html
 */
import type { CopyForm } from './analysis.ts'
import { optionText } from './constants.ts'
import { expression } from './expressions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import { isUtf8 } from './parameters.ts'
import type { Node } from './parse.ts'
import { type Place, placeOf, reads, tableScope, writes } from './relations.ts'

export function copy(g: Gathered, inside: Part): void {
  g.tag('COPY')
  const into = inside.is_from === true
  const place = isPart(inside.relation) ? placeOf(g, inside.relation) : undefined
  if (place !== undefined) table(g, { inside, place, into })
  if (isPart(inside.query)) {
    g.walkers.statement(g, undefined, inside.query)
    g.returnsRows = false
  }
  if (inside.filename !== undefined || inside.is_program === true) {
    g.copy = inside.is_program === true ? 'program' : 'file'
    g.run('admin', `COPY with a ${g.copy} reaches the server itself`)
    if (!into || inside.is_program === true) g.change({ bounded: false })
  } else {
    g.copy = into ? 'in' : 'out'
    g.effect.copy = formOf(g, inside, place)
  }
}

function table(g: Gathered, one: { inside: Part; place: Place; into: boolean }): void {
  const { inside, place, into } = one
  const named = listed(inside)
  for (const column of named ?? place.relation?.columns.map((each) => each.name) ?? ['*'])
    g.columns.add(`${place.name}.${column}`)
  if (!into) {
    g.give('read', 'COPY … TO is a read')
    reads(g, place)
    return
  }
  g.give('write', 'COPY … FROM is a write')
  writes(g, place, { bounded: true, cascades: false })
  expression(g, tableScope(place), inside.whereClause)
}

/** The columns in parentheses; undefined where there are none. */
function listed(inside: Part): readonly string[] | undefined {
  return inside.attlist === undefined ? undefined : dotted(inside.attlist as Node[])
}

/** Defaults by format as PostgreSQL has them. */
function formOf(g: Gathered, inside: Part, place: Place | undefined): CopyForm {
  const options = new Map<string, string | undefined>()
  for (const one of Array.isArray(inside.options) ? inside.options : [])
    if (isPart(one) && isPart(one.DefElem)) {
      const { defname, arg } = one.DefElem
      const text = optionText(arg)
      // Read another way than the target reads it, one row's fields would be taken for another's.
      if (text === undefined && arg !== undefined && TOLD.has(String(defname)))
        g.notUnderstood('An option of COPY could not be read.')
      options.set(String(defname), text)
    }
  const said = options.get('format')
  const format = said === 'csv' || said === 'binary' ? said : 'text'
  const quote = options.get('quote') ?? '"'
  const header = options.has('header') ? (options.get('header') ?? 'true').toLowerCase() : 'false'
  const encoding = options.has('encoding') ? (options.get('encoding') ?? '') : 'UTF8'
  return {
    direction: inside.is_from === true ? 'in' : 'out',
    format,
    delimiter: options.get('delimiter') ?? (format === 'csv' ? ',' : '\t'),
    quote,
    escape: options.get('escape') ?? quote,
    nullText: options.get('null') ?? (format === 'csv' ? '' : '\\N'),
    header: !['false', 'off', '0'].includes(header),
    utf8: g.trust.names.encoding === 'utf8' && isUtf8(encoding),
    table: place !== undefined,
    columns: place === undefined ? undefined : fieldsOf(inside, place),
  }
}

/** What the form hangs on; the others say names of columns, or nothing of what is sent. */
const TOLD = new Set(['format', 'delimiter', 'quote', 'escape', 'null', 'header', 'encoding'])

/** Which column each field is; undefined where the catalogue does not say. Generated columns are left out. */
function fieldsOf(inside: Part, place: Place): CopyForm['columns'] {
  const relation = place.relation
  if (relation === undefined) return undefined
  const named = listed(inside)
  if (named === undefined)
    return relation.columns
      .filter((one) => one.generatedFrom.length === 0)
      .map((one) => ({ relation: relation.oid, column: one.number }))
  const fields = named.map((name) => relation.columns.find((one) => one.name === name))
  if (fields.some((one) => one === undefined)) return undefined
  return fields.map((one) => ({ relation: relation.oid, column: one!.number }))
}
