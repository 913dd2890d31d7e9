/**
 * Pure. The words of transcripts and the frames they stand for.
 *
 *   Query "SELECT 1"                     Parse s1 "SELECT $1"       Bind p s1 "42" null x00ff results:1
 *   RowDescription mail=customers.email:text one:int4               DataRow "a" null x0102
 *   Raw Q "body"                         Bytes 5100000003           (with header, and without anything)
 */
import { ByteSink } from '../../src/base/bytes.ts'

export interface Columns {
  /** OID and attribute number of `table.column`. */
  find(path: string): { readonly relation: number; readonly column: number }
}

export type Word = { readonly text: string; readonly quoted: boolean }

type Build = (words: readonly Word[], sink: ByteSink, columns: Columns) => void

/** Words of one frame; `\n`, `\t`, `\"`, `\\` and `\xNN` in quotes. */
export function wordsOf(line: string): Word[] {
  const words: Word[] = []
  for (const [, quoted, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
    words.push(
      plain === undefined
        ? { text: unescaped(quoted ?? ''), quoted: true }
        : { text: plain, quoted: false },
    )
  }
  return words
}

/** Frames of one line stand between bars. */
export function splitFrames(line: string): string[] {
  return (line.match(/(?:"(?:[^"\\]|\\.)*"|[^|"])+/g) ?? []).map((one) => one.trim())
}

function unescaped(text: string): string {
  return text.replace(/\\(x[0-9a-f]{2}|.)/gi, (_, sign: string) => {
    if (sign === 'n') return '\n'
    if (sign === 't') return '\t'
    return sign.length > 1 ? String.fromCharCode(Number.parseInt(sign.substring(1), 16)) : sign
  })
}

/** Escapes with \x stand for single bytes, everything else is UTF-8. */
function bytesOf(text: string): Buffer {
  return /^[\x00-\xff]*$/.test(text) && /[\x80-\xff]/.test(text)
    ? Buffer.from(text, 'latin1')
    : Buffer.from(text)
}

const zero = (text: string | undefined, sink: ByteSink): void => {
  sink.append(bytesOf(text ?? ''))
  sink.u8(0)
}
const text0: Build = (words, sink) => zero(words[0]?.text, sink)
const nothing: Build = () => {}

function value(word: Word, sink: ByteSink): void {
  if (!word.quoted && word.text === 'null') {
    sink.i32(-1)
    return
  }
  const hex = !word.quoted && /^x([0-9a-f]{2})*$/.test(word.text)
  const bytes = hex ? Buffer.from(word.text.substring(1), 'hex') : bytesOf(word.text)
  sink.i32(bytes.length)
  sink.append(bytes)
}

function formats(word: Word | undefined, sink: ByteSink): void {
  const list = word === undefined ? [] : word.text.split(':')[1]!.split(',')
  sink.u16(list.length)
  for (const one of list) sink.u16(Number(one))
}

const bind: Build = (words, sink) => {
  const [portal, statement, ...rest] = words
  zero(portal?.text, sink)
  zero(statement?.text, sink)
  const named = (name: string) => rest.find((one) => !one.quoted && one.text.startsWith(`${name}:`))
  const values = rest.filter((one) => one !== named('formats') && one !== named('results'))
  formats(named('formats'), sink)
  sink.u16(values.length)
  for (const one of values) value(one, sink)
  formats(named('results'), sink)
}

/** `FunctionCall 952 formats:1 x00000001 "text" null`. */
const functionCall: Build = (words, sink) => {
  const [oid, ...rest] = words
  sink.i32(Number(oid?.text))
  const named = rest.find((one) => !one.quoted && one.text.startsWith('formats:'))
  const values = rest.filter((one) => one !== named)
  formats(named, sink)
  sink.u16(values.length)
  for (const one of values) value(one, sink)
  sink.u16(1)
}

const OIDS: Readonly<Record<string, number>> = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int4: 23,
  text: 25,
  json: 114,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
}

const rowDescription: Build = (words, sink, columns) => {
  sink.u16(words.length)
  for (const { text } of words) {
    const [head = '', type = 'text', format = '0'] = text.split(':')
    const [name = '', path] = head.split('=')
    const place = path === undefined ? { relation: 0, column: 0 } : columns.find(path)
    zero(name, sink)
    sink.i32(place.relation)
    sink.u16(place.column)
    sink.i32(OIDS[type] ?? Number(type))
    sink.u16(0xffff)
    sink.i32(-1)
    sink.u16(Number(format))
  }
}

const dataRow: Build = (words, sink) => {
  sink.u16(words.length)
  for (const one of words) value(one, sink)
}

/** `Error 23505 "message" D "detail" H "hint"`. */
const fields =
  (severity: string): Build =>
  (words, sink) => {
    const [code, message, ...rest] = words
    zero(`S${severity}`, sink)
    zero(`V${severity}`, sink)
    zero(`C${code?.text ?? ''}`, sink)
    zero(`M${message?.text ?? ''}`, sink)
    for (let i = 0; i + 1 < rest.length; i += 2) zero(`${rest[i]!.text}${rest[i + 1]!.text}`, sink)
    sink.u8(0)
  }

const copyResponse: Build = (words, sink) => {
  sink.u8(0)
  sink.u16(words.length)
  for (const _ of words) sink.u16(0)
}

export const UP_FRAMES: Readonly<Record<string, [string, Build]>> = {
  Query: ['Q', text0],
  Parse: [
    'P',
    (words, sink) => {
      zero(words[0]?.text, sink)
      zero(words[1]?.text, sink)
      sink.u16(0)
    },
  ],
  Bind: ['B', bind],
  Describe: [
    'D',
    (words, sink) => {
      sink.append(Buffer.from(words[0]?.text ?? 'S'))
      zero(words[1]?.text, sink)
    },
  ],
  Close: [
    'C',
    (words, sink) => {
      sink.append(Buffer.from(words[0]?.text ?? 'S'))
      zero(words[1]?.text, sink)
    },
  ],
  Execute: [
    'E',
    (words, sink) => {
      zero(words[0]?.text, sink)
      sink.i32(Number(words[1]?.text ?? 0))
    },
  ],
  Flush: ['H', nothing],
  Sync: ['S', nothing],
  Terminate: ['X', nothing],
  CopyData: ['d', (words, sink) => sink.append(bytesOf(words[0]?.text ?? ''))],
  CopyDone: ['c', nothing],
  CopyFail: ['f', text0],
  FunctionCall: ['F', functionCall],
}

export const DOWN_FRAMES: Readonly<Record<string, [string, Build]>> = {
  RowDescription: ['T', rowDescription],
  DataRow: ['D', dataRow],
  CommandComplete: ['C', text0],
  EmptyQuery: ['I', nothing],
  PortalSuspended: ['s', nothing],
  Ready: ['Z', (words, sink) => sink.append(Buffer.from(words[0]?.text ?? 'I'))],
  ParseComplete: ['1', nothing],
  BindComplete: ['2', nothing],
  CloseComplete: ['3', nothing],
  NoData: ['n', nothing],
  ParameterDescription: [
    't',
    (words, sink) => {
      sink.u16(words.length)
      for (const { text } of words) sink.i32(OIDS[text] ?? Number(text))
    },
  ],
  Error: ['E', fields('ERROR')],
  Fatal: ['E', fields('FATAL')],
  Notice: ['N', fields('NOTICE')],
  Notification: [
    'A',
    (words, sink) => {
      sink.i32(4711)
      zero(words[0]?.text, sink)
      zero(words[1]?.text, sink)
    },
  ],
  ParameterStatus: [
    'S',
    (words, sink) => {
      zero(words[0]?.text, sink)
      zero(words[1]?.text, sink)
    },
  ],
  CopyIn: ['G', copyResponse],
  CopyOut: ['H', copyResponse],
  CopyBoth: ['W', copyResponse],
  CopyData: ['d', (words, sink) => sink.append(bytesOf(words[0]?.text ?? ''))],
  CopyDone: ['c', nothing],
  FunctionResult: ['V', (words, sink) => value(words[0]!, sink)],
}

/** Bytes of one frame as a transcript writes it. Throws for a word that is none. */
export function build(line: string, side: 'up' | 'down', columns: Columns): Buffer {
  const [name, ...words] = wordsOf(line)
  const sink = new ByteSink(64)
  if (name?.text === 'Bytes') return Buffer.from(words.map(({ text }) => text).join(''), 'hex')
  if (name?.text === 'Raw') return framed(words[0]!.text, bytesOf(words[1]?.text ?? ''))
  const known = (side === 'up' ? UP_FRAMES : DOWN_FRAMES)[name?.text ?? '']
  if (known === undefined) throw new Error(`no frame ${line}`)
  known[1](words, sink, columns)
  return framed(known[0], sink.view())
}

export function framed(kind: string, body: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + body.length)
  frame.write(kind, 0, 'latin1')
  frame.writeInt32BE(4 + body.length, 1)
  frame.set(body, 5)
  return frame
}

/** Whole frames of a stream, and what is left of it. */
export function framesOf(stream: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames: Buffer[] = []
  let at = 0
  while (at + 5 <= stream.length) {
    const end = at + 1 + stream.readInt32BE(at + 1)
    if (end > stream.length || end < at + 5) break
    frames.push(stream.subarray(at, end))
    at = end
  }
  return { frames, rest: stream.subarray(at) }
}

/** A frame for people who look at a failure. */
export function shown(frame: Buffer): string {
  const body = JSON.stringify(frame.toString('latin1', 5)).replaceAll('\\u0000', '·')
  return `${String.fromCharCode(frame[0]!)} ${body}`
}
