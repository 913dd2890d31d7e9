/**
 * Pure. Commands of a replication connection (`replication=true` or `database`), which are no SQL: told from it by their
 * first word, as the target's own scanner does, and only in capitals, as that wants them. All are `admin`.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
import { NO_EFFECT, NO_FACTS, NO_MASK, type Statement } from './analysis.ts'

/** What a session is, by its start-up: SQL alone, WAL alone, or both of one database. */
export type ReplicationMode = 'none' | 'physical' | 'database'

const COMMANDS = new Set([
  'ALTER_REPLICATION_SLOT',
  'BASE_BACKUP',
  'CREATE_REPLICATION_SLOT',
  'DROP_REPLICATION_SLOT',
  'IDENTIFY_SYSTEM',
  'READ_REPLICATION_SLOT',
  'START_REPLICATION',
  'TIMELINE_HISTORY',
  'UPLOAD_MANIFEST',
])
/** Answered with CopyBothResponse or CopyInResponse: the client sends data then. */
const TAKING_DATA = new Set(['START_REPLICATION', 'UPLOAD_MANIFEST'])

export interface ReplicationCommand {
  readonly statement: Statement
  readonly takesData: boolean
}

/** undefined: the text is SQL, or nothing. Without a database SHOW is a command too, and there is no SQL. */
export function replicationCommand(
  text: string,
  mode: ReplicationMode,
): ReplicationCommand | undefined {
  const word = /^[ \t\n\r\f\v]*([A-Z_]+)(?![A-Za-z0-9_$\u0080-\uffff])/.exec(text)?.[1]
  if (mode === 'none' || word === undefined) return undefined
  if (!COMMANDS.has(word) && !(word === 'SHOW' && mode === 'physical')) return undefined
  // A backup may be told to write to a folder of the server instead.
  const writes = word === 'BASE_BACKUP' && /\bTARGET\b/i.test(text)
  return { statement: statementOf(text, word, writes), takesData: TAKING_DATA.has(word) }
}

function statementOf(text: string, verb: string, writes: boolean): Statement {
  return {
    start: 0,
    end: Buffer.byteLength(text),
    classes: ['admin'],
    opaque: undefined,
    reasons: [`${verb} is a command of replication`],
    facts: { ...NO_FACTS, commands: [verb], tags: [verb], writes, bounded: !writes },
    verb,
    objects: [],
    returnsRows: true,
    effect: NO_EFFECT,
    mask: NO_MASK,
    parameters: 0,
  }
}
