/**
 * Pure. Extensions whose functions, operators, types and casts do nothing but compute (semantics §1). Not on
 * the list on purpose: dblink, tablefunc (runs text), file_fdw, adminpack, pageinspect, every language.
 */
export const HARMLESS_EXTENSIONS: ReadonlySet<string> = new Set([
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'earthdistance',
  'fuzzystrmatch',
  'hstore',
  'intarray',
  'isn',
  'ltree',
  'pg_trgm',
  'pgcrypto',
  'postgis',
  'unaccent',
  'uuid-ossp',
  'vector',
])
