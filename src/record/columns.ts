/**
 * Pure. The one place that fixes which columns a recorded row has, and in what order they stand in
 * the spool.
 *
 * The order groups columns by how often they change, so that a row is two copied spans and a few
 * numbers:
 *
 *   ┌───────────────┬───────────────┬──────────────────────┐
 *   │ per session   │ per shape     │ per event            │
 *   └───────────────┴───────────────┴──────────────────────┘
 *
 * `event_id`, `action_id` and `segment` are computed by the table: an event's id is
 * `<session_id>-<seq>`, an action's id is the event id of its first row.
 */
import { crc32 } from 'node:zlib'

export const SESSION_COLUMNS = [
  ['session_id', 'String'],
  ['instance', 'String'],
  ['protocol', 'String'],
  ['connection', 'String'],
  ['target_database', 'String'],
  ['subject', 'String'],
  ['kind_of_identity', 'String'],
  ['owner', 'String'],
  ['job', 'String'],
  ['run', 'String'],
  ['agent', 'String'],
  ['parent_agent', 'String'],
  ['job_verified', 'Bool'],
  ['client_ip', 'String'],
  ['roles', 'Array(String)'],
  ['groups', 'Array(String)'],
] as const

export const SHAPE_COLUMNS = [
  ['kind', 'String'],
  ['class', 'String'],
  ['verb', 'String'],
  ['objects', 'Array(String)'],
  ['statement', 'String'],
  ['statement_hash', 'String'],
  ['verdict', 'String'],
  ['rule', 'String'],
  ['policy_version', 'UInt64'],
  ['request_id', 'String'],
  ['facts', 'String'],
] as const

export const EVENT_COLUMNS = [
  ['ts', "DateTime64(6, 'UTC')"],
  ['seq', 'UInt64'],
  ['action_seq', 'UInt64'],
  ['job_seq', 'UInt64'],
  ['bytes_up', 'UInt64'],
  ['parse_us', 'UInt64'],
  ['decide_us', 'UInt64'],
  ['wait_us', 'UInt64'],
  ['params', 'Array(String)'],
  ['rows', 'UInt64'],
  ['bytes_down', 'UInt64'],
  ['upstream_us', 'UInt64'],
  ['gateway_us', 'UInt64'],
  ['status', 'String'],
  ['error', 'String'],
  ['text', 'String'],
  ['masked', 'Map(String, UInt64)'],
  ['payload_cut', 'Bool'],
  ['payload', 'String'],
] as const

export const COLUMNS = [...SESSION_COLUMNS, ...SHAPE_COLUMNS, ...EVENT_COLUMNS] as const

export const COLUMN_NAMES: readonly string[] = COLUMNS.map(([name]) => name)

/** Stands in every segment's header: a segment of another column list is never inserted blindly. */
export const COLUMNS_HASH = crc32(COLUMNS.map(([name, type]) => `${name} ${type}`).join(',')) >>> 0
