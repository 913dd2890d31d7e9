import { expect, test } from 'vitest'
import { CARRIERS } from '../../src/mask/carriers.ts'

test('every carrier of semantics §5, and each found since, is listed, and only extensions may stand in any schema', () => {
  const wanted = [
    'pg_statistic',
    'pg_stats',
    'pg_statistic_ext_data',
    'pg_stats_ext',
    'pg_stats_ext_exprs',
    'pg_stat_activity',
    'pg_stat_database',
    'pg_stat_all_tables',
    'pg_stat_user_tables',
    'pg_stat_sys_tables',
    'pg_stat_xact_all_tables',
    'pg_stat_xact_user_tables',
    'pg_stat_xact_sys_tables',
    'pg_stat_progress_copy',
    'pg_stat_replication_slots',
    'pg_stat_wal',
    'pg_stat_io',
    'pg_stat_archiver',
    'pg_stat_checkpointer',
    'pg_stat_bgwriter',
    'pg_stat_recovery_prefetch',
    'pg_stat_subscription',
    'pg_replication_origin_status',
    'pg_stat_replication',
    'pg_stat_wal_receiver',
    'pg_replication_slots',
    'pg_stat_statements',
    'pg_prepared_statements',
    'pg_cursors',
    'pg_attribute',
    'pg_backend_memory_contexts',
  ]
  expect([...CARRIERS.keys()].sort()).toEqual(wanted.sort())
  const anywhere = [...CARRIERS].filter(([, carrier]) => carrier.anySchema)
  expect(anywhere.map(([name]) => name)).toEqual(['pg_stat_statements'])
})

test('what tells of guesses that were written, and of lengths, is hidden as well', () => {
  expect(CARRIERS.get('pg_stats')?.columns).toContain('n_distinct')
  expect(CARRIERS.get('pg_stats')?.columns).toContain('correlation')
  expect(CARRIERS.get('pg_stats')?.columns).not.toContain('null_frac')
  expect(CARRIERS.get('pg_statistic')?.columns).toContain('stanumbers5')
  expect(CARRIERS.get('pg_stat_database')?.columns).toEqual(['temp_bytes', 'temp_files'])
  expect(CARRIERS.get('pg_stat_progress_copy')?.columns).toContain('bytes_processed')
  expect(CARRIERS.get('pg_stat_io')?.columns).toContain('write_bytes')
  // The log's buffers are written when they are full; before PostgreSQL 18 their writes stand in the same view.
  for (const name of ['wal_buffers_full', 'wal_write', 'wal_sync', 'wal_write_time'])
    expect(CARRIERS.get('pg_stat_wal')?.columns).toContain(name)
  expect(CARRIERS.get('pg_stat_archiver')?.columns).toContain('last_archived_wal')
  expect(CARRIERS.get('pg_stat_xact_all_tables')?.columns).toContain('n_tup_hot_upd')
})
