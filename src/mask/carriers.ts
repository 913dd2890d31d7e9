/**
 * Pure. Columns of system catalogues that hold samples of stored values or texts of statements, and
 * are therefore masked while any column is (semantics §5, "Carriers"). So are frequencies and order: whoever may write
 * could store guesses and see in them what they are equal to, and the room that values take in temporary files, in
 * memory and in what COPY has sent: it tells lengths, and of what is computed from a value a length may tell the value.
 * What a column was added with stands for all rows from before, and memory is called by the texts that it was taken for.
 * An UPDATE is HOT where a guess is equal to what stands in an index, and the log holds only that part of a row which
 * differs: so its places and its sizes tell a value letter by letter, and so does what is done whenever so much of it was written.
 * Widths and parts of NULLs stay. https://www.postgresql.org/docs/18/catalogs.html,
 * .../views.html, .../monitoring-stats.html
 */

export interface Carrier {
  readonly columns: readonly string[]
  /** True: made by an extension, which may stand in any schema. */
  readonly anySchema: boolean
}

const VALUES = [
  'most_common_vals',
  'histogram_bounds',
  'most_common_elems',
  'range_bounds_histogram',
  'range_length_histogram',
]
const FREQUENCIES = [
  'most_common_freqs',
  'most_common_elem_freqs',
  'elem_count_histogram',
  'n_distinct',
  'correlation',
]

/** Of memory. */
const ROOM = ['total_bytes', 'total_nblocks', 'free_bytes', 'free_chunks', 'used_bytes']
/** Numbers of updates by their kind. */
const UPDATES = ['n_tup_hot_upd', 'n_tup_newpage_upd']
const SPILLED = ['temp_blks_read', 'temp_blks_written', 'temp_blk_read_time', 'temp_blk_write_time']
const LOGGED = ['wal_records', 'wal_fpi', 'wal_bytes']
/** Its buffers are written whenever they are full; the writes stand there before PostgreSQL 18. */
const LOG_WRITES = ['wal_buffers_full', 'wal_write', 'wal_sync', 'wal_write_time', 'wal_sync_time']
/** Of the log too (PostgreSQL 18), in rows beside those of relations. */
const MOVED = ['read', 'write'].flatMap((verb) => [`${verb}s`, `${verb}_bytes`, `${verb}_time`])
/** A file of the log is archived when it is full. */
const ARCHIVED = ['archived', 'failed'].flatMap((how) => [
  `${how}_count`,
  `last_${how}_wal`,
  `last_${how}_time`,
])
/** What a checkpoint leaves: one is asked for when the log has grown enough. */
const CHECKPOINTS = [
  'num_requested',
  'num_done',
  'restartpoints_req',
  'restartpoints_done',
  'write_time',
  'sync_time',
  'buffers_written',
  'slru_written',
]
/** The same before PostgreSQL 17. */
const CHECKPOINTED = [
  'checkpoints_req',
  'checkpoint_write_time',
  'checkpoint_sync_time',
  'buffers_checkpoint',
]

export const CARRIERS: ReadonlyMap<string, Carrier> = new Map([
  carrier('pg_statistic', [...numbered('stavalues'), ...numbered('stanumbers'), 'stadistinct']),
  carrier('pg_stats', [...VALUES, ...FREQUENCIES]),
  carrier('pg_statistic_ext_data', ['stxdmcv', 'stxdexpr', 'stxdndistinct', 'stxddependencies']),
  carrier('pg_stats_ext', [
    'most_common_vals',
    'most_common_freqs',
    'most_common_base_freqs',
    'n_distinct',
    'dependencies',
  ]),
  carrier('pg_stats_ext_exprs', [...VALUES, ...FREQUENCIES]),
  carrier('pg_stat_activity', ['query']),
  carrier('pg_stat_database', ['temp_bytes', 'temp_files']),
  carrier('pg_stat_progress_copy', ['bytes_processed', 'bytes_total']),
  carrier('pg_stat_replication_slots', ['spill_bytes', 'stream_bytes', 'total_bytes']),
  ...['all', 'user', 'sys'].flatMap((which) => [
    carrier(`pg_stat_${which}_tables`, UPDATES),
    carrier(`pg_stat_xact_${which}_tables`, UPDATES),
  ]),
  carrier('pg_stat_wal', [...LOGGED, ...LOG_WRITES]),
  carrier('pg_stat_io', [...MOVED, 'fsyncs', 'fsync_time']),
  carrier('pg_stat_archiver', ARCHIVED),
  carrier('pg_stat_checkpointer', CHECKPOINTS),
  carrier('pg_stat_bgwriter', CHECKPOINTED),
  carrier('pg_stat_recovery_prefetch', ['wal_distance']),
  carrier('pg_stat_subscription', ['received_lsn', 'latest_end_lsn']),
  carrier('pg_replication_origin_status', ['remote_lsn', 'local_lsn']),
  carrier('pg_stat_replication', ['sent_lsn', 'write_lsn', 'flush_lsn', 'replay_lsn']),
  carrier('pg_stat_wal_receiver', ['written_lsn', 'flushed_lsn', 'latest_end_lsn']),
  carrier('pg_replication_slots', ['restart_lsn', 'confirmed_flush_lsn', 'safe_wal_size']),
  carrier('pg_prepared_statements', ['statement']),
  carrier('pg_attribute', ['attmissingval']),
  carrier('pg_backend_memory_contexts', ['ident', ...ROOM]),
  carrier('pg_cursors', ['statement']),
  carrier('pg_stat_statements', ['query', ...SPILLED, ...LOGGED, 'wal_buffers_full'], true),
])

function numbered(name: string): string[] {
  return [1, 2, 3, 4, 5].map((number) => `${name}${number}`)
}

function carrier(
  name: string,
  columns: readonly string[],
  anySchema = false,
): readonly [string, Carrier] {
  return [name, { columns, anySchema }]
}
