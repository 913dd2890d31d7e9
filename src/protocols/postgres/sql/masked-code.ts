/**
 * Pure. "Masks bind code" (semantics §5): while a mask applies, nothing may run or leave that the gateway cannot see
 * into, whatever the role allows. What is `execute` or `opaque` is told by its class; this file knows the `admin`
 * statements and the built-in functions that read or send bytes past the relations.
 */

import type { ActionClass } from '../../../decide/action.ts'
import type { Refusal } from './lineage/walk.ts'
import { attributesOf, dotted, each, isPart } from './nodes.ts'
import type { Node } from './parse.ts'

/** Built-in functions with an effect that others can see: what goes in is carried out of the mask's reach. */
export const CARRIER_FUNCTIONS =
  /^(set_config|setval|nextval|currval|pg_notify|pg_(try_)?advisory_.*|pg_advisory_.*|lo_.*|lowrite|loread|pg_sleep.*|pg_logical_emit_message|dblink.*|pg_file_.*|txid_.*)$/

/**
 * Built-in functions that read or send what no relation's mask covers: files, WAL, replication, query texts of other
 * sessions, texts that run, large objects' bytes, the room of temporary files and of what COPY has sent; and how an update was made, which
 * lock it took of its row and how long the log is, which tell what a guess has in common with the value that it replaces.
 */
const PAST_RELATIONS =
  /^(pg_read_.*|pg_ls_.*|pg_stat_file|pg_file_.*|pg_current_logfile|pg_hba_file_rules|pg_ident_file_mappings|lo_import|lo_export|lo_get|loread|dblink.*|query_to_xml.*|cursor_to_xml.*|table_to_xml.*|schema_to_xml.*|database_to_xml.*|ts_stat|ts_rewrite|pg_stat_get_activity|pg_stat_get_backend_activity|pg_stat_get_db_temp_(bytes|files)|pg_stat_get_progress_info|pg_tablespace_size|pg_stat_get_replication_slot|pg_stat_get_(xact_)?tuples_(hot|newpage)_updated|pg_(current|last)_wal_.*|pg_stat_get_wal.*|pg_stat_get_(backend_)?(wal|io)|pg_stat_get_(archiver|recovery_prefetch|subscription)|pg_stat_get_checkpoint.*|pg_stat_get_bgwriter_(requested|buf_written)_checkpoints|pg_show_replication_origin_status|pg_get_replication_slots|pg_stat_statements.*|pg_prepared_statement|pg_cursor|pg_logical_.*|pg_create_.*slot|pg_copy_.*slot|pg_drop_replication_slot|pg_replication_.*|pg_backup_.*|pg_start_backup|pg_stop_backup|pg_walfile.*|pg_get_wal.*|binary_upgrade_.*|pg_mcv_list_items|pg_get_multixact_members|pg_restore_.*|pg_clear_.*|brin_.*|gin_.*|currtid.*)$/

/** Administration that leaves values where they are. Every other statement of class `admin` is refused. */
const HARMLESS_ADMIN = new Set([
  'GrantStmt',
  'GrantRoleStmt',
  'CreateRoleStmt',
  'AlterRoleStmt',
  'AlterRoleSetStmt',
  'DropRoleStmt',
  'AlterDefaultPrivilegesStmt',
  'AlterOwnerStmt',
  'ReassignOwnedStmt',
  'DropOwnedStmt',
  'DropStmt',
  'DropdbStmt',
  'VacuumStmt',
  'CheckPointStmt',
  'VariableSetStmt',
  'TransactionStmt',
  'CommentStmt',
  'AlterTableStmt',
])

/** Administration by function that neither reads nor sends values. */
const HARMLESS_ADMIN_FUNCTIONS = new Set([
  'pg_terminate_backend',
  'pg_cancel_backend',
  'pg_reload_conf',
  'pg_rotate_logfile',
])

const HINT = 'Ask for a role without masks on this connection, or use plain SQL on its tables.'

export function codeRefusal(stmt: Node, classes: readonly ActionClass[]): Refusal | undefined {
  if (classes.includes('opaque'))
    return {
      reason: 'While columns are masked, only what the gateway understands may run.',
      hint: HINT,
    }
  if (classes.includes('execute'))
    return {
      reason: 'While columns are masked, code that the gateway cannot see into may not run.',
      hint: `Use built-in functions and operators. ${HINT}`,
    }
  const names = functionNames(stmt)
  const past = [...names, ...attributeNames(stmt)].find((name) => PAST_RELATIONS.test(name))
  if (past !== undefined)
    return { reason: `${past} reads past the tables, where masks cannot follow.`, hint: HINT }
  if (classes.includes('admin') && setsEncoding(stmt))
    return {
      reason: "Whether a client's encoding can show a masked text would tell what it holds.",
      hint: 'Leave client_encoding at UTF8.',
    }
  if (classes.includes('admin') && !isHarmlessAdmin(stmt, names))
    return {
      reason: 'While columns are masked, nothing may read or send data past the tables.',
      hint: HINT,
    }
  return undefined
}

/** To another than UTF-8, or it would be no administration. Portals that are open already would send in it, too. */
function setsEncoding(stmt: Node): boolean {
  return 'VariableSetStmt' in stmt && stmt.VariableSetStmt.name === 'client_encoding'
}

function isHarmlessAdmin(stmt: Node, names: readonly string[]): boolean {
  const kind = Object.keys(stmt)[0] ?? ''
  if (HARMLESS_ADMIN.has(kind)) return true
  // Which function made it `admin` is not known here, so that it must be the only one.
  return kind === 'SelectStmt' && names.length === 1 && HARMLESS_ADMIN_FUNCTIONS.has(names[0]!)
}

function functionNames(stmt: Node): string[] {
  const names: string[] = []
  each(stmt, (kind, inside) => {
    if (kind === 'FuncCall' && isPart(inside))
      names.push(dotted(inside.funcname as Node[] | undefined)?.at(-1) ?? '')
    return true
  })
  return names
}

/** `(1).f` and `t.f` call f as well where no column has that name. */
function attributeNames(stmt: Node): string[] {
  const names: string[] = []
  each(stmt, (kind, inside) => {
    if (isPart(inside)) names.push(...attributesOf(kind, inside))
    return true
  })
  return names
}
