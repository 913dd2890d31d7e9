/**
 * Pure. The one frame that a recorded response holds and the client never got: what the rows behind it are. A client
 * describes a statement once and runs it often; each recorded result must be readable by itself.
 *
 *   ┌──────┬────────────────┬──────────────────────────────────────────────────────┐
 *   │ '*'  │ size, i32 BE   │ body of a RowDescription, with the formats of the Bind │
 *   └──────┴────────────────┴──────────────────────────────────────────────────────┘
 *
 * No message of a target has this kind. Without these frames the payloads of a session, in order of `seq`, are what the
 * client received after its login.
 */
import { zeroAt } from '../../base/bytes.ts'
import { formatAt } from './read.ts'

/** `*` */
export const NOTED = 0x2a

/** Bytes of a column behind its name; the last two are its format. */
const COLUMN_BYTES = 18

/** `described`: a RowDescription that reads well. `formats`: of the Bind, where the frame says text for all. */
export function notedFrame(described: Buffer, formats: readonly number[] | undefined): Buffer {
  const noted = Buffer.from(described)
  noted[0] = NOTED
  if (formats === undefined) return noted
  const columns = noted.readUInt16BE(5)
  let at = 7
  for (let i = 0; i < columns; i++) {
    at = zeroAt(noted, at) + 1 + COLUMN_BYTES
    noted.writeUInt16BE(formatAt(formats, i), at - 2)
  }
  return noted
}
