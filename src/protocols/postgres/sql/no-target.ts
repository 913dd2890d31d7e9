/**
 * Pure. A catalogue and names for texts that are judged without a target (`sluice policy test`): no relation is
 * known, unqualified names are `public.`, and what initdb makes is PostgreSQL 18's.
 */
import type { Names } from './analysis.ts'
import { catalogueOf } from './catalogue.ts'
import { INITDB } from './initdb-names.ts'

export const NO_TARGET: Names = {
  catalogue: catalogueOf({
    serverVersion: 180000,
    epoch: 0,
    relations: [],
    routines: [],
    operators: [],
    types: [],
    casts: [],
    builtIn: INITDB,
  }),
  searchPath: ['pg_catalog', 'public'],
  currentUser: '',
  own: [],
  key: 'no target',
  encoding: 'utf8',
  standardConformingStrings: true,
}
