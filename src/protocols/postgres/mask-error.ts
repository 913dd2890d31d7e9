/**
 * Pure. Hides in ErrorResponse, NoticeResponse and NotificationResponse what could quote a stored
 * value.
 *
 *   'E' | 'N'   size i32 · (field type u8 · text · 0)… · 0
 *   'A'         size i32 · process i32 · channel · 0 · payload · 0
 *
 * https://www.postgresql.org/docs/18/protocol-error-fields.html. While a column mask applies texts
 * stay only where the tables of sqlstates.ts know them as harmless; all that code raised is hidden
 * whole, and so is everything that comes with a context (W) or an inner query (q), as any SQLSTATE
 * can be raised from code with any text. With detectors alone texts are scanned.
 */
import { ByteSink, zeroAt } from '../../base/bytes.ts'
import type { DetectorSet } from '../../mask/detect.ts'
import { count, maskText, type Tally } from '../../mask/spans.ts'
import { type MaskKey, REDACTED } from '../../mask/transform.ts'
import {
  DETAIL_HARMLESS,
  HARMLESS_WITH_POSITION,
  MESSAGE_HARMLESS,
  QUOTES_LITERALS,
} from './sqlstates.ts'

export interface ErrorMasks {
  /** A column mask applies (plan.ts `enforces`, or any mask for what is recorded). */
  readonly columns: boolean
  /** For the record, whose statements may stand without their literals: what quotes one is hidden as well. */
  readonly quotes?: boolean
  /** Already narrowed to those that apply. */
  readonly detectors: DetectorSet | undefined
  readonly key: MaskKey
  readonly tally: Tally
}

const HIDDEN = `${REDACTED} (hidden by the gateway: a mask applies and this might hold a value)`
const HEAD_SIZE = 5
const RAISED = 'P0001'

const WORD = /^[A-Za-z\x80-\xff]{1,64}$/
const NUMBER = /^\d{1,10}$/
const PLACE = /^[\w./+<>-]{0,128}$/
/**
 * Never hold a value, whoever raised it: severity, code, positions, place in the server's source. Only in the form that
 * they have, and once each as the protocol says: another text under such a letter is none of them.
 */
const PLAIN: ReadonlyMap<string, RegExp> = new Map([
  ...['S', 'V'].map((type) => [type, WORD] as const),
  ['C', /^[0-9A-Z]{5}$/],
  ...['p', 'P', 'L'].map((type) => [type, NUMBER] as const),
  ...['F', 'R'].map((type) => [type, PLACE] as const),
])
/** Names of schema, table, column, type, constraint: code may set them to anything. */
const NAMES = 'stcdn'
/**
 * With these the server itself gives names (https://www.postgresql.org/docs/18/errcodes-appendix.html): violated constraints,
 * and values that are too long for a B-tree.
 */
const WITH_NAMES = /^(23...|54000)$/
const TEXTS = 'MDHWq'

type Fields = [type: string, text: Buffer][]

/** One whole E or N frame. The result shares no memory with it; `same`: nothing to hide. */
export function maskError(frame: Buffer, masks: ErrorMasks): Buffer | 'same' | 'malformed' {
  const fields = readFields(frame)
  if (fields === 'malformed') return 'malformed'
  let changed = false
  for (const field of fields) {
    const text = maskField(field, fields, masks)
    if (text === undefined) continue
    field[1] = text
    changed = true
  }
  return changed ? writeFrame(frame[0]!, fields) : 'same'
}

/** One whole NotificationResponse frame: the payload is redacted, whoever sent it. */
export function maskNotification(frame: Buffer): Buffer | 'same' | 'malformed' {
  const channelEnd = zeroAt(frame, HEAD_SIZE + 4)
  const payloadEnd = channelEnd < 0 ? -1 : zeroAt(frame, channelEnd + 1)
  if (payloadEnd !== frame.length - 1) return 'malformed'
  if (payloadEnd === channelEnd + 1) return 'same'
  const sink = new ByteSink(frame.length + REDACTED.length)
  sink.append(frame, 0, channelEnd + 1)
  sink.zeroTerminated(REDACTED)
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return sink.view()
}

function readFields(frame: Buffer): Fields | 'malformed' {
  const fields: Fields = []
  let at = HEAD_SIZE
  while (at < frame.length && frame[at] !== 0) {
    const end = zeroAt(frame, at + 1)
    if (end < 0) return 'malformed'
    fields.push([String.fromCharCode(frame[at]!), frame.subarray(at + 1, end)])
    at = end + 1
  }
  return at === frame.length - 1 ? fields : 'malformed'
}

/** What takes the place of a field's text; undefined: it stays. */
function maskField(
  [type, text]: readonly [string, Buffer],
  fields: Fields,
  masks: ErrorMasks,
): Buffer | undefined {
  if (isPlain(type, text, fields)) return undefined
  if (masks.columns && !isHarmless(type, fields, masks.quotes === true)) {
    count(masks.tally, 'error')
    return Buffer.from(type === 'M' ? HIDDEN : REDACTED)
  }
  if (masks.detectors === undefined) return undefined
  const { detectors, key, tally } = masks
  const masked = maskText(text, { detectors, key, tally })
  return masked === null ? Buffer.from(REDACTED) : masked
}

function isPlain(type: string, text: Buffer, fields: Fields): boolean {
  if (PLAIN.get(type)?.test(text.toString('latin1')) !== true) return false
  return fields.filter(([other]) => other === type).length === 1
}

function isHarmless(type: string, fields: Fields, quotes: boolean): boolean {
  const has = (name: string): boolean => fields.some(([other]) => other === name)
  const codes = fields.filter(([other]) => other === 'C')
  const code = codes.length === 1 ? codes[0]![1].toString('latin1') : RAISED
  if (code === RAISED || has('W') || has('q')) return false
  if (NAMES.includes(type)) return WITH_NAMES.test(code)
  // A field that we do not know may be anything.
  if (!TEXTS.includes(type)) return false
  if (has('P') && HARMLESS_WITH_POSITION.has(code)) return !(quotes && QUOTES_LITERALS.has(code))
  if (type === 'M') return MESSAGE_HARMLESS.has(code)
  return type === 'D' && DETAIL_HARMLESS.has(code)
}

function writeFrame(kind: number, fields: Fields): Buffer {
  const sink = new ByteSink(512)
  sink.u8(kind)
  sink.i32(0)
  for (const [type, text] of fields) {
    sink.u8(type.charCodeAt(0))
    sink.append(text)
    sink.u8(0)
  }
  sink.u8(0)
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return sink.view()
}
