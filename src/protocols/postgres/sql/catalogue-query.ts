/**
 * Pure. The texts by which the gateway asks a target what its names mean. Each answers with one row of one text
 * column holding JSON, so that the simple query protocol on any connection will do; `catalogue-read.ts` reads it.
 *
 * Every name is schema-qualified and every operator is written OPERATOR(pg_catalog.…), so that no search_path and
 * no planted object changes what they do. No IN, LIKE, USING or CASE value: those look operators up by path.
 * They only read, hold no backslash, and run on PostgreSQL 13 and newer.
 * https://www.postgresql.org/docs/current/catalogs.html
 */
import {
  calledBy,
  computedBy,
  eq,
  ge,
  gt,
  join,
  KINDS,
  le,
  lt,
  ne,
  number,
  objects,
  rows,
  type Scope,
  USER,
} from './catalogue-objects.ts'
import { PLACE } from './server-place.ts'

/** Names of initdb's objects, blank-separated: none of them holds a blank. */
function initdbNames(from: string, condition = 'true'): string {
  const [table, alias, prefix] = from.split(' ') as [string, string, string]
  const name = `${alias}.${prefix}name`
  const whole = `CASE WHEN n.nspname ${eq} 'pg_catalog'::pg_catalog.name
    THEN ${name}::pg_catalog.text
    ELSE n.nspname::pg_catalog.text ${join} '.' ${join} ${name}::pg_catalog.text END`
  return `(SELECT pg_catalog.string_agg(DISTINCT ${whole}, ' ') FROM pg_catalog.${table} ${alias}
    JOIN pg_catalog.pg_namespace n ON n.oid ${eq} ${alias}.${prefix}namespace
    WHERE ${alias}.oid ${lt} ${USER} AND ${condition})`
}

/** pg_toast, pg_temp_3, pg_toast_temp_3: what begins with pg_ is reserved to PostgreSQL. */
export const SHARED_SCHEMA = `NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_t')`

const SHARED: Scope = {
  relations: SHARED_SCHEMA,
  routines: `${SHARED_SCHEMA} AND (p.oid ${ge} ${USER}
      OR p.oid ${eq} ANY (ARRAY(${calledBy('true')})) OR p.oid ${eq} ANY (ARRAY(${computedBy('true')})))`,
  operators: SHARED_SCHEMA,
  types: SHARED_SCHEMA,
  casts: 'true',
  few: false,
}

/** Everything that all sessions of a database share. Tens of milliseconds on a large one. */
export const CATALOGUE_TEXT = `SELECT pg_catalog.json_build_object(
  'version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
  'builtIn', pg_catalog.json_build_object(
    'routines', ${initdbNames('pg_proc p pro')},
    'volatile', ${initdbNames('pg_proc p pro', `p.provolatile ${eq} 'v'::pg_catalog."char"`)},
    'operators', ${initdbNames('pg_operator o opr')},
    'types', ${initdbNames('pg_type t typ')}),
  ${objects(SHARED)})::pg_catalog.text`

/** The transaction's number, NULL while it has changed nothing. */
const XACT = '(SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid)'
const recent = (alias: string) => `(${XACT} IS NOT NULL
  AND pg_catalog.age(${alias}.xmin) ${le} pg_catalog.age(${XACT}))`
const MINE = '(SELECT pg_catalog.pg_my_temp_schema())'

/** Relations on which this session holds a lock such as DDL takes. */
const LOCKED = `ARRAY(SELECT l.relation FROM pg_catalog.pg_locks l
    WHERE ${XACT} IS NOT NULL AND l.pid ${eq} pg_catalog.pg_backend_pid()
      AND l.locktype ${eq} 'relation' AND l.relation ${ge} ${USER} AND l.granted
      AND l.mode ${ne} 'AccessShareLock' AND l.mode ${ne} 'RowShareLock'
      AND l.mode ${ne} 'RowExclusiveLock')`

const PATH = `pg_catalog.current_setting('search_path')`

/**
 * To ask for a path that holds pg_temp makes a session's temporary schema, whose making shows: a transaction that
 * first used it cannot be prepared. So the path is worked out here (`search-path.ts`) until there is such a schema.
 */
const PENDING = `(${MINE} ${eq} 0
  AND pg_catalog.strpos(pg_catalog.lower(${PATH}), 'pg_temp') ${gt} 0)`

/** The path, role and encodings of a session, for json_build_object. */
export const SETTINGS = `'path', CASE WHEN ${PENDING} THEN NULL
    ELSE pg_catalog.array_to_json(pg_catalog.current_schemas(true)) END,
  'usable', CASE WHEN ${PENDING} THEN (SELECT pg_catalog.json_agg(n.nspname)
    FROM pg_catalog.pg_namespace n WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')) END,
  'user', CURRENT_USER,
  'setting', ${PATH},
  'version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
  'client', pg_catalog.current_setting('client_encoding'),
  'server', pg_catalog.current_setting('server_encoding'),
  'strings', pg_catalog.current_setting('standard_conforming_strings'),
  'temporary', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid ${eq} ${MINE})`

const NONE = `'[]'::pg_catalog.json`

/** Of a session that has nothing of its own. */
export const NOTHING_OWN = `'gone', ${NONE}, 'relations', ${NONE}, 'routines', ${NONE},
  'operators', ${NONE}, 'types', ${NONE}, 'casts', ${NONE}`

/**
 * As NAMES_TEXT, outside a transaction, of a session that has nothing of its own and whose path does not ask for it, and on which server. One
 * that has is asked NAMES_TEXT: `temporary` is not 0, or `path` is null.
 *
 * Every login asks this of a new backend, which has looked nothing up yet: so no sub-select and no operator.
 */
export const IDLE_NAMES_TEXT = `SELECT pg_catalog.json_build_object(
  'path', CASE WHEN pg_catalog.texticlike(${PATH}, '%pg_temp%') THEN NULL
    ELSE pg_catalog.array_to_json(pg_catalog.current_schemas(true)) END,
  'user', CURRENT_USER,
  'setting', ${PATH},
  'version', pg_catalog.current_setting('server_version_num'),
  'client', pg_catalog.current_setting('client_encoding'),
  'server', pg_catalog.current_setting('server_encoding'),
  'strings', pg_catalog.current_setting('standard_conforming_strings'),
  'temporary', pg_catalog.pg_my_temp_schema(),
  ${PLACE})::pg_catalog.text`

/** An array of OIDs that is made once for a text. */
const chosen = (oid: string, name: string) =>
  `${oid} ${eq} ANY ((SELECT own.${name} FROM own)::pg_catalog.oid[])`

/**
 * What the names of this very session mean: path, role, encodings, and the objects that only it sees (temporary
 * ones, and those its open transaction made, changed or dropped). To be asked on the session's own connection.
 */
export const NAMES_TEXT = `WITH own AS MATERIALIZED (SELECT
    ARRAY(SELECT c.oid FROM pg_catalog.pg_class c WHERE ${KINDS} AND (c.relnamespace ${eq} ${MINE}
      OR ${recent('c')} OR (${XACT} IS NOT NULL AND c.oid ${eq} ANY (${LOCKED})))) AS relations,
    ARRAY(SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.oid ${ge} ${USER}
      AND (p.pronamespace ${eq} ${MINE} OR ${recent('p')})) AS routines,
    ARRAY(SELECT t.oid FROM pg_catalog.pg_type t WHERE t.oid ${ge} ${USER}
      AND (t.typnamespace ${eq} ${MINE} OR ${recent('t')})) AS types)
SELECT pg_catalog.json_build_object(
  ${SETTINGS},
  'gone', ${rows(
    number('u.oid'),
    `pg_catalog.unnest(${LOCKED}) AS u(oid) WHERE NOT EXISTS (
      SELECT FROM pg_catalog.pg_class c WHERE c.oid ${eq} u.oid)`,
  )},
  ${objects({
    relations: chosen('c.oid', 'relations'),
    routines: chosen('p.oid', 'routines'),
    operators: `(n.oid ${eq} ${MINE} OR ${recent('o')})`,
    types: chosen('t.oid', 'types'),
    casts: recent('k'),
    few: true,
  })})::pg_catalog.text`
