/**
 * IO: reads no server, only loads the parser. A catalogue with the traps that names can hold, and `judge` to see what
 * a text comes to under it.
 */
import { analyse } from '../../../../src/protocols/postgres/sql/analyse.ts'
import type {
  AnalyseOptions,
  Names,
  Statement,
} from '../../../../src/protocols/postgres/sql/analysis.ts'
import {
  type CatalogueParts,
  catalogueOf,
  type Relation,
} from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { INITDB } from '../../../../src/protocols/postgres/sql/initdb-names.ts'

export function relation(oid: number, name: string, more: Partial<Relation> = {}): Relation {
  return {
    oid,
    schema: 'public',
    name,
    kind: 'r',
    temporary: false,
    columns: ['id', 'email', 'owner_id'].map((column, at) => ({
      number: at + 1,
      name: column,
      typeOid: 25,
      notNull: false,
      generatedFrom: [],
    })),
    uniqueKeys: [[1]],
    children: [],
    parents: [],
    cascades: [],
    triggers: [],
    insteadOfTriggers: false,
    rules: false,
    reads: [],
    calls: [],
    ...more,
  }
}

export const routine = (oid: number, schema: string, name: string, extension?: string) => ({
  oid,
  schema,
  name,
  kind: 'f',
  volatility: extension === undefined ? 'v' : 'i',
  extension,
  asOwner: false,
})

export const PARTS: CatalogueParts = {
  serverVersion: 180000,
  epoch: 1,
  relations: [
    relation(20001, 'users', { cascades: [20002] }),
    relation(20002, 'orders', { triggers: ['audit'], parents: [20003] }),
    relation(20003, 'all_orders', { kind: 'p', children: [20002] }),
    relation(20004, 'user_view', { kind: 'v', reads: [{ relation: 20001, column: 1 }] }),
    relation(20005, 'code_view', { kind: 'v', calls: [30001] }),
    relation(20006, 'kill_view', { kind: 'v', calls: [2096] }),
    relation(20007, 'ruled', { rules: true }),
    relation(20008, 'trapped', { kind: 'v', insteadOfTriggers: true }),
    relation(20009, 'other', { schema: 'app' }),
    relation(20011, 'settings_view', { kind: 'v', reads: [{ relation: 20010, column: 1 }] }),
    relation(20012, 'hba_view', { kind: 'v', reads: [{ relation: 20013, column: 0 }] }),
    relation(20013, 'pg_hba_file_rules', { schema: 'pg_catalog', kind: 'v' }),
    relation(20010, 'pg_settings', { schema: 'pg_catalog', kind: 'v', rules: true }),
  ],
  routines: [
    routine(30001, 'public', 'evil'),
    routine(30002, 'public', 'similarity', 'pg_trgm'),
    routine(30003, 'public', 'dblink', 'dblink'),
    routine(30004, 'public', 'peek'),
    routine(30005, 'app', 'upper'),
    routine(30006, 'public', 'st_area'),
    { ...routine(30007, 'public', 'dropgeometrytable', 'postgis'), volatility: 'v' },
    { ...routine(30008, 'public', 'gen_salt', 'pgcrypto'), volatility: 'v' },
    { ...routine(30009, 'public', 'find_srid', 'postgis'), volatility: 's' },
    routine(2096, 'pg_catalog', 'pg_terminate_backend'),
  ],
  operators: [
    { schema: 'public', name: '%', routine: 30002 },
    { schema: 'public', name: '@@@', routine: 30001 },
    { schema: 'app', name: '=', routine: 30001 },
  ],
  types: [
    {
      oid: 40001,
      schema: 'public',
      name: 'mood',
      kind: 'e',
      extension: undefined,
      calls: [],
      uses: [],
    },
    {
      oid: 40002,
      schema: 'public',
      name: 'checked',
      kind: 'd',
      extension: undefined,
      calls: [30001],
      uses: [],
    },
    {
      oid: 40003,
      schema: 'public',
      name: 'holder',
      kind: 'c',
      extension: undefined,
      calls: [],
      uses: [40002],
    },
  ],
  casts: [],
  builtIn: INITDB,
}

export function namesOf(parts: Partial<CatalogueParts> = {}, more: Partial<Names> = {}): Names {
  return {
    catalogue: catalogueOf({ ...PARTS, ...parts }),
    searchPath: ['pg_catalog', 'public'],
    currentUser: 'app',
    own: [],
    key: '1',
    encoding: 'utf8',
    standardConformingStrings: true,
    ...more,
  }
}

export const NAMES = namesOf()

export const OPTIONS: AnalyseOptions = {
  names: NAMES,
  masked: undefined,
  functionsRead: ['public.st_*'],
  identityParameter: 'sluice.subject',
}

export function judgeAll(
  text: string,
  options: Partial<AnalyseOptions> = {},
): readonly Statement[] {
  const analysis = analyse(text, { ...OPTIONS, ...options })
  if (analysis.opaque !== undefined) throw new Error(`${text}: ${analysis.opaque.reason}`)
  return analysis.statements
}

/** The only statement of the text. */
export function judge(text: string, options: Partial<AnalyseOptions> = {}): Statement {
  const all = judgeAll(text, options)
  if (all.length !== 1) throw new Error(`${text}: ${all.length} statements`)
  return all[0]!
}

/** Its classes, blank-separated. */
export function classes(text: string, options: Partial<AnalyseOptions> = {}): string {
  return judge(text, options).classes.join(' ')
}
