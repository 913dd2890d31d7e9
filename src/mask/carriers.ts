/**
 * Pure. Columns of system catalogues that hold samples of stored values or texts of statements, and
 * are therefore masked while any column is (semantics §5, "Carriers"). So are frequencies and order: whoever may write
 * could store guesses and see in them what they are equal to, and the room of temporary files, which tells lengths.
 * What a column was added with stands for all rows from before, and memory is called by the texts that it was taken for.
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
  carrier('pg_stat_database', ['temp_bytes']),
  carrier('pg_prepared_statements', ['statement']),
  carrier('pg_attribute', ['attmissingval']),
  carrier('pg_backend_memory_contexts', ['ident']),
  carrier('pg_cursors', ['statement']),
  carrier('pg_stat_statements', ['query', 'temp_blks_read', 'temp_blks_written'], true),
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
