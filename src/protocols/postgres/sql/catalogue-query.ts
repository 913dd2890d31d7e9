/**
 * Pure. The texts by which the gateway asks a target what its names mean. Each answers with one row of one text
 * column holding JSON, so that the simple query protocol on any connection will do; `catalogue-read.ts` reads it.
 *
 * Every name is schema-qualified and every operator is written OPERATOR(pg_catalog.…), so that no search_path and
 * no planted object changes what they do. No IN, LIKE, USING or CASE value: those look operators up by path.
 * They only read, hold no backslash, and run on PostgreSQL 13 and newer.
 * https://www.postgresql.org/docs/current/catalogs.html
 */

const eq = 'OPERATOR(pg_catalog.=)'
const ne = 'OPERATOR(pg_catalog.<>)'
const ge = 'OPERATOR(pg_catalog.>=)'
const le = 'OPERATOR(pg_catalog.<=)'
const lt = 'OPERATOR(pg_catalog.<)'
const gt = 'OPERATOR(pg_catalog.>)'
const join = 'OPERATOR(pg_catalog.||)'

/** As in catalogue.ts: everything below was made by initdb. */
const USER = '16384'

/** Objects of the session's own temporary schema are shown under pg_temp. */
const SCHEMA = `(CASE WHEN n.oid ${eq} pg_catalog.pg_my_temp_schema() THEN 'pg_temp'
  ELSE n.nspname::pg_catalog.text END)`

/** Of an OID, whose JSON would be a string; for other numbers a cast could be refused. */
const number = (value: string) => `(${value})::pg_catalog.int8`
const tuple = (...values: readonly string[]) => `pg_catalog.json_build_array(${values.join(', ')})`
const catalogue = (name: string) => `'pg_catalog.${name}'::pg_catalog.regclass`

/** A JSON array over all rows, `[]` when there are none. */
function rows(value: string, from: string): string {
  return `COALESCE((SELECT pg_catalog.json_agg(${value}) FROM ${from}), '[]'::pg_catalog.json)`
}

/** One JSON array per relation, to be joined to it as `alias.list`. */
function perRelation(alias: string, source: { key: string; value: string; from: string }): string {
  return `LEFT JOIN (SELECT ${source.key} AS owner, pg_catalog.json_agg(${source.value}) AS list
    FROM ${source.from} GROUP BY 1) ${alias} ON ${alias}.owner ${eq} c.oid`
}

/** Which objects a text asks for: conditions over the aliases c, p, o, t and k. */
interface Scope {
  readonly relations: string
  readonly routines: string
  readonly operators: string
  readonly types: string
  readonly casts: string
}

const KINDS = `c.relkind ${eq} ANY (ARRAY['r','p','v','m','f','S','c']::pg_catalog."char"[])`

/** Columns that a generated one is computed from, by relation and column. */
const GENERATED = `(SELECT g.adrelid, g.adnum, pg_catalog.json_agg(d.refobjsubid) AS list
    FROM pg_catalog.pg_attrdef g JOIN pg_catalog.pg_depend d ON d.objid ${eq} g.oid
      AND d.classid ${eq} ${catalogue('pg_attrdef')} AND d.refclassid ${eq} ${catalogue('pg_class')}
      AND d.refobjid ${eq} g.adrelid AND d.refobjsubid ${gt} 0
      AND d.refobjsubid ${ne} g.adnum
    GROUP BY 1, 2)`

const COLUMN = tuple(
  'a.attnum',
  'a.attname',
  number('a.atttypid'),
  'a.attnotnull',
  // One that is computed from no column is still no ordinary one: 0 is the number of none.
  `CASE WHEN a.attgenerated::pg_catalog.text ${eq} '' THEN NULL
    ELSE COALESCE(generated.list, '[0]'::pg_catalog.json) END`,
)

const UNIQUE_KEY = `(i.indkey::pg_catalog.int2[])[0:(i.indnkeyatts OPERATOR(pg_catalog.-) 1)]`

/** Numbers that follow one of some field names in a stored query tree. */
function inTree(fields: string): string {
  return `pg_catalog.regexp_matches(w.ev_action::pg_catalog.text, ':(?:${fields}) ([0-9]+)', 'g')`
}

const RETURN_RULE = `w.rulename ${eq} '_RETURN'::pg_catalog.name`
const CALLED = `(SELECT DISTINCT w.ev_class, m.one[1]::pg_catalog.oid AS oid
    FROM pg_catalog.pg_rewrite w, ${inTree('funcid|aggfnoid|winfnoid|opfuncid')} AS m(one)
    WHERE ${RETURN_RULE} AND w.ev_class ${ge} ${USER})`

const READ = `(SELECT w.ev_class, d.refobjid AS relation, d.refobjsubid AS number
    FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d ON d.objid ${eq} w.oid
      AND d.classid ${eq} ${catalogue('pg_rewrite')} AND d.refclassid ${eq} ${catalogue('pg_class')}
    WHERE ${RETURN_RULE} AND w.ev_class ${ge} ${USER} AND d.refobjid ${ne} w.ev_class
  UNION SELECT w.ev_class, m.one[1]::pg_catalog.oid, 0
    FROM pg_catalog.pg_rewrite w, ${inTree('relid')} AS m(one)
    WHERE ${RETURN_RULE} AND w.ev_class ${ge} ${USER} AND m.one[1]::pg_catalog.oid ${lt} ${USER}
      AND m.one[1]::pg_catalog.oid ${gt} 0)`

function relations(scope: Scope): string {
  const from = `pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ${eq} c.relnamespace
  ${perRelation('columns', {
    key: 'a.attrelid',
    value: COLUMN,
    from: `pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid ${eq} a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid ${eq} c.relnamespace
      LEFT JOIN ${GENERATED} generated ON generated.adrelid ${eq} a.attrelid
        AND generated.adnum ${eq} a.attnum
      WHERE a.attnum ${gt} 0 AND NOT a.attisdropped AND ${KINDS} AND ${scope.relations}`,
  })}
  ${perRelation('keys', {
    key: 'i.indrelid',
    value: `pg_catalog.array_to_json(${UNIQUE_KEY})`,
    from: `pg_catalog.pg_index i WHERE i.indisunique AND i.indisvalid AND i.indexprs IS NULL
      AND i.indpred IS NULL AND i.indrelid ${ge} ${USER}`,
  })}
  ${perRelation('children', {
    key: 'h.inhparent',
    value: number('h.inhrelid'),
    from: 'pg_catalog.pg_inherits h',
  })}
  ${perRelation('parents', {
    key: 'h.inhrelid',
    value: number('h.inhparent'),
    from: 'pg_catalog.pg_inherits h',
  })}
  ${perRelation('cascades', {
    key: 'f.confrelid',
    value: number('f.conrelid'),
    from: `pg_catalog.pg_constraint f WHERE f.contype ${eq} 'f'::pg_catalog."char"
      AND (f.confupdtype ${eq} ANY (ARRAY['c','n','d']::pg_catalog."char"[])
        OR f.confdeltype ${eq} ANY (ARRAY['c','n','d']::pg_catalog."char"[]))`,
  })}
  ${perRelation('referrers', {
    key: 'f.confrelid',
    value: number('f.conrelid'),
    from: `pg_catalog.pg_constraint f WHERE f.contype ${eq} 'f'::pg_catalog."char"`,
  })}
  ${perRelation('triggers', {
    key: 'g.tgrelid',
    value: tuple('g.tgname', 'g.tgtype'),
    from: 'pg_catalog.pg_trigger g WHERE NOT g.tgisinternal',
  })}
  ${perRelation('rules', {
    key: 'w.ev_class',
    value: 'w.rulename',
    from: `pg_catalog.pg_rewrite w WHERE NOT (${RETURN_RULE})`,
  })}
  ${perRelation('reads', {
    key: 's.ev_class',
    value: tuple(number('s.relation'), 's.number'),
    from: `${READ} s`,
  })}
  ${perRelation('calls', { key: 's.ev_class', value: number('s.oid'), from: `${CALLED} s` })}
  WHERE ${KINDS} AND ${scope.relations}`
  const row = tuple(
    number('c.oid'),
    SCHEMA,
    'c.relname',
    'c.relkind',
    `c.relpersistence ${eq} 't'::pg_catalog."char"`,
    ...LISTS.map((one) => `${one}.list`),
  )
  return rows(row, from)
}

const LISTS = [
  'columns',
  'keys',
  'children',
  'parents',
  'cascades',
  'triggers',
  'rules',
  'reads',
  'calls',
  'referrers',
]

/** To be joined; an object is a member of one extension at most. */
const extension = (of: string, oid: string) => `LEFT JOIN (
    SELECT d.objid AS owner, pg_catalog.min(e.extname::pg_catalog.text) AS name
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid ${eq} d.refobjid
    WHERE d.classid ${eq} ${catalogue(of)} AND d.refclassid ${eq} ${catalogue('pg_extension')}
      AND d.deptype ${eq} 'e'::pg_catalog."char" GROUP BY 1) extension
  ON extension.owner ${eq} ${oid}`

function routines(scope: Scope): string {
  return rows(
    tuple(number('p.oid'), SCHEMA, 'p.proname', 'p.prokind', 'p.provolatile', 'extension.name'),
    `pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid ${eq} p.pronamespace
     ${extension('pg_proc', 'p.oid')} WHERE ${scope.routines}`,
  )
}

function operators(scope: Scope): string {
  return rows(
    tuple(SCHEMA, 'o.oprname', number('o.oprcode::pg_catalog.oid')),
    `pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid ${eq} o.oprnamespace
     WHERE o.oid ${ge} ${USER} AND ${scope.operators}`,
  )
}

const IO = ['typinput', 'typoutput', 'typreceive', 'typsend', 'typmodin', 'typmodout', 'typanalyze']

/** Lists of a type's OIDs by `owner`; joined, not asked for one by one, which the planner fears and compiles. */
function perType(alias: string, branches: readonly string[]): string {
  return `LEFT JOIN (SELECT x.owner, pg_catalog.json_agg(${number('x.oid')}) AS list
    FROM (${branches.join(' UNION ')}) x WHERE x.oid ${ge} ${USER} GROUP BY 1) ${alias}
    ON ${alias}.owner ${eq} t.oid`
}

function types(scope: Scope): string {
  const own = `pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid ${eq} t.typnamespace`
  const where = `WHERE t.oid ${ge} ${USER} AND ${scope.types}`
  const range = `${own} JOIN pg_catalog.pg_range r ON r.rngtypid ${eq} t.oid ${where}`
  const calls = [
    `SELECT t.oid AS owner, u.oid FROM ${own}, LATERAL pg_catalog.unnest(ARRAY[${IO.map(
      (one) => `t.${one}`,
    ).join(', ')}]::pg_catalog.oid[]) AS u(oid) ${where}`,
    `SELECT t.oid, r.rngcanonical::pg_catalog.oid FROM ${range}`,
    `SELECT t.oid, r.rngsubdiff::pg_catalog.oid FROM ${range}`,
    `SELECT t.oid, COALESCE(b.oprcode::pg_catalog.oid, d.refobjid)
      FROM ${own} JOIN pg_catalog.pg_constraint f ON f.contypid ${eq} t.oid
      JOIN pg_catalog.pg_depend d ON d.objid ${eq} f.oid
        AND d.classid ${eq} ${catalogue('pg_constraint')}
      LEFT JOIN pg_catalog.pg_operator b ON b.oid ${eq} d.refobjid
        AND d.refclassid ${eq} ${catalogue('pg_operator')}
      ${where} AND (d.refclassid ${eq} ${catalogue('pg_proc')}
        OR d.refclassid ${eq} ${catalogue('pg_operator')})`,
  ]
  const uses = [
    `SELECT t.oid AS owner, t.typbasetype AS oid FROM ${own} ${where}`,
    `SELECT t.oid, t.typelem FROM ${own} ${where}`,
    `SELECT t.oid, a.atttypid FROM ${own} JOIN pg_catalog.pg_attribute a
      ON a.attrelid ${eq} t.typrelid ${where} AND a.attnum ${gt} 0 AND NOT a.attisdropped`,
    `SELECT t.oid, r.rngsubtype FROM ${range}`,
  ]
  return rows(
    tuple(
      number('t.oid'),
      SCHEMA,
      't.typname',
      't.typtype',
      'extension.name',
      'calls.list',
      'uses.list',
    ),
    `${own} ${extension('pg_type', 't.oid')} ${perType('calls', calls)} ${perType('uses', uses)}
     ${where}`,
  )
}

function casts(scope: Scope): string {
  return rows(
    tuple(number('k.castsource'), number('k.casttarget'), number('k.castfunc'), 'k.castcontext'),
    `pg_catalog.pg_cast k WHERE k.oid ${ge} ${USER} AND ${scope.casts}`,
  )
}

/** A part of the catalogue, and the system catalogues that its text reads. */
const PARTS = {
  relations: {
    text: relations,
    from: [
      'pg_class',
      'pg_attribute',
      'pg_attrdef',
      'pg_index',
      'pg_constraint',
      'pg_trigger',
      'pg_rewrite',
      'pg_inherits',
      'pg_namespace',
    ],
  },
  routines: { text: routines, from: ['pg_proc', 'pg_rewrite', 'pg_namespace', 'pg_extension'] },
  operators: { text: operators, from: ['pg_operator', 'pg_namespace'] },
  types: {
    text: types,
    from: ['pg_type', 'pg_attribute', 'pg_constraint', 'pg_namespace', 'pg_extension'],
  },
  casts: { text: casts, from: ['pg_cast'] },
} as const

export type Part = keyof typeof PARTS

export const ALL_PARTS = Object.keys(PARTS) as readonly Part[]

function objects(scope: Scope, parts = ALL_PARTS): string {
  return parts.map((part) => `'${part}', ${PARTS[part].text(scope)}`).join(',\n  ')
}

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
const SHARED_SCHEMA = `NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_t')`

const SHARED: Scope = {
  relations: SHARED_SCHEMA,
  routines: `${SHARED_SCHEMA} AND (p.oid ${ge} ${USER} OR p.oid ${eq} ANY (ARRAY(
      SELECT s.oid FROM ${CALLED} s)))`,
  operators: SHARED_SCHEMA,
  types: SHARED_SCHEMA,
  casts: 'true',
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

/** The same of some parts, for one who has the rest, and of initdb's relations, which stay as they are. */
export function partsText(parts: readonly Part[]): string {
  const made = { ...SHARED, relations: `${SHARED_SCHEMA} AND c.oid ${ge} ${USER}` }
  return `SELECT pg_catalog.json_build_object(${objects(made, parts)})::pg_catalog.text`
}

/** The transaction's number, NULL while it has changed nothing. */
const XACT = '(SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid)'
const recent = (alias: string) => `(${XACT} IS NOT NULL
  AND pg_catalog.age(${alias}.xmin) ${le} pg_catalog.age(${XACT}))`
const temporary = `n.oid ${eq} (SELECT pg_catalog.pg_my_temp_schema())`

/** Relations on which this session holds a lock such as DDL takes. */
const LOCKED = `ARRAY(SELECT l.relation FROM pg_catalog.pg_locks l
    WHERE ${XACT} IS NOT NULL AND l.pid ${eq} pg_catalog.pg_backend_pid()
      AND l.locktype ${eq} 'relation' AND l.relation ${ge} ${USER} AND l.granted
      AND l.mode ${ne} 'AccessShareLock' AND l.mode ${ne} 'RowShareLock'
      AND l.mode ${ne} 'RowExclusiveLock')`

const SETTINGS = `'path', pg_catalog.array_to_json(pg_catalog.current_schemas(true)),
  'user', CURRENT_USER,
  'setting', pg_catalog.current_setting('search_path'),
  'version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
  'client', pg_catalog.current_setting('client_encoding'),
  'server', pg_catalog.current_setting('server_encoding'),
  'strings', pg_catalog.current_setting('standard_conforming_strings')`

const NONE = `'[]'::pg_catalog.json`

const TEMPORARY_SCHEMA = `(SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE ${temporary})`

/**
 * As NAMES_TEXT, outside a transaction, where a session has nothing of its own but temporary objects: all there is
 * to know unless it has a temporary schema. A tenth of the cost, which each login and each change pays.
 */
export const IDLE_NAMES_TEXT = `SELECT pg_catalog.json_build_object(
  ${SETTINGS},
  'temporary', ${TEMPORARY_SCHEMA}, 'gone', ${NONE}, 'relations', ${NONE}, 'routines', ${NONE},
  'operators', ${NONE}, 'types', ${NONE}, 'casts', ${NONE})::pg_catalog.text`

/**
 * What the names of this very session mean: path, role, encodings, and the objects that only it sees (temporary
 * ones, and those its open transaction made, changed or dropped). To be asked on the session's own connection.
 */
export const NAMES_TEXT = `SELECT pg_catalog.json_build_object(
  ${SETTINGS},
  'temporary', ${TEMPORARY_SCHEMA},
  'gone', ${rows(
    number('u.oid'),
    `pg_catalog.unnest(${LOCKED}) AS u(oid) WHERE NOT EXISTS (
      SELECT FROM pg_catalog.pg_class c WHERE c.oid ${eq} u.oid)`,
  )},
  ${objects({
    relations: `(${temporary} OR ${recent('c')} OR (${XACT} IS NOT NULL
      AND c.oid ${eq} ANY (${LOCKED})))`,
    routines: `p.oid ${ge} ${USER} AND (${temporary} OR ${recent('p')})`,
    operators: `(${temporary} OR ${recent('o')})`,
    types: `(${temporary} OR ${recent('t')})`,
    casts: recent('k'),
  })})::pg_catalog.text`

const VERSIONED = [...new Set(ALL_PARTS.flatMap((part) => PARTS[part].from))]

// A change of a row writes a new version of it with a new xmin, or takes one away.
/** Changes with every committed change of the catalogues above, and with the server's version. About 2 ms. */
export const VERSION_TEXT = `SELECT pg_catalog.concat_ws(',', ${VERSIONED.map(
  (one) => `(SELECT pg_catalog.concat(pg_catalog.count(*), ':',
    pg_catalog.sum(c.xmin::pg_catalog.text::pg_catalog.int8)) FROM pg_catalog.${one} c)`,
).join(',\n  ')}, pg_catalog.current_setting('server_version_num'))`

/** The term of an answer to VERSION_TEXT that changes with the schemas. */
export const schemasIn = (version: string): string | undefined =>
  version.split(',')[VERSIONED.indexOf('pg_namespace')]

/** What to load again between two answers to VERSION_TEXT; nothing: all, of another server even what initdb made. */
export function changedParts(before: string, now: string): readonly Part[] {
  const [old, fresh] = [before.split(','), now.split(',')]
  if (old[VERSIONED.length] !== fresh[VERSIONED.length]) return []
  const differing = new Set(VERSIONED.filter((_, at) => !fresh[at] || old[at] !== fresh[at]))
  return ALL_PARTS.filter((part) => PARTS[part].from.some((one) => differing.has(one)))
}
