/**
 * Pure. The questions about sealed originals: a session's wrapped key, and its batches with the digests that its events
 * hold. Names are those of our own database. Asked for a release only; `audit query` never sees these tables.
 */
import type { Question } from './read.ts'

/** Of ciphertext in one release. */
const BYTES_MAX = 32 << 20

export function sealedKey(session: string): Question {
  return {
    sql:
      `SELECT key_id, base64Encode(wrapped) AS wrapped FROM sealed_keys ` +
      'WHERE session_id = {session:String} ORDER BY ts LIMIT 1',
    params: { session },
  }
}

/** In order, as many as fit; how many there are stands in each. */
export function sealedBatches(session: string, bytesMax = BYTES_MAX): Question {
  return {
    sql: `SELECT s.batch AS batch, base64Encode(s.ciphertext) AS ciphertext, e.sha256 AS sha256, s.among AS among
      FROM (SELECT batch, ciphertext, sum(length(ciphertext)) OVER (ORDER BY batch) AS until, count() OVER () AS among
        FROM sealed WHERE session_id = {session:String}) AS s
      LEFT JOIN (SELECT JSONExtractUInt(text, 'batch') AS batch, any(JSONExtractString(text, 'sha256')) AS sha256
        FROM events WHERE session_id = {session:String} AND kind = 'sealed' GROUP BY batch) AS e
      ON s.batch = e.batch WHERE s.until <= {max:UInt64} ORDER BY batch`,
    params: { session, max: bytesMax },
  }
}
