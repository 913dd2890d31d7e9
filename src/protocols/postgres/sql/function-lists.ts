/**
 * Pure. What the functions that initdb makes do besides computing. A name that is VOLATILE at the target and
 * stands on none of these lists is `admin`: a newer server may have functions that nobody here has read about.
 * https://www.postgresql.org/docs/current/functions-admin.html
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** VOLATILE, and yet no more than a read. Releasing advisory locks is one (semantics §1). */
export const HARMLESS_VOLATILE = words(`
  array_sample array_shuffle clock_timestamp current_query currtid2 currval gen_random_uuid lastval
  pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared pg_blocking_pids
  pg_collation_actual_version pg_current_wal_flush_lsn pg_current_wal_insert_lsn
  pg_current_wal_lsn pg_database_collation_actual_version pg_database_size pg_export_snapshot
  pg_get_multixact_members pg_get_sequence_data pg_get_wait_events pg_get_wal_replay_pause_state
  pg_get_wal_resource_managers pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused
  pg_isolation_test_session_is_blocked pg_jit_available pg_last_committed_xact
  pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_lock_status
  pg_notification_queue_usage pg_partition_ancestors pg_partition_tree pg_prepared_xact
  pg_relation_size pg_safe_snapshot_blocking_pids pg_sequence_last_value
  pg_show_replication_origin_status pg_sleep pg_sleep_for pg_sleep_until pg_stat_clear_snapshot
  pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io pg_stat_get_recovery_prefetch
  pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls
  pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time
  pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
  pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted
  pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned
  pg_stat_get_xact_tuples_updated pg_stat_have_stats pg_table_size pg_tablespace_size
  pg_total_relation_size pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status
  random random_normal setseed timeofday ts_rewrite txid_status uuidv4 uuidv7
`)

/** A write of class, and nothing that outlives the statement: locks, messages. */
export const LOCKS_AND_MESSAGES = words(`
  pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
  pg_notify pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock
  pg_try_advisory_xact_lock_shared
`)

/** Large objects. lo_import and lo_export also reach the server's files. */
export const LARGE_OBJECTS = words(`
  lo_close lo_creat lo_create lo_export lo_from_bytea lo_get lo_import lo_lseek lo_lseek64 lo_open
  lo_put lo_tell lo_tell64 lo_truncate lo_truncate64 lo_unlink loread lowrite
`)

/** Run a text, or whatever a name or a type (given as a value) means. */
export const RUN_TEXT = words(`
  array_in array_recv cursor_to_xml cursor_to_xmlschema database_to_xml
  database_to_xml_and_xmlschema database_to_xmlschema domain_in domain_recv multirange_in
  multirange_recv pg_input_error_info pg_input_is_valid query_to_xml query_to_xml_and_xmlschema
  query_to_xmlschema range_in range_recv record_in record_recv schema_to_xml
  schema_to_xml_and_xmlschema schema_to_xmlschema table_to_xml table_to_xml_and_xmlschema
  table_to_xmlschema ts_stat
`)

/** Not VOLATILE at every version, and yet server files, other sessions or the server itself. */
export const ADMINISTRATIVE = words(`
  brin_desummarize_range brin_summarize_new_values brin_summarize_range fmgr_c_validator
  fmgr_internal_validator fmgr_sql_validator gin_clean_pending_list lo_export lo_import
  pg_cancel_backend pg_clear_attribute_stats
  pg_clear_relation_stats pg_create_restore_point pg_current_logfile pg_extension_config_dump
  pg_hba_file_rules pg_ident_file_mappings pg_import_system_collations
  pg_log_backend_memory_contexts pg_log_standby_snapshot pg_logical_emit_message pg_ls_dir
  pg_promote pg_read_binary_file pg_read_file pg_read_file_old pg_reload_conf
  pg_restore_attribute_stats pg_restore_relation_stats pg_rotate_logfile pg_rotate_logfile_old
  pg_show_all_file_settings pg_stat_file pg_stat_reset pg_switch_wal pg_sync_replication_slots
  pg_terminate_backend pg_wal_replay_pause pg_wal_replay_resume plpgsql_validator
`)

/** Views of initdb that show the server's files by calling functions of the list above. */
export const FILE_VIEWS: ReadonlySet<string> = new Set([
  'pg_catalog.pg_file_settings',
  'pg_catalog.pg_hba_file_rules',
  'pg_catalog.pg_ident_file_mappings',
])
