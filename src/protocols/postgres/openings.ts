/**
 * Pure. Translates pseudonyms back before they go up: literals in a message's text, values of Bind (semantics §5,
 * "Pseudonyms"). One that nobody with the key made is refused, as guessing by equality would tell the value.
 *
 * A translated text has as many characters as before, so that positions in errors are those of the client's text and
 * tell nothing about lengths: shorter values are followed by blanks, a longer one is refused.
 */
import { ByteSink } from '../../base/bytes.ts'
import {
  openBytes,
  openText,
  openUuid,
  type PseudonymDomain,
  pseudonymDomain,
} from '../../mask/pseudonym.ts'
import { type MaskKey, uuidBytes } from '../../mask/transform.ts'
import { maskArrayBinary, maskArrayText } from './mask-array.ts'
import { byteaFromText, uuidText } from './mask-value.ts'
import { type BindBody, formatAt } from './read.ts'
import type { Opens, PseudonymKind, Statement } from './sql/analysis.ts'
import type { Catalogue } from './sql/catalogue.ts'
import { looksMasked, maskedAgain, type Refused } from './sql/lineage/masked-again.ts'

const BINARY = 1
const QUOTE = 0x27
const BLANK = 0x20

/** The text to send up, and the statements as they then stand; `text` is undefined where nothing is translated. */
export interface OpenedText {
  readonly text: Buffer | undefined
  readonly statements: readonly Statement[]
}

type Literal = Opens['literals'][number]

export function openLiterals(
  text: string,
  statements: readonly Statement[],
  by: { readonly key: MaskKey; readonly catalogue: Catalogue | undefined },
): OpenedText {
  if (!statements.some(hasLiterals)) return { text: undefined, statements }
  const bytes = Buffer.from(text)
  const pieces: Piece[] = []
  const done = statements.map((statement) => {
    if (!hasLiterals(statement)) return statement
    // What shows the text of a statement shows all of the message.
    if (by.catalogue === undefined || showsText(statements, by.catalogue))
      return refuse(statement, SHOWS_TEXT)
    for (const literal of statement.mask.opens!.literals) {
      const piece = pieceOf(bytes, literal, by.key)
      if ('reason' in piece) return refuse(statement, piece)
      pieces.push(piece)
    }
    return withOpened(statement)
  })
  return { text: joined(bytes, pieces), statements: done }
}

/** The statement whose literals were translated under this analysis, or one that says the same. */
export function withOpened(statement: Statement): Statement {
  const { opens } = statement.mask
  if (opens === undefined) return statement
  const { parameters, checks, literals } = opens
  const isDone = parameters.length === 0 && checks.length === 0
  const mask = {
    ...statement.mask,
    opens: isDone ? undefined : { parameters, checks, literals: [] },
    opened: literals,
  }
  const { declares } = statement.effect
  const effect =
    declares === undefined
      ? statement.effect
      : { ...statement.effect, declares: { ...declares, body: withOpened(declares.body) } }
  return { ...statement, mask, effect }
}

/** A statement analysed anew has the literals that were translated when it went up. */
export function isOpenedAs(before: Statement | undefined, now: Statement): boolean {
  const opened = before?.mask.opened
  return opened !== undefined && JSON.stringify(opened) === JSON.stringify(now.mask.opens?.literals)
}

function hasLiterals({ mask }: Statement): boolean {
  return mask.opens !== undefined && mask.opens.literals.length > 0
}

/** `current_query()`, called by a statement or by a view that one of them could read. */
const CURRENT_QUERY = 'current_query'
const CURRENT_QUERY_OID = 817
const showing = new WeakMap<Catalogue, boolean>()

function showsText(statements: readonly Statement[], catalogue: Catalogue): boolean {
  // Defaults, triggers and cursors that others run may call it as well, and nobody sees them do so.
  if (statements.length > 1 && !statements.every(onlyReads)) return true
  const calls = statements.some(({ facts }) =>
    facts.functions.some((name) => name.endsWith(CURRENT_QUERY)),
  )
  if (calls) return true
  let inView = showing.get(catalogue)
  if (inView === undefined) {
    inView = [...catalogue.relations()].some((one) => one.calls.includes(CURRENT_QUERY_OID))
    showing.set(catalogue, inView)
  }
  return inView
}

const SHOWS_TEXT: Refused = {
  reason:
    'A pseudonym in a text is not translated where current_query() could show what it stands for.',
  hint: 'Send it as a parameter.',
}

function onlyReads({ verb, classes, effect, facts }: Statement): boolean {
  return (
    verb === 'SELECT' &&
    !facts.writes &&
    effect.runs === undefined &&
    classes.every((one) => one === 'read')
  )
}

function refuse(statement: Statement, refusal: Refused): Statement {
  return { ...statement, mask: { ...statement.mask, touches: true, refusal } }
}

interface Piece {
  readonly at: number
  readonly end: number
  readonly written: Buffer
}

/** What is written in the literal's place. */
function pieceOf(bytes: Buffer, literal: Literal, key: MaskKey): Piece | Refused {
  const { at, text, label } = literal
  const plain = Buffer.from(`'${text}'`)
  const end = at + plain.length
  const isPlain = /^[\x20-\x26\x28-\x7e]*$/.test(text) && plain.equals(bytes.subarray(at, end))
  // It would go on in the next line, and behind a letter or & it would be another kind of literal.
  const before = at === 0 ? '' : String.fromCharCode(bytes[at - 1]!)
  const goesOn = /^\s*'/.test(bytes.toString('latin1', end, end + 1000))
  if (!isPlain || goesOn || /[\w&$]/.test(before)) return notPlain(label)
  const value = openOne(Buffer.from(text), { ...literal, format: 0 }, key)
  if (value === undefined) return notAuthentic(label)
  const written = new ByteSink(plain.length)
  written.u8(QUOTE)
  for (const byte of value) {
    if (byte === QUOTE) written.u8(QUOTE)
    written.u8(byte)
  }
  written.u8(QUOTE)
  const room = plain.length - codePoints(written.view())
  if (room < 0) return notPlain(label)
  for (let left = room; left > 0; left--) written.u8(BLANK)
  return { at, end, written: Buffer.from(written.view()) }
}

function joined(bytes: Buffer, pieces: readonly Piece[]): Buffer {
  const out = new ByteSink(bytes.length)
  let from = 0
  for (const { at, end, written } of pieces.toSorted((one, other) => one.at - other.at)) {
    out.append(bytes, from, at)
    out.append(written)
    from = end
  }
  out.append(bytes, from, bytes.length)
  return out.view()
}

function codePoints(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count++
  return count
}

/** A Bind in [start, end) of `bytes`, which `body` points into. */
export interface BoundFrame {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly body: BindBody
}

/** The Bind with its pseudonyms translated. */
export function openParameters(frame: BoundFrame, opens: Opens, key: MaskKey): Buffer | Refused {
  const { bytes, body } = frame
  const { parameters, checks } = opens
  const values = new Map<number, Buffer>()
  for (const { number, transform, label } of checks) {
    const given = valueAt(bytes, body, number)
    if (given !== undefined && looksMasked(given.toString('utf8'), transform))
      return maskedAgain(label)
  }
  for (const parameter of parameters) {
    const given = valueAt(bytes, body, parameter.number)
    if (given === undefined) continue
    const format = formatAt(body.formats, parameter.number - 1)
    const value = parameter.array
      ? openArray(given, { ...parameter, format }, key)
      : openOne(given, { ...parameter, format }, key)
    if (value === undefined) return notAuthentic(parameter.label)
    values.set(parameter.number, value)
  }
  return rewritten(frame, values)
}

/** undefined: NULL, or there is none. */
function valueAt(bytes: Buffer, { values }: BindBody, number: number): Buffer | undefined {
  const start = values[2 * (number - 1)]
  const size = values[2 * number - 1]
  return start === undefined || size === undefined || size < 0
    ? undefined
    : bytes.subarray(start, start + size)
}

function rewritten(frame: BoundFrame, values: ReadonlyMap<number, Buffer>): Buffer {
  const { bytes, start: first, end, body } = frame
  const out = new ByteSink(end - first)
  let from = first
  for (let number = 1; number <= body.values.length / 2; number++) {
    const value = values.get(number)
    if (value === undefined) continue
    const start = body.values[2 * (number - 1)]!
    out.append(bytes, from, start - 4)
    out.i32(value.length)
    out.append(value)
    from = start + body.values[2 * number - 1]!
  }
  out.append(bytes, from, end)
  out.bytes.writeInt32BE(out.size - 1, 1)
  return out.view()
}

interface Asked {
  readonly domain: string
  readonly kind: PseudonymKind
  readonly format: number
}

/** What one pseudonym stands for, written as it was itself. */
function openOne(given: Buffer, asked: Asked, key: MaskKey): Buffer | undefined {
  const domain = pseudonymDomain(key, asked.domain)
  if (asked.kind === 'text') return openText(given.toString('latin1'), domain)
  const binary = asked.format === BINARY
  if (asked.kind === 'uuid') return openUuidAs(given, binary, domain)
  const raw = binary ? given : byteaFromText(given)
  const value = raw && openBytes(raw, domain)
  if (value === undefined || binary) return value
  return Buffer.from(`\\x${value.toString('hex')}`)
}

function openUuidAs(given: Buffer, binary: boolean, domain: PseudonymDomain): Buffer | undefined {
  const raw = binary ? given : uuidBytes(given.toString('latin1'))
  const value = raw && openUuid(raw, domain)
  if (value === undefined || binary) return value
  // As long as it was, with dashes or without.
  if (given.length === 32) return Buffer.from(value.toString('hex'))
  return given.length === 36 ? uuidText(value) : undefined
}

/** An array for `= ANY`, each of whose elements must be authentic. */
function openArray(given: Buffer, asked: Asked, key: MaskKey): Buffer | undefined {
  let refused = false
  const element = (one: Uint8Array): Buffer => {
    const value = openOne(Buffer.from(one), asked, key)
    if (value === undefined) refused = true
    return value ?? Buffer.alloc(0)
  }
  const opened =
    asked.format === BINARY ? maskArrayBinary(given, element) : maskArrayText(given, element)
  if (refused || opened === 'malformed' || opened === null) return undefined
  return opened === undefined ? given : Buffer.from(opened)
}

function notAuthentic(label: string): Refused {
  return {
    reason: `What is compared with or written to ${label} is no pseudonym of it.`,
    hint: 'Use one that was read from it, or from a column of its domain. Other values are refused: they would be guesses.',
  }
}

function notPlain(label: string): Refused {
  return {
    reason: `A pseudonym of ${label} is not translated in this spelling.`,
    hint: "Write it as a plain literal between single quotes: 'pn_…', or send it as a parameter.",
  }
}
