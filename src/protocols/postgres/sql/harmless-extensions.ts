/**
 * Pure. Extensions whose functions, operators, types and casts do nothing but compute (semantics §1). Not on
 * the list on purpose: dblink, tablefunc (runs text), file_fdw, adminpack, pageinspect, every language.
 * PostGIS holds functions that drop tables and run text, so being a member is not enough.
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

/** VOLATILE functions of these extensions that still only compute. Any other VOLATILE one counts as foreign. */
export const HARMLESS_VOLATILE_MEMBERS: ReadonlySet<string> = new Set([
  'gen_random_bytes',
  'gen_random_uuid',
  'gen_salt',
  'pgp_pub_encrypt',
  'pgp_pub_encrypt_bytea',
  'pgp_sym_encrypt',
  'pgp_sym_encrypt_bytea',
  'set_limit',
  'st_generatepoints',
  'uuid_generate_v1',
  'uuid_generate_v1mc',
  'uuid_generate_v4',
])

/** Members that are not VOLATILE, and yet run text or read the statistics of whatever table they are given. */
export const FOREIGN_MEMBERS =
  /^(_postgis_.*|find_srid|postgis_index_extent|st_(estimatedextent|estimated_extent|findextent|find_extent))$/
