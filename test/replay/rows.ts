/** Not a test: recorded rows by hand, and frames of PostgreSQL. */
import { ByteSink } from '../../src/base/bytes.ts'
import type { RecordedRow } from '../../src/replay/recorded.ts'

const NOTHING: RecordedRow = {
  ...{ seq: 1, at: 1_700_000_000_000_000, kind: 'action', action: 0, class: '', verb: '' },
  ...{ objects: [], statement: '', params: [], verdict: '', rule: '', policy_version: 0 },
  ...{ request_id: '', rows: 0, bytes_up: 0, bytes_down: 0, masked: {}, parse_us: 0, decide_us: 0 },
  ...{ wait_us: 0, upstream_us: 0, gateway_us: 0, status: '', error: '', text: '' },
  ...{ payload_cut: false, payload: '' },
}

/** A second passes between two. */
export function row(seq: number, more: Partial<RecordedRow> & { bytes?: Buffer }): RecordedRow {
  const { bytes, ...rest } = more
  const payload = bytes === undefined ? {} : { payload: bytes.toString('base64') }
  return { ...NOTHING, seq, at: NOTHING.at + seq * 1_000_000, ...rest, ...payload }
}

export function asked(
  seq: number,
  statement: string,
  more: Partial<RecordedRow> = {},
): RecordedRow {
  const of = { kind: 'action', action: seq, verb: 'SELECT', class: 'read', verdict: 'allow' }
  return row(seq, { ...of, statement, ...more })
}

export function answered(
  seq: number,
  action: number,
  bytes: Buffer,
  more: Partial<RecordedRow> = {},
): RecordedRow {
  return row(seq, { kind: 'outcome', action, status: 'ok', bytes, ...more })
}

export function frame(kind: string, body: Buffer | string = ''): Buffer {
  const sink = new ByteSink(16)
  const bytes = Buffer.from(body)
  sink.u8(kind.charCodeAt(0))
  sink.i32(bytes.length + 4)
  sink.append(bytes)
  return Buffer.from(sink.view())
}

export function columns(
  list: readonly { readonly name: string; readonly oid?: number; readonly format?: number }[],
  kind = 'T',
): Buffer {
  const sink = new ByteSink(64)
  sink.u16(list.length)
  for (const { name, oid = 25, format = 0 } of list) {
    sink.zeroTerminated(name)
    sink.i32(0)
    sink.u16(0)
    sink.i32(oid)
    sink.u16(0)
    sink.i32(0)
    sink.u16(format)
  }
  return frame(kind, sink.view())
}

export function values(list: readonly (Buffer | string | null)[]): Buffer {
  const sink = new ByteSink(64)
  sink.u16(list.length)
  for (const value of list) {
    if (value === null) {
      sink.i32(-1)
      continue
    }
    const bytes = Buffer.from(value)
    sink.i32(bytes.length)
    sink.append(bytes)
  }
  return frame('D', sink.view())
}

export const tag = (text: string): Buffer => frame('C', `${text}\0`)
export const READY = frame('Z', 'I')
export const error = (code: string, message: string, detail = ''): Buffer =>
  frame('E', `SERROR\0VERROR\0C${code}\0M${message}\0${detail === '' ? '' : `D${detail}\0`}\0`)
