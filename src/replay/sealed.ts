/**
 * Pure. The questions about sealed originals: a session's wrapped key, and its batches with the digests that its events
 * hold. Asked for a release only; `audit query` never sees these tables.
 */
import type { Question } from './read.ts'

/** Of one answer: a session with more is released in parts. */
export const BATCHES_MAX = 1000

export function sealedKey(session: string, database = 'sluice'): Question {
  return {
    sql:
      `SELECT key_id, base64Encode(wrapped) AS wrapped FROM \`${database}\`.sealed_keys ` +
      'WHERE session_id = {session:String} ORDER BY ts LIMIT 1',
    params: { session },
  }
}

/** From the batch after `after` on, in order. */
export function sealedBatches(session: string, after: number, database = 'sluice'): Question {
  return {
    sql: `SELECT s.batch AS batch, base64Encode(s.ciphertext) AS ciphertext, e.sha256 AS sha256
      FROM (SELECT batch, ciphertext FROM \`${database}\`.sealed
        WHERE session_id = {session:String} AND batch > {after:UInt64} ORDER BY batch LIMIT {max:UInt32}) AS s
      LEFT JOIN (SELECT JSONExtractUInt(text, 'batch') AS batch, any(JSONExtractString(text, 'sha256')) AS sha256
        FROM \`${database}\`.events WHERE session_id = {session:String} AND kind = 'sealed' GROUP BY batch) AS e
      ON s.batch = e.batch ORDER BY batch`,
    params: { session, after, max: BATCHES_MAX },
  }
}
