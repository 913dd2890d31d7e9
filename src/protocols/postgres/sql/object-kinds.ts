/**
 * Pure. Kinds of database objects: what their command tags call them, and what changing one means.
 * https://www.postgresql.org/docs/current/sql-commands.html
 */

/** `schema`: a shape of data. `code`: plants something that runs. `admin`: beyond one database's data. */
export type ObjectFamily = 'schema' | 'code' | 'admin'

const SPELLED: ReadonlyMap<string, string> = new Map([
  ['OBJECT_FDW', 'FOREIGN DATA WRAPPER'],
  ['OBJECT_FOREIGN_SERVER', 'SERVER'],
  ['OBJECT_MATVIEW', 'MATERIALIZED VIEW'],
  ['OBJECT_OPCLASS', 'OPERATOR CLASS'],
  ['OBJECT_OPFAMILY', 'OPERATOR FAMILY'],
  ['OBJECT_STATISTIC_EXT', 'STATISTICS'],
  ['OBJECT_TSCONFIGURATION', 'TEXT SEARCH CONFIGURATION'],
  ['OBJECT_TSDICTIONARY', 'TEXT SEARCH DICTIONARY'],
  ['OBJECT_TSPARSER', 'TEXT SEARCH PARSER'],
  ['OBJECT_TSTEMPLATE', 'TEXT SEARCH TEMPLATE'],
  ['OBJECT_LARGEOBJECT', 'LARGE OBJECT'],
  ['OBJECT_COLUMN', 'TABLE'],
  ['OBJECT_TABCONSTRAINT', 'TABLE'],
  ['OBJECT_ATTRIBUTE', 'TYPE'],
  ['OBJECT_DOMCONSTRAINT', 'DOMAIN'],
])

const SCHEMA = new Set(
  `OBJECT_ATTRIBUTE OBJECT_COLLATION OBJECT_COLUMN OBJECT_DEFAULT OBJECT_DOMAIN OBJECT_DOMCONSTRAINT
  OBJECT_INDEX OBJECT_MATVIEW OBJECT_SCHEMA OBJECT_SEQUENCE OBJECT_STATISTIC_EXT OBJECT_TABCONSTRAINT
  OBJECT_TABLE OBJECT_TSCONFIGURATION OBJECT_TSDICTIONARY OBJECT_TYPE OBJECT_VIEW`.split(/\s+/),
)

const CODE = new Set(
  `OBJECT_AGGREGATE OBJECT_AMOP OBJECT_AMPROC OBJECT_CAST OBJECT_CONVERSION OBJECT_FUNCTION
  OBJECT_OPCLASS OBJECT_OPERATOR OBJECT_OPFAMILY OBJECT_POLICY OBJECT_PROCEDURE OBJECT_ROUTINE
  OBJECT_RULE OBJECT_TRANSFORM OBJECT_TRIGGER`.split(/\s+/),
)

/** `kind`: an ObjectType of the parser, such as OBJECT_TABLE. What is not listed is admin. */
export function familyOf(kind: string): ObjectFamily {
  if (SCHEMA.has(kind)) return 'schema'
  return CODE.has(kind) ? 'code' : 'admin'
}

/** Its words in a command tag: OBJECT_MATVIEW → MATERIALIZED VIEW. */
export function objectWords(kind: string): string {
  return SPELLED.get(kind) ?? kind.replace(/^OBJECT_/, '').replaceAll('_', ' ')
}

/** Dropping one of these takes stored values along. */
export const HOLDS_VALUES: ReadonlySet<string> = new Set([
  'OBJECT_COLUMN',
  'OBJECT_DOMAIN',
  'OBJECT_EXTENSION',
  'OBJECT_LARGEOBJECT',
  'OBJECT_MATVIEW',
  'OBJECT_SCHEMA',
  'OBJECT_SEQUENCE',
  'OBJECT_TABLE',
  'OBJECT_TYPE',
])

/** Kinds whose names are those of relations. */
export const RELATIONS: ReadonlySet<string> = new Set([
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_INDEX',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_TABLE',
  'OBJECT_VIEW',
])

/** Kinds that stand on a table whose name comes before theirs in a list. */
export const ON_TABLES: ReadonlySet<string> = new Set([
  'OBJECT_COLUMN',
  'OBJECT_POLICY',
  'OBJECT_RULE',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_TRIGGER',
])
