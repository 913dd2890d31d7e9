/**
 * Pure. Looks for what changed in a target's catalogue since it was last looked at, so that only that is loaded.
 *
 * A change of a row leaves a version of it with a newer xmin, or takes the row away. So for each system catalogue
 * that ours is made of, the target is asked for the number of rows, and for one whose transaction may not have been
 * over at the last look; where either says that something changed, for a list of all: row, xmin, and the objects of
 * ours that are made of it. Two lists differ in what to load. All scans together cost a tenth of a whole load.
 *
 * To be asked outside a transaction only: what a transaction of one's own hides would be taken for gone.
 */
import {
  calledBy,
  computedBy,
  eq,
  ge,
  KINDS,
  le,
  objects,
  type Part,
  type Scope,
  USER,
} from './catalogue-objects.ts'
import { NOTHING_OWN, SETTINGS, SHARED_SCHEMA } from './catalogue-query.ts'
import { PLACE } from './server-place.ts'

/** What was seen when the target was last looked at. */
export interface Seen {
  /** The oldest transaction that was not over. */
  readonly since: number
  readonly version: number
  /**
   * Which server and which database it was: transactions of another server have nothing to do with these, and another
   * database that took the name may have as many rows, all of them old.
   */
  readonly server: string
  /** As every login asks for it. */
  readonly place: string
  /** Schemas by OID. */
  readonly schemas: ReadonlyMap<number, string>
  /** Equal: every path leads to the same schemas. */
  readonly paths: string
  readonly extensions: string
  /** Entries `xmin:row:object:object`. */
  readonly sources: Readonly<Record<Source, ReadonlySet<string>>>
  /** Entries `xmin:relation` of rows that were fresh at the last look. */
  readonly columns: ReadonlySet<string>
}

/** Which objects to load. */
export interface Choice {
  readonly relations: readonly number[]
  readonly routines: readonly number[]
  readonly types: readonly number[]
  readonly operators: boolean
  readonly casts: boolean
}

export type Source = keyof typeof SOURCES

/** `row`: what its entries hold, the row's own number first. Where that is no object of ours, objects follow. */
const SOURCES = {
  relations: {
    from: 'pg_catalog.pg_class c',
    where: `${KINDS} AND c.oid ${ge} ${USER} AND ${shared('c.relnamespace')}`,
    row: ['c.oid'],
  },
  indexes: {
    from: 'pg_catalog.pg_index c',
    where: `(c.indisunique OR c.indisexclusion) AND c.indrelid ${ge} ${USER}`,
    row: ['c.indexrelid', 'c.indrelid'],
  },
  inherits: {
    from: 'pg_catalog.pg_inherits c',
    where: 'true',
    row: ['c.inhrelid', 'c.inhparent'],
  },
  constraints: {
    from: 'pg_catalog.pg_constraint c',
    where: `(c.contype ${eq} 'f'::pg_catalog."char" OR c.contypid ${ge} ${USER})`,
    row: ['c.oid', 'c.confrelid', 'c.contypid'],
  },
  triggers: {
    from: 'pg_catalog.pg_trigger c',
    where: 'NOT c.tgisinternal',
    row: ['c.oid', 'c.tgrelid'],
  },
  rules: {
    from: 'pg_catalog.pg_rewrite c',
    where: `c.ev_class ${ge} ${USER}`,
    row: ['c.oid', 'c.ev_class'],
  },
  routines: {
    from: 'pg_catalog.pg_proc c',
    where: `c.oid ${ge} ${USER} AND ${shared('c.pronamespace')}`,
    row: ['c.oid'],
  },
  operators: {
    from: 'pg_catalog.pg_operator c',
    where: `c.oid ${ge} ${USER} AND ${shared('c.oprnamespace')}`,
    row: ['c.oid'],
  },
  types: {
    from: 'pg_catalog.pg_type c',
    where: `c.oid ${ge} ${USER} AND ${shared('c.typnamespace')}`,
    row: ['c.oid'],
  },
  casts: { from: 'pg_catalog.pg_cast c', where: `c.oid ${ge} ${USER}`, row: ['c.oid'] },
} as const

/** Their rows go with their relation, so that only new ones are looked for. */
const COLUMNS = [
  { from: 'pg_catalog.pg_attribute c', relation: 'c.attrelid' },
  { from: 'pg_catalog.pg_attrdef c', relation: 'c.adrelid' },
] as const

/** The first transaction of a new cluster. */
const FIRST_XID = 3

export const ALL_SOURCES = Object.keys(SOURCES) as readonly Source[]

function shared(schema: string): string {
  return `${schema} OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT n.oid FROM pg_catalog.pg_namespace n
      WHERE NOT (${SHARED_SCHEMA})))`
}

const entries = (row: readonly string[], distinct = '') =>
  `pg_catalog.string_agg(${distinct} pg_catalog.concat_ws(':', c.xmin, ${row.join(', ')}), ' ')`

/** With the session's own settings, as NAMES_TEXT answers them of one that has nothing of its own. `seen` undefined: everything is listed. */
export function lookText(seen: Seen | undefined): string {
  const since = `'${seen?.since ?? FIRST_XID}'::pg_catalog.xid`
  const fresh =
    seen === undefined ? 'false' : `pg_catalog.age(c.xmin) ${le} (SELECT pg_catalog.age(${since}))`
  const sources = ALL_SOURCES.map((name) => {
    const { from, where, row } = SOURCES[name]
    return `'${name}', (SELECT CASE WHEN w.count ${eq} ${seen?.sources[name].size ?? -1}
        AND w.fresh ${eq} 0 THEN NULL
      ELSE COALESCE((SELECT ${entries(row)} FROM ${from} WHERE ${where}), '') END
    FROM (SELECT pg_catalog.count(*) AS count, pg_catalog.count(*) FILTER (WHERE ${fresh}) AS fresh
      FROM ${from} WHERE ${where}) w)`
  })
  const columns = COLUMNS.map(
    ({ from, relation }) => `(SELECT ${entries([relation], 'DISTINCT')}
      FROM ${from} WHERE ${fresh} AND ${relation} ${ge} ${USER})`,
  )
  return `SELECT pg_catalog.json_build_object(
  'since', pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.xid::pg_catalog.text,
  'behind', pg_catalog.age(${since}),
  ${PLACE},
  'version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
  'server', pg_catalog.concat_ws(' ', pg_catalog.inet_server_addr(), pg_catalog.inet_server_port(),
    pg_catalog.pg_is_in_recovery(),
    (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname ${eq} pg_catalog.current_database()),
    pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.int8),
  'schemas', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(n.oid::pg_catalog.int8,
      n.nspname, n.xmin::pg_catalog.text) ORDER BY n.oid)
    FROM pg_catalog.pg_namespace n WHERE ${SHARED_SCHEMA}),
  'extensions', (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', n.oid, n.xmin), ' ' ORDER BY n.oid)
    FROM pg_catalog.pg_extension n),
  'names', pg_catalog.json_build_object(${SETTINGS}, ${NOTHING_OWN}),
  ${sources.join(',\n  ')},
  'columns', pg_catalog.concat_ws(' ', ${columns.join(', ')}))::pg_catalog.text`
}

/** The chosen objects, in the shape of CATALOGUE_TEXT's answer. Types of the chosen relations come along. */
export function chosenText(choice: Choice): string {
  const oids = (list: readonly number[]) => `'{${list.join(',')}}'::pg_catalog.oid[]`
  const relations = oids(choice.relations)
  const scope: Scope = {
    relations: `${SHARED_SCHEMA} AND c.oid ${eq} ANY (${relations})`,
    routines: `${SHARED_SCHEMA} AND p.oid ${eq} ANY (${oids(choice.routines)} OPERATOR(pg_catalog.||)
      ARRAY(${calledBy(`w.ev_class ${eq} ANY (${relations})`)}) OPERATOR(pg_catalog.||)
      ARRAY(${computedBy(`a.attrelid ${eq} ANY (${relations})`)}))`,
    operators: SHARED_SCHEMA,
    types: `${SHARED_SCHEMA} AND t.oid ${eq} ANY (${oids(choice.types)} OPERATOR(pg_catalog.||)
      ARRAY(SELECT y.reltype FROM pg_catalog.pg_class y WHERE y.oid ${eq} ANY (${relations})))`,
    casts: 'true',
    few: true,
  }
  return `SELECT pg_catalog.json_build_object(${objects(scope, partsOf(choice))})::pg_catalog.text`
}

/** The parts of a catalogue that a choice loads anything of. */
export function partsOf(choice: Choice): readonly Part[] {
  const { relations, routines, types, operators, casts } = choice
  const some = relations.length > 0
  const parts: Part[] = []
  if (some) parts.push('relations')
  if (some || routines.length > 0) parts.push('routines')
  if (operators) parts.push('operators')
  if (some || types.length > 0) parts.push('types')
  if (casts) parts.push('casts')
  return parts
}
