/**
 * Pure. Columns of system catalogues that hold samples of stored values or texts of statements, and
 * are therefore masked while any column is (semantics §5, "Carriers"). Counts, widths and
 * frequencies stay, so that monitoring goes on. https://www.postgresql.org/docs/18/catalogs.html,
 * .../views.html, .../monitoring-stats.html
 */

export interface Carrier {
  readonly columns: readonly string[]
  /** True: made by an extension, which may stand in any schema. */
  readonly anySchema: boolean
}

export const CARRIERS: ReadonlyMap<string, Carrier> = new Map([
  carrier('pg_statistic', ['stavalues1', 'stavalues2', 'stavalues3', 'stavalues4', 'stavalues5']),
  carrier('pg_stats', [
    'most_common_vals',
    'histogram_bounds',
    'most_common_elems',
    'range_bounds_histogram',
  ]),
  carrier('pg_statistic_ext_data', ['stxdmcv', 'stxdexpr']),
  carrier('pg_stats_ext', ['most_common_vals']),
  carrier('pg_stats_ext_exprs', [
    'most_common_vals',
    'histogram_bounds',
    'most_common_elems',
    'range_bounds_histogram',
  ]),
  carrier('pg_stat_activity', ['query']),
  carrier('pg_prepared_statements', ['statement']),
  carrier('pg_cursors', ['statement']),
  carrier('pg_stat_statements', ['query'], true),
])

function carrier(
  name: string,
  columns: readonly string[],
  anySchema = false,
): readonly [string, Carrier] {
  return [name, { columns, anySchema }]
}
