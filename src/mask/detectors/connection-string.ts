/**
 * Pure. Passwords where they are written down: in addresses of servers, in connection strings of
 * `key=value;`, and beside a name that says password, secret or key. Of the last only the value is
 * hidden. Places to be filled in (`${PASSWORD}`, `<password>`, `****`) are none.
 */
import { ascii, type Detector, NONE, type Span } from './detector.ts'

const PLACEHOLDER =
  /^(?:\$(?:[{(]|[A-Z_]+$)|%(?:[sd]$|\(|[A-Z_]+%$)|<|\{\{|\[|\*+$|x+$|\.{3}|os\.|process\.|env[.([]|null$|none$|nil$|true$|false$|undefined$|secret$|password$|string$|str$|self\.|this\.)/i

export const connectionString: Detector = {
  id: 'connection_string',
  version: 1,
  group: 'secret',
  finds: 'addresses and connection strings with a password',
  checked: 'not a place to be filled in',
  forms: [
    {
      source:
        '[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\\s:@/"\'<>`]{0,64}:[^\\s@"\'<>`]{1,256}@[^\\s"\'<>`]{1,512}',
      score: 90,
    },
    {
      source:
        '(?i:(?:server|data source|host|addr|address|network address|endpoint|dsn)\\s?=[^;\\n]{1,128};[^\\n]{0,256}?(?:password|pwd)\\s?=\\s?[^;\\s"\']{1,256})',
      score: 90,
    },
  ],
  probe: '://|(?i:(?:password|pwd)\\s?=)',
  needs: { length: 10, assigns: true },
  confirm(bytes, start, end) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
    const secret =
      /^[A-Za-z][A-Za-z0-9+.-]{1,30}:\/\/[^:@/]*:([^@]*)@/.exec(text)?.[1] ??
      /(?:password|pwd)\s?=\s?([^;\s]*)$/i.exec(text)?.[1] ??
      ''
    // `https://example.com:8443/a@b` has a port and no password.
    if (secret === '' || /^[0-9]{1,5}\//.test(secret)) return NONE
    return PLACEHOLDER.test(secret) ? NONE : [{ start, end }]
  },
}

const NAMES =
  '(?:pass(?:word|wd|phrase)?|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token|access[_-]?token|refresh[_-]?token|client[_-]?secret|bearer)'

export const password: Detector = {
  id: 'password',
  version: 1,
  group: 'secret',
  finds: 'values beside `password`, `secret`, `api_key` and the like',
  checked: 'not a place to be filled in, nor a name of code',
  forms: [
    // In quotes, as in code, JSON, YAML and SQL.
    {
      source: `(?i:${NAMES}["'\\]]{0,2}\\s{0,4}(?:=>|:=|==?|:|\\s)\\s{0,4}["'][^"'\\n]{4,256}["'])`,
      score: 65,
    },
    { source: "(?i:identified (?:with \\S{1,40} )?by\\s{1,4}'[^'\\n]{1,256}')", score: 80 },
    // Without, as in environments and in what people write.
    { source: `(?i:${NAMES}\\s{0,2}[:=]\\s{0,2})[^\\s"'=,;&()<>{}\\[\\]]{6,256}`, score: 55 },
    {
      source: `(?i:authorization["']?\\s{0,2}[:=]\\s{0,2}["']?(?:basic|bearer|token) )[A-Za-z0-9._~+/=-]{12,}`,
      score: 90,
    },
  ],
  probe: `(?i:${NAMES}|identified|authorization)`,
  needs: { length: 10, assigns: true },
  confirm(bytes, start, end) {
    const span = secretIn(bytes, start, end)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + span.start, span.end - span.start)
    const value = text.toString('utf8')
    if (value === '' || PLACEHOLDER.test(value)) return NONE
    const isQuoted = span.end < end
    return isQuoted ? (isProse(value) ? NONE : [span]) : isCode(value) ? NONE : [span]
  },
}

/** From behind the opening quote, or the sign, to the end or the closing quote. */
function secretIn(bytes: Uint8Array, start: number, end: number): Span {
  const last = bytes[end - 1]!
  if (last !== 0x22 && last !== 0x27) {
    const head = /^.*?(?:[:=]\s*["']?(?:(?:basic|bearer|token) )?)/is.exec(ascii(bytes, start, end))
    return { start: start + (head?.[0].length ?? 0), end }
  }
  let at = end - 2
  while (at > start && bytes[at] !== 0x22 && bytes[at] !== 0x27) at--
  return { start: at + 1, end: end - 1 }
}

/** A sentence in quotes, such as a label or a message, is no password. */
function isProse(value: string): boolean {
  return /\s.*\s/.test(value) || /^[A-Z][a-z]+ [a-z]+[.:!?]?$/.test(value)
}

/** Without quotes only what no name of code looks like: digits or signs among letters. */
function isCode(value: string): boolean {
  return /^[A-Za-z_]+[.,]?$/.test(value) || /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/.test(value)
}
