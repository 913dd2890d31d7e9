/**
 * Pure. Splits the PostgreSQL v3 stream into frames, by header only.
 *
 *   ┌──────┬────────────────┬─────────────┐
 *   │ kind │ size, i32 BE   │ body        │   size counts itself and the body, not the kind
 *   └──────┴────────────────┴─────────────┘
 *
 * Does not decode bodies (read.ts) and does not cover the start-up packets, which have no kind (login.ts).
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { END, type Framer, HOLD, MALFORMED, SHORT } from '../../relay/lane.ts'

export const framer: Framer = {
  headBytes: 5,
  size(bytes, at, end) {
    if (end - at < 5) return SHORT
    const size =
      (bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!
    // A signed read: a length of 2^31 or more is negative and falls here as well. The largest one
    // that PostgreSQL itself sends or takes is 2^30 - 1.
    return size < 4 || size > 0x3fffffff ? MALFORMED : size + 1
  },
  kind: (bytes, at) => bytes[at]!,
}

/** Frame kinds by the names of the protocol chapter; up and down share letters with different meanings. */
export const UP = {
  query: 0x51, // Q
  parse: 0x50, // P
  bind: 0x42, // B
  describe: 0x44, // D
  execute: 0x45, // E
  close: 0x43, // C
  flush: 0x48, // H
  sync: 0x53, // S
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  functionCall: 0x46, // F
  password: 0x70, // p
  terminate: 0x58, // X
} as const

export const DOWN = {
  authentication: 0x52, // R
  parameterStatus: 0x53, // S
  backendKeyData: 0x4b, // K
  negotiate: 0x76, // v
  rowDescription: 0x54, // T
  dataRow: 0x44, // D
  commandComplete: 0x43, // C
  emptyQuery: 0x49, // I
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  parseComplete: 0x31, // 1
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  noData: 0x6e, // n
  parameterDescription: 0x74, // t
  error: 0x45, // E
  notice: 0x4e, // N
  notification: 0x41, // A
  copyIn: 0x47, // G
  copyOut: 0x48, // H
  copyBoth: 0x57, // W
  copyData: 0x64, // d
  copyDone: 0x63, // c
  functionResult: 0x56, // V
} as const

/** Transaction status bytes of ReadyForQuery. */
export const IDLE = 0x49
export const IN_TRANSACTION = 0x54
export const FAILED = 0x45

/** A whole ReadyForQuery, and of a state that there is. */
export function isStatus(bytes: Uint8Array, start: number, end: number): boolean {
  const status = bytes[start + 5]
  return end - start === 6 && (status === IDLE || status === IN_TRANSACTION || status === FAILED)
}

/** Up: everything is looked at but the data of a COPY, which is dropped until the target asks for it. */
export function upCourses(): Uint8Array {
  const table = new Uint8Array(256).fill(END)
  for (const kind of Object.values(UP)) table[kind] = HOLD
  // A password after the login is no part of the protocol.
  table[UP.password] = END
  return table
}

/** Down: what a login alone may send ends the session; rows are held until a plan says otherwise. */
export function downCourses(): Uint8Array {
  const table = new Uint8Array(256).fill(END)
  for (const kind of Object.values(DOWN)) table[kind] = HOLD
  for (const kind of [DOWN.authentication, DOWN.backendKeyData, DOWN.negotiate]) table[kind] = END
  return table
}
