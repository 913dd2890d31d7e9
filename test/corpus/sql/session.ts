/** IO. A database of the corpus' schema and what the analyser needs to know of it. */
import { resolveMasks } from '../../../src/mask/resolve-masks.ts'
import type { AnalyseOptions } from '../../../src/protocols/postgres/sql/analysis.ts'
import { CATALOGUE_TEXT, NAMES_TEXT } from '../../../src/protocols/postgres/sql/catalogue-query.ts'
import { buildCatalogue, namesFrom } from '../../../src/protocols/postgres/sql/catalogue-read.ts'
import { maskable } from '../../../src/protocols/postgres/sql/lineage/view-columns.ts'
import type { Postgres } from '../../lib/postgres.ts'
import { MASKED_COLUMNS } from './corpus.ts'

export interface CorpusOptions {
  readonly clear: AnalyseOptions
  readonly masked: AnalyseOptions
}

/** Makes the database and reads its catalogue. */
export function makeShop(server: Postgres, name: string, schema: string): CorpusOptions {
  server.sql(`CREATE DATABASE ${name}`)
  server.sql(schema, name)
  const catalogue = buildCatalogue(server.sql(CATALOGUE_TEXT, name), 1)
  const names = catalogue && namesFrom(server.sql(NAMES_TEXT, name), catalogue)
  if (catalogue === undefined || names === undefined) throw new Error('no catalogue')
  const clear = { names, masked: undefined, functionsRead: [], identityParameter: undefined }
  const columns = MASKED_COLUMNS.map((column) => ({
    pattern: column.split('.') as [string, string, string],
    with: { type: 'redact' } as const,
    inPredicates: 'deny' as const,
    derived: 'mask' as const,
    monitor: false,
    rule: 'corpus/0',
  }))
  const masked = resolveMasks({ columns, detectors: [] }, maskable(catalogue), 'corpus')
  return { clear, masked: { ...clear, masked } }
}
