/**
 * Pure. The pieces of text by which the gateway asks for objects of a target's catalogue, as rows of JSON that
 * `catalogue-read.ts` reads. The whole questions stand in `catalogue-query.ts` and `catalogue-look.ts`; what holds
 * for all of them, in the first.
 *
 * All objects are asked for by joins, a few of them by OID and sub-selects that find them by index: so many joins
 * take longer to plan than a few objects to find, and sub-selects for each of many rows are feared, and compiled.
 * https://www.postgresql.org/docs/current/catalogs.html
 */

export const eq = 'OPERATOR(pg_catalog.=)'
export const ne = 'OPERATOR(pg_catalog.<>)'
export const ge = 'OPERATOR(pg_catalog.>=)'
export const le = 'OPERATOR(pg_catalog.<=)'
export const lt = 'OPERATOR(pg_catalog.<)'
export const gt = 'OPERATOR(pg_catalog.>)'
export const join = 'OPERATOR(pg_catalog.||)'

/** As in catalogue.ts: everything below was made by initdb. */
export const USER = '16384'

/** Objects of the session's own temporary schema are shown under pg_temp. */
const SCHEMA = `(CASE WHEN n.oid ${eq} pg_catalog.pg_my_temp_schema() THEN 'pg_temp'
  ELSE n.nspname::pg_catalog.text END)`

/** Of an OID, whose JSON would be a string; for other numbers a cast could be refused. */
export const number = (value: string) => `(${value})::pg_catalog.int8`
export const tuple = (...values: readonly string[]) =>
  `pg_catalog.json_build_array(${values.join(', ')})`
const catalogue = (name: string) => `'pg_catalog.${name}'::pg_catalog.regclass`

/** A JSON array over all rows, `[]` when there are none. */
export function rows(value: string, from: string): string {
  return `COALESCE((SELECT pg_catalog.json_agg(${value}) FROM ${from}), '[]'::pg_catalog.json)`
}

/** Which objects a text asks for. */
export interface Scope {
  /** Conditions over the aliases c, p, o, t and k, and n of their schema. */
  readonly relations: string
  readonly routines: string
  readonly operators: string
  readonly types: string
  readonly casts: string
  /** The first, second and fourth choose few, by OID. */
  readonly few: boolean
}

export type Part = 'relations' | 'routines' | 'operators' | 'types' | 'casts'

export const ALL_PARTS: readonly Part[] = ['relations', 'routines', 'operators', 'types', 'casts']

export const KINDS = `c.relkind ${eq} ANY (ARRAY['r','p','v','m','f','S','c']::pg_catalog."char"[])`

const listOf = (value: string) => `pg_catalog.json_agg(${value})`

/** What many rows say of one object, whose OID is `owner` in them. */
interface List {
  readonly owner: string
  /** An aggregate over them. */
  readonly value: string
  readonly from: string
  readonly where: string
}

/** The lists of each `of`, and what is to be joined for them. */
function lists(all: Readonly<Record<string, List>>, of: string, few: boolean): [string[], string] {
  const values: string[] = []
  let joins = ''
  for (const [alias, { owner, value, from, where }] of Object.entries(all)) {
    if (few) values.push(`(SELECT ${value} FROM ${from} WHERE ${where} AND ${owner} ${eq} ${of})`)
    else {
      values.push(`${alias}.list`)
      joins += `
  LEFT JOIN (SELECT ${owner} AS owner, ${value} AS list FROM ${from} WHERE ${where} GROUP BY 1) ${alias}
    ON ${alias}.owner ${eq} ${of}`
    }
  }
  return [values, joins]
}

/** Columns that a generated one is computed from: `d.refobjsubid`. */
const GENERATED = `pg_catalog.pg_attrdef g JOIN pg_catalog.pg_depend d ON d.objid ${eq} g.oid
      AND d.classid ${eq} ${catalogue('pg_attrdef')} AND d.refclassid ${eq} ${catalogue('pg_class')}
      AND d.refobjid ${eq} g.adrelid AND d.refobjsubid ${gt} 0 AND d.refobjsubid ${ne} g.adnum`
const GENERATED_LIST = listOf('d.refobjsubid')

/** Of a view's tree, or of a column's; what a larger one shows counts as not known. */
const TREE_BYTES_MAX = '100000'
/** By what a column is computed that is not stored but computed when it is read (PostgreSQL 18); '' where that is large. */
const COMPUTED = `CASE WHEN pg_catalog.octet_length(v.adbin::pg_catalog.text) ${lt} ${TREE_BYTES_MAX}
      THEN v.adbin::pg_catalog.text ELSE '' END`
/** Joined, since a sub-select counts as dear for each column of all tables. */
const EXPRESSIONS = `LEFT JOIN pg_catalog.pg_attrdef v ON v.adrelid ${eq} a.attrelid AND v.adnum ${eq} a.attnum`
const IS_VIRTUAL = `a.attgenerated::pg_catalog.text ${eq} 'v'`

const column = (generated: string) =>
  tuple(
    'a.attnum',
    'a.attname',
    number('a.atttypid'),
    'a.attnotnull',
    // One that is computed from no column is still no ordinary one: 0 is the number of none.
    `CASE WHEN a.attgenerated::pg_catalog.text ${eq} '' THEN NULL
      WHEN ${IS_VIRTUAL} THEN pg_catalog.json_build_array(COALESCE(${generated}, '[0]'::pg_catalog.json),
        ${COMPUTED})
      ELSE COALESCE(${generated}, '[0]'::pg_catalog.json) END`,
  )

function columns(few: boolean): List {
  const from = `pg_catalog.pg_attribute a ${EXPRESSIONS}`
  const where = `a.attnum ${gt} 0 AND NOT a.attisdropped`
  const generated = `(SELECT ${GENERATED_LIST} FROM ${GENERATED}
      WHERE g.adrelid ${eq} a.attrelid AND g.adnum ${eq} a.attnum)`
  if (few) return { owner: 'a.attrelid', value: listOf(column(generated)), from, where }
  const joined = `LEFT JOIN (SELECT g.adrelid, g.adnum, ${GENERATED_LIST} AS list FROM ${GENERATED}
      GROUP BY 1, 2) generated ON generated.adrelid ${eq} a.attrelid AND generated.adnum ${eq} a.attnum`
  return {
    owner: 'a.attrelid',
    value: listOf(column('generated.list')),
    from: `${from} JOIN pg_catalog.pg_class r ON r.oid ${eq} a.attrelid ${joined}`,
    where: `${where} AND ${KINDS.replace('c.', 'r.')}`,
  }
}

const KEY = `(i.indkey::pg_catalog.int2[])[0:(i.indnkeyatts OPERATOR(pg_catalog.-) 1)]`
/** Beside the columns of a key something else decides, or none of it does yet: 0 is the number of no column. */
const UNIQUE_KEY = `CASE WHEN i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL
    THEN ${KEY} ELSE pg_catalog.array_append(${KEY}, 0::pg_catalog.int2) END`

/** Numbers that follow one of some field names in a stored query tree. */
function inTree(fields: string, tree = 'w.ev_action'): string {
  return `pg_catalog.regexp_matches(${tree}::pg_catalog.text, ':(?:${fields}) ([0-9]+)', 'g')`
}

const RETURN_RULE = `w.rulename ${eq} '_RETURN'::pg_catalog.name`
const called = (
  rule: string,
) => `SELECT DISTINCT w.ev_class AS owner, m.one[1]::pg_catalog.oid AS oid
    FROM pg_catalog.pg_rewrite w, ${inTree('funcid|aggfnoid|winfnoid|opfuncid')} AS m(one)
    WHERE ${RETURN_RULE} AND w.ev_class ${ge} ${USER} AND ${rule}`

const read = (rule: string) => `SELECT w.ev_class AS owner, d.refobjid AS relation,
      d.refobjsubid AS number
    FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d ON d.objid ${eq} w.oid
      AND d.classid ${eq} ${catalogue('pg_rewrite')} AND d.refclassid ${eq} ${catalogue('pg_class')}
    WHERE ${RETURN_RULE} AND w.ev_class ${ge} ${USER} AND d.refobjid ${ne} w.ev_class AND ${rule}
  UNION SELECT w.ev_class, m.one[1]::pg_catalog.oid, 0
    FROM pg_catalog.pg_rewrite w, ${inTree('relid')} AS m(one)
    WHERE ${RETURN_RULE} AND w.ev_class ${ge} ${USER} AND m.one[1]::pg_catalog.oid ${lt} ${USER}
      AND m.one[1]::pg_catalog.oid ${gt} 0 AND ${rule}`

const FOREIGN = `f.contype ${eq} 'f'::pg_catalog."char"`
const CASCADES = `(f.confupdtype ${eq} ANY (ARRAY['c','n','d']::pg_catalog."char"[])
  OR f.confdeltype ${eq} ANY (ARRAY['c','n','d']::pg_catalog."char"[]))`

/** In the order in which a row shows them. */
function relationLists(few: boolean): Readonly<Record<string, List>> {
  const rule = few ? `w.ev_class ${eq} c.oid` : 'true'
  const foreign = { value: listOf(number('f.conrelid')), from: 'pg_catalog.pg_constraint f' }
  const inherits = { from: 'pg_catalog.pg_inherits h', where: 'true' }
  return {
    columns: columns(few),
    keys: {
      owner: 'i.indrelid',
      value: listOf(`pg_catalog.array_to_json(${UNIQUE_KEY})`),
      from: 'pg_catalog.pg_index i',
      where: `(i.indisunique OR i.indisexclusion) AND i.indrelid ${ge} ${USER}`,
    },
    children: { owner: 'h.inhparent', value: listOf(number('h.inhrelid')), ...inherits },
    parents: { owner: 'h.inhrelid', value: listOf(number('h.inhparent')), ...inherits },
    cascades: { owner: 'f.confrelid', ...foreign, where: `${FOREIGN} AND ${CASCADES}` },
    triggers: {
      owner: 'g.tgrelid',
      value: listOf(tuple('g.tgname', 'g.tgtype', number('g.tgfoid'))),
      from: 'pg_catalog.pg_trigger g',
      where: 'NOT g.tgisinternal',
    },
    rules: {
      owner: 'w.ev_class',
      value: listOf('w.rulename'),
      from: 'pg_catalog.pg_rewrite w',
      where: `NOT (${RETURN_RULE})`,
    },
    reads: {
      owner: 's.owner',
      value: listOf(tuple(number('s.relation'), 's.number')),
      from: `(${read(rule)}) s`,
      where: 'true',
    },
    calls: {
      owner: 's.owner',
      value: listOf(number('s.oid')),
      from: `(${called(rule)}) s`,
      where: 'true',
    },
    referrers: { owner: 'f.confrelid', ...foreign, where: FOREIGN },
    tree: {
      owner: 'w.ev_class',
      value: 'pg_catalog.min(w.ev_action::pg_catalog.text)',
      from: 'pg_catalog.pg_rewrite w',
      where: `${RETURN_RULE} AND w.ev_class ${ge} ${USER}
        AND pg_catalog.octet_length(w.ev_action::pg_catalog.text) ${lt} ${TREE_BYTES_MAX}`,
    },
  }
}

function relations(scope: Scope): string {
  const [values, joins] = lists(relationLists(scope.few), 'c.oid', scope.few)
  const row = tuple(
    number('c.oid'),
    SCHEMA,
    'c.relname',
    'c.relkind',
    `c.relpersistence ${eq} 't'::pg_catalog."char"`,
    ...values,
  )
  return rows(
    row,
    `pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ${eq} c.relnamespace ${joins}
  WHERE ${KINDS} AND ${scope.relations}`,
  )
}

/** Routines that views call, in the views that `rule` chooses over the alias w. */
export const calledBy = (rule: string) => `SELECT s.oid FROM (${called(rule)}) s`

/** Routines by which columns are computed that are not stored; `rule` chooses over the alias a. */
export const computedBy = (
  rule: string,
) => `SELECT m.one[1]::pg_catalog.oid FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_attrdef g ON g.adrelid ${eq} a.attrelid AND g.adnum ${eq} a.attnum,
      ${inTree('funcid|opfuncid', 'g.adbin')} AS m(one)
    WHERE ${IS_VIRTUAL} AND ${rule}`

/** An object is a member of one extension at most. */
const extension = (of: string): Readonly<Record<string, List>> => ({
  extension: {
    owner: 'd.objid',
    value: 'pg_catalog.min(e.extname::pg_catalog.text)',
    from: `pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid ${eq} d.refobjid`,
    where: `d.classid ${eq} ${catalogue(of)} AND d.refclassid ${eq} ${catalogue('pg_extension')}
      AND d.deptype ${eq} 'e'::pg_catalog."char"`,
  },
})

function routines(scope: Scope): string {
  const [values, joins] = lists(extension('pg_proc'), 'p.oid', scope.few)
  return rows(
    tuple(
      number('p.oid'),
      SCHEMA,
      'p.proname',
      'p.prokind',
      'p.provolatile',
      ...values,
      'p.prosecdef',
    ),
    `pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid ${eq} p.pronamespace ${joins}
     WHERE ${scope.routines}`,
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

/** What a type's values run and what they are made of, by OID. */
function typeLists(few: boolean): Readonly<Record<string, List>> {
  const all = 'pg_catalog.pg_type y'
  const where = few ? `WHERE y.oid ${eq} t.oid` : `WHERE y.oid ${ge} ${USER}`
  const range = `${all} JOIN pg_catalog.pg_range r ON r.rngtypid ${eq} y.oid ${where}`
  const calls = [
    `SELECT y.oid AS owner, u.oid FROM ${all}, LATERAL pg_catalog.unnest(ARRAY[${IO.map(
      (one) => `y.${one}`,
    ).join(', ')}]::pg_catalog.oid[]) AS u(oid) ${where}`,
    `SELECT y.oid, r.rngcanonical::pg_catalog.oid FROM ${range}`,
    `SELECT y.oid, r.rngsubdiff::pg_catalog.oid FROM ${range}`,
    `SELECT y.oid, COALESCE(b.oprcode::pg_catalog.oid, d.refobjid)
      FROM ${all} JOIN pg_catalog.pg_constraint f ON f.contypid ${eq} y.oid
      JOIN pg_catalog.pg_depend d ON d.objid ${eq} f.oid
        AND d.classid ${eq} ${catalogue('pg_constraint')}
      LEFT JOIN pg_catalog.pg_operator b ON b.oid ${eq} d.refobjid
        AND d.refclassid ${eq} ${catalogue('pg_operator')}
      ${where} AND (d.refclassid ${eq} ${catalogue('pg_proc')}
        OR d.refclassid ${eq} ${catalogue('pg_operator')})`,
  ]
  const uses = [
    `SELECT y.oid AS owner, y.typbasetype AS oid FROM ${all} ${where}`,
    `SELECT y.oid, y.typelem FROM ${all} ${where}`,
    `SELECT y.oid, a.atttypid FROM ${all} JOIN pg_catalog.pg_attribute a
      ON a.attrelid ${eq} y.typrelid ${where} AND a.attnum ${gt} 0 AND NOT a.attisdropped`,
    `SELECT y.oid, r.rngsubtype FROM ${range}`,
  ]
  const list = (branches: readonly string[]): List => ({
    owner: 'x.owner',
    value: listOf(number('x.oid')),
    from: `(${branches.join(' UNION ')}) x`,
    where: `x.oid ${ge} ${USER}`,
  })
  return { ...extension('pg_type'), calls: list(calls), uses: list(uses) }
}

function types(scope: Scope): string {
  const [values, joins] = lists(typeLists(scope.few), 't.oid', scope.few)
  return rows(
    tuple(number('t.oid'), SCHEMA, 't.typname', 't.typtype', ...values),
    `pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid ${eq} t.typnamespace ${joins}
     WHERE t.oid ${ge} ${USER} AND ${scope.types}`,
  )
}

function casts(scope: Scope): string {
  return rows(
    tuple(number('k.castsource'), number('k.casttarget'), number('k.castfunc'), 'k.castcontext'),
    `pg_catalog.pg_cast k WHERE k.oid ${ge} ${USER} AND ${scope.casts}`,
  )
}

const TEXTS = { relations, routines, operators, types, casts }

/** Keys and values for json_build_object. */
export function objects(scope: Scope, parts = ALL_PARTS): string {
  return parts.map((part) => `'${part}', ${TEXTS[part](scope)}`).join(',\n  ')
}
