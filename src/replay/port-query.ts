/**
 * Pure. What a request of ClickHouse's HTTP interface asks for on the auditors' port: one text, and the form of its answer.
 *
 * A `FORMAT` at the end of the text is taken off it, since the sandbox knows none. Settings are not looked at.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { AUDIT_TEXT_MAX } from './audit.ts'

export type PortQuery =
  | { readonly text: string; readonly format: string }
  | { readonly problem: string }

/** Those that are nothing but rows; no templates, no schema files, no compression. */
const FORMATS: ReadonlySet<string> = new Set([
  ...['TabSeparated', 'TSV', 'TabSeparatedRaw', 'TSVRaw', 'TabSeparatedWithNames', 'TSVWithNames'],
  ...['TabSeparatedWithNamesAndTypes', 'TSVWithNamesAndTypes', 'CSV', 'CSVWithNames'],
  ...['CSVWithNamesAndTypes', 'JSON', 'JSONCompact', 'JSONEachRow', 'JSONCompactEachRow'],
  ...['JSONCompactEachRowWithNames', 'JSONCompactEachRowWithNamesAndTypes', 'JSONStrings'],
  ...['JSONStringsEachRow', 'JSONCompactStrings', 'Values', 'Vertical', 'Pretty', 'PrettyCompact'],
  ...['RowBinary', 'RowBinaryWithNames', 'RowBinaryWithNamesAndTypes', 'Native', 'Null'],
])

export function readPortQuery(
  url: URLSearchParams,
  headers: IncomingHttpHeaders,
  body: string,
): PortQuery {
  if (headers['content-encoding'] !== undefined || isOn(url, 'decompress') || isOn(url, 'compress'))
    return { problem: 'Compression cannot be used here.' }
  const whole = [url.get('query') ?? '', body].filter((part) => part !== '').join('\n')
  if (whole.includes('\0')) return { problem: 'The query holds a zero byte.' }
  if (whole.length > AUDIT_TEXT_MAX) return { problem: 'The query is too long.' }
  const ending = /\sFORMAT\s+([A-Za-z]\w*)[\s;]*$/i.exec(whole)
  const text = ending === null ? whole : whole.substring(0, ending.index)
  if (text.trim() === '') return { problem: 'The query is empty.' }
  const header = [headers['x-clickhouse-format']].flat()[0]
  const wanted = ending?.[1] ?? header ?? url.get('default_format') ?? 'TabSeparated'
  const format = [...FORMATS].find((one) => one.toLowerCase() === wanted.toLowerCase())
  return format === undefined ? { problem: `There is no format ${wanted} here.` } : { text, format }
}

function isOn(url: URLSearchParams, name: string): boolean {
  return (url.get(name) ?? '0') !== '0'
}
