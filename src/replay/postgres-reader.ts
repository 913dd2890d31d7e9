/**
 * Pure. Reads recorded responses of PostgreSQL: results as the client saw them, masked as they were. A value in binary
 * is shown as PostgreSQL would write it where its type is known here, else in hex; nothing is guessed.
 */
import { isUtf8 } from 'node:buffer'
import { DOWN } from '../protocols/postgres/frame.ts'
import { NOTED } from '../protocols/postgres/record-frames.ts'
import { type Frame, FrameReader } from './postgres-frames.ts'
import { binaryValue, typeName } from './postgres-values.ts'
import type { Column, Piece, ResponseReader, Value } from './timeline.ts'

/** Bytes of one value that are shown. */
const VALUE_BYTES_MAX = 1 << 20
/** PostgreSQL has at most 1664 columns. */
const COLUMNS_MAX = 2000

interface Described extends Column {
  readonly oid: number
  readonly format: number
}

export class PostgresReader implements ResponseReader {
  readonly #frames = new FrameReader()
  #columns: readonly Described[] = []
  #isLost = false

  push(bytes: Buffer): Piece[] {
    // After bytes that were no messages nothing can be told apart, until the next result begins.
    if (this.#isLost) return []
    const frames = this.#frames.push(bytes)
    if (frames !== 'malformed') return frames.flatMap((frame) => this.#piece(frame))
    this.#isLost = true
    this.#frames.end()
    return [{ type: 'torn', bytes: bytes.length }]
  }

  end(): Piece[] {
    this.#isLost = false
    const bytes = this.#frames.end()
    this.#columns = []
    return bytes === 0 ? [] : [{ type: 'torn', bytes }]
  }

  #piece(frame: Frame): Piece[] {
    const { kind, body, size } = frame
    switch (kind) {
      case DOWN.rowDescription:
      case NOTED: {
        const columns = readColumns(body)
        if (columns === undefined) return [{ type: 'torn', bytes: size }]
        this.#columns = columns
        return [{ type: 'columns', columns: columns.map(({ name, type }) => ({ name, type })) }]
      }
      case DOWN.dataRow:
        return [{ type: 'row', values: this.#values(frame) }]
      case DOWN.functionResult:
        return [{ type: 'row', values: [readValue(frame, 0, undefined).value] }]
      case DOWN.copyOut:
        return [{ type: 'copy', direction: 'out' }]
      case DOWN.copyIn:
        return [{ type: 'copy', direction: 'in' }]
      case DOWN.copyBoth:
        return [{ type: 'copy', direction: 'both' }]
      case DOWN.copyData:
        return [{ type: 'data', data: shown(body, size) }]
      case DOWN.error:
        return [{ type: 'error', fields: readFields(body) }]
      case DOWN.notice:
        return [{ type: 'notice', fields: readFields(body) }]
      case DOWN.commandComplete:
        return [{ type: 'complete', tag: textOf(body.subarray(0, Math.max(0, body.indexOf(0)))) }]
      case DOWN.emptyQuery:
        return [{ type: 'complete', tag: '' }]
      case DOWN.portalSuspended:
        return [{ type: 'complete', tag: 'PORTAL SUSPENDED' }]
      case DOWN.readyForQuery:
        return [{ type: 'ready', transaction: String.fromCharCode(body[0] ?? 0x3f) }]
      case DOWN.notification: {
        const [channel = '', text = ''] = textOf(body.subarray(4)).split('\0')
        return [{ type: 'notification', channel, text }]
      }
      case DOWN.parameterStatus: {
        const [name = '', value = ''] = textOf(body).split('\0')
        return [{ type: 'parameter', name, value }]
      }
      default:
        return []
    }
  }

  #values(frame: Frame): Value[] {
    const { body } = frame
    if (body.length < 2) return []
    const count = Math.min(body.readUInt16BE(0), COLUMNS_MAX)
    const values: Value[] = []
    let at = 2
    for (let i = 0; i < count && at < body.length; i++) {
      const read = readValue(frame, at, this.#columns[i])
      values.push(read.value)
      at = read.end
    }
    return values
  }
}

/** A length and that many bytes, of which not all may have been kept. */
function readValue(
  { body }: Frame,
  at: number,
  column: Described | undefined,
): { readonly value: Value; readonly end: number } {
  if (at + 4 > body.length) return { value: { text: '', cut: 0 }, end: body.length }
  const size = body.readInt32BE(at)
  const start = at + 4
  if (size < 0) return { value: null, end: start }
  const bytes = body.subarray(start, Math.min(start + size, body.length))
  const isBinary = column?.format === 1 && bytes.length === size
  const value = isBinary ? binaryValue(column.oid, bytes) : undefined
  return { value: value ?? shown(bytes, size), end: start + size }
}

/** `size`: of the value; `bytes` may be less. */
function shown(bytes: Buffer, size: number): Value {
  const kept = bytes.length > VALUE_BYTES_MAX ? bytes.subarray(0, VALUE_BYTES_MAX) : bytes
  const cut = size - kept.length
  // Cut in the middle of a character, it is still text.
  if (cut > 0) return { text: kept.toString(isText(kept) ? 'utf8' : 'hex'), cut }
  return isUtf8(kept) ? kept.toString('utf8') : { hex: kept.toString('hex') }
}

function isText(bytes: Buffer): boolean {
  for (let back = 0; back < 4 && back <= bytes.length; back++)
    if (isUtf8(bytes.subarray(0, bytes.length - back))) return true
  return false
}

function readColumns(body: Buffer): readonly Described[] | undefined {
  if (body.length < 2) return undefined
  const count = body.readUInt16BE(0)
  const columns: Described[] = []
  let at = 2
  for (let i = 0; i < count; i++) {
    const end = body.indexOf(0, at)
    if (end < 0 || end + 19 > body.length) return undefined
    const oid = body.readUInt32BE(end + 7)
    const format = body.readUInt16BE(end + 17)
    columns.push({ name: textOf(body.subarray(at, end)), type: typeName(oid), oid, format })
    at = end + 19
  }
  return columns
}

function readFields(body: Buffer): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (const field of textOf(body).split('\0'))
    if (/^[A-Za-z]/.test(field)) fields[field[0]!] = field.substring(1)
  return fields
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8')
}
