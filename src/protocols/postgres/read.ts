/**
 * Pure. Reads bodies of single frames. Every reader checks its bounds and answers undefined for a frame that does
 * not add up; none throws. Spans point into the given bytes and are valid as long as those are.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { zeroAt } from '../../base/bytes.ts'
import type { Field } from '../../mask/plan.ts'
import { statementText } from './known-texts.ts'

export interface Startup {
  readonly major: number
  readonly minor: number
  readonly parameters: ReadonlyMap<string, string>
}

/** Codes of start-up packets that are no start-up. */
export const CANCEL_REQUEST = 80877102
export const SSL_REQUEST = 80877103
export const GSSENC_REQUEST = 80877104

/** `bytes` is the whole packet: size, version, pairs, final zero. */
export function readStartup(bytes: Buffer): Startup | undefined {
  if (bytes.length < 9) return undefined
  const parameters = new Map<string, string>()
  let at = 8
  while (true) {
    const nameEnd = zeroAt(bytes, at)
    if (nameEnd < 0) return undefined
    if (nameEnd === at) {
      // The list ends with one zero byte, and that is the end of the packet.
      if (nameEnd !== bytes.length - 1) return undefined
      return { major: bytes.readUInt16BE(4), minor: bytes.readUInt16BE(6), parameters }
    }
    const valueEnd = zeroAt(bytes, nameEnd + 1)
    if (valueEnd < 0) return undefined
    const name = bytes.toString('utf8', at, nameEnd)
    // PostgreSQL takes the last of two; a reader that took the first would disagree with it.
    if (parameters.has(name)) return undefined
    parameters.set(name, bytes.toString('utf8', nameEnd + 1, valueEnd))
    at = valueEnd + 1
  }
}

/** Text of a Query. */
export function readQuery(bytes: Buffer, start: number, end: number): string | undefined {
  if (zeroAt(bytes, start + 5, end) !== end - 1) return undefined
  return statementText(bytes, start + 5, end - 1)
}

/** Text of another frame that is one string: PasswordMessage, CommandComplete, CopyFail. */
export function readText(bytes: Buffer, start: number, end: number): string | undefined {
  if (zeroAt(bytes, start + 5, end) !== end - 1) return undefined
  return bytes.toString('utf8', start + 5, end - 1)
}

/** Longest name that PostgreSQL tells from another (NAMEDATALEN). */
const NAME_BYTES_MAX = 63

/**
 * Name of a prepared statement or portal, cut as PostgreSQL cuts it. undefined where it holds anything but ASCII: in
 * some encodings two spellings are one name at the target, and here it must be known which is which.
 */
function readName(bytes: Buffer, start: number, end: number): string | undefined {
  if (end === start) return ''
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) return undefined
  return bytes.toString('latin1', start, Math.min(end, start + NAME_BYTES_MAX))
}

export interface ParseBody {
  readonly statement: string
  readonly text: string
  /** Span of the text's bytes, for checks on the exact bytes. */
  readonly textStart: number
  readonly textEnd: number
  /** OIDs of parameters' types that initdb did not make. */
  readonly ownTypes: readonly number[]
}

const NO_TYPES: readonly number[] = []
const FIRST_USER_OID = 16384

export function readParse(bytes: Buffer, start: number, end: number): ParseBody | undefined {
  const nameEnd = zeroAt(bytes, start + 5, end)
  if (nameEnd < 0) return undefined
  const textEnd = zeroAt(bytes, nameEnd + 1, end)
  if (textEnd < 0 || textEnd + 3 > end) return undefined
  const types = bytes.readUInt16BE(textEnd + 1)
  if (textEnd + 3 + types * 4 !== end) return undefined
  const statement = readName(bytes, start + 5, nameEnd)
  if (statement === undefined) return undefined
  return {
    statement,
    text: statementText(bytes, nameEnd + 1, textEnd),
    textStart: nameEnd + 1,
    textEnd,
    ownTypes: types === 0 ? NO_TYPES : ownTypes(bytes, textEnd + 3, end),
  }
}

function ownTypes(bytes: Buffer, start: number, end: number): readonly number[] {
  let found = NO_TYPES
  for (let at = start; at < end; at += 4) {
    const oid = bytes.readUInt32BE(at)
    if (oid >= FIRST_USER_OID) found = [...found, oid]
  }
  return found
}

export interface BindBody {
  readonly portal: string
  readonly statement: string
  /** Format of parameter i: 0 text, 1 binary. */
  readonly formats: readonly number[]
  /** Start of parameter i's bytes, and its length or -1 for NULL; two numbers each. */
  readonly values: readonly number[]
  readonly resultFormats: readonly number[]
}

export function readBind(bytes: Buffer, start: number, end: number): BindBody | undefined {
  const portalEnd = zeroAt(bytes, start + 5, end)
  if (portalEnd < 0) return undefined
  const statementEnd = zeroAt(bytes, portalEnd + 1, end)
  if (statementEnd < 0) return undefined
  let at = statementEnd + 1
  const formats = readFormats(bytes, at, end)
  if (formats === undefined) return undefined
  at += 2 + formats.length * 2
  const values = readValues(bytes, at, end, formats.length)
  if (values === undefined) return undefined
  at = valuesEnd(values, at)
  const resultFormats = readFormats(bytes, at, end)
  if (resultFormats === undefined || at + 2 + resultFormats.length * 2 !== end) return undefined
  const portal = readName(bytes, start + 5, portalEnd)
  const statement = readName(bytes, portalEnd + 1, statementEnd)
  if (portal === undefined || statement === undefined) return undefined
  return { portal, statement, formats, values, resultFormats }
}

export interface FunctionCallBody extends Pick<BindBody, 'formats' | 'values'> {
  readonly oid: number
}

export function readFunctionCall(
  bytes: Buffer,
  start: number,
  end: number,
): FunctionCallBody | undefined {
  const formats = readFormats(bytes, start + 9, end)
  if (formats === undefined) return undefined
  let at = start + 11 + formats.length * 2
  const values = readValues(bytes, at, end, formats.length)
  if (values === undefined) return undefined
  at = valuesEnd(values, at)
  // The format of the result, and nothing behind it.
  if (at + 2 !== end || bytes.readUInt16BE(at) > 1) return undefined
  return { oid: bytes.readUInt32BE(start + 5), formats, values }
}

/** Count and values of Bind and FunctionCall, as `BindBody.values` has them. */
function readValues(
  bytes: Buffer,
  start: number,
  end: number,
  formats: number,
): readonly number[] | undefined {
  let at = start
  if (at + 2 > end) return undefined
  const count = bytes.readUInt16BE(at)
  at += 2
  if (formats > 1 && formats !== count) return undefined
  const values: number[] = []
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) return undefined
    const size = bytes.readInt32BE(at)
    at += 4
    if (size < -1 || at + Math.max(size, 0) > end) return undefined
    values.push(at, size)
    at += Math.max(size, 0)
  }
  return values
}

/** Where what `readValues` read from `start` ends. */
function valuesEnd(values: readonly number[], start: number): number {
  const last = values.length - 2
  return last < 0 ? start + 2 : values[last]! + Math.max(values[last + 1]!, 0)
}

const NO_FORMATS: readonly number[] = []

function readFormats(bytes: Buffer, at: number, end: number): readonly number[] | undefined {
  if (at + 2 > end) return undefined
  const count = bytes.readUInt16BE(at)
  if (count === 0) return NO_FORMATS
  if (at + 2 + count * 2 > end) return undefined
  const formats = new Array<number>(count)
  for (let i = 0; i < count; i++) {
    const format = bytes.readUInt16BE(at + 2 + i * 2)
    if (format > 1) return undefined
    formats[i] = format
  }
  return formats
}

/** Format of column or parameter i, by the rule of Bind: none = text, one = for all. */
export function formatAt(formats: readonly number[], i: number): number {
  if (formats.length === 0) return 0
  return (formats.length === 1 ? formats[0] : formats[i]) ?? 0
}

/** Describe and Close: `S` statement or `P` portal, and its name. */
export function readTarget(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly of: 'statement' | 'portal'; readonly name: string } | undefined {
  if (end - start < 7 || zeroAt(bytes, start + 6, end) !== end - 1) return undefined
  const of = bytes[start + 5]
  const name = readName(bytes, start + 6, end - 1)
  if ((of !== 0x53 && of !== 0x50) || name === undefined) return undefined
  return { of: of === 0x53 ? 'statement' : 'portal', name }
}

/** Execute: portal and the most rows it may send (0: all). */
export function readExecute(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly portal: string; readonly rowsMax: number } | undefined {
  const portalEnd = zeroAt(bytes, start + 5, end)
  if (portalEnd < 0 || portalEnd + 5 !== end) return undefined
  const portal = readName(bytes, start + 5, portalEnd)
  return portal === undefined ? undefined : { portal, rowsMax: bytes.readInt32BE(portalEnd + 1) }
}

/** RowDescription; its fields carry the formats that the target states. */
export function readRowDescription(
  bytes: Buffer,
  start: number,
  end: number,
): readonly Field[] | undefined {
  if (end - start < 7) return undefined
  const count = bytes.readUInt16BE(start + 5)
  const fields: Field[] = []
  let at = start + 7
  for (let i = 0; i < count; i++) {
    const nameEnd = zeroAt(bytes, at, end)
    if (nameEnd < 0 || nameEnd + 19 > end) return undefined
    fields.push({
      name: bytes.toString('utf8', at, nameEnd),
      relation: bytes.readUInt32BE(nameEnd + 1),
      column: bytes.readInt16BE(nameEnd + 5),
      typeOid: bytes.readUInt32BE(nameEnd + 7),
      typeModifier: bytes.readInt32BE(nameEnd + 13),
      format: bytes.readUInt16BE(nameEnd + 17),
    })
    at = nameEnd + 19
  }
  return at === end ? fields : undefined
}

/** Fields of ErrorResponse and NoticeResponse by their letter; undefined when it does not add up. */
export function readFields(
  bytes: Buffer,
  start: number,
  end: number,
): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>()
  let at = start + 5
  while (at < end) {
    const letter = bytes[at]!
    if (letter === 0) return at === end - 1 ? fields : undefined
    const valueEnd = zeroAt(bytes, at + 1, end)
    if (valueEnd < 0) return undefined
    fields.set(String.fromCharCode(letter), bytes.toString('utf8', at + 1, valueEnd))
    at = valueEnd + 1
  }
  return undefined
}

/**
 * Rows that the tag of a CommandComplete counts: its last number, as in `INSERT 0 5`, `SELECT 3`, `COPY 7`; 0 where it
 * ends in none. undefined: the frame does not add up. Reads bytes, because this is every statement.
 */
export function readRows(bytes: Buffer, start: number, end: number): number | undefined {
  if (zeroAt(bytes, start + 5, end) !== end - 1) return undefined
  let rows = 0
  let unit = 1
  let at = end - 2
  for (; at > start + 5 && bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at--) {
    rows += (bytes[at]! - 0x30) * unit
    unit *= 10
  }
  return bytes[at] === 0x20 && unit > 1 && Number.isSafeInteger(rows) ? rows : 0
}

/** First text values of a DataRow, as the gateway's own queries need them; null stays null. */
export function readTextRow(
  bytes: Buffer,
  start: number,
  end: number,
): (string | null)[] | undefined {
  if (end - start < 7) return undefined
  const count = bytes.readUInt16BE(start + 5)
  const values: (string | null)[] = []
  let at = start + 7
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) return undefined
    const size = bytes.readInt32BE(at)
    at += 4
    if (size < -1 || at + Math.max(size, 0) > end) return undefined
    values.push(size < 0 ? null : bytes.toString('utf8', at, at + size))
    at += Math.max(size, 0)
  }
  return at === end ? values : undefined
}
