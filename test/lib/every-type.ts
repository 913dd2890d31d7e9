/**
 * Pure. A value of every built-in type that a column may have (PostgreSQL 13 to 18), and what masks make of it, for
 * tests with real servers. `every-type` tests compare the list with the server's own, so that none is forgotten.
 */

/** Family as the table of masks counts it (semantics §5). */
export type Shown = 'text' | 'json' | 'uuid' | 'bytea' | 'number' | 'other'

export interface TypeCase {
  readonly type: string
  /** As SQL writes it, without quotes. */
  readonly literal: string
  readonly shown: Shown
  /** First server that has it. */
  readonly since?: number
}

/** `type: literal`, by what masks show. */
const LISTED: Readonly<Record<Shown, string>> = {
  text: `
    text: secret value
    varchar: secret value
    varchar(40): secret value
    char(12): secret value
    bpchar: secret value
    name: secret_value
    "char": s
    xml: <secret>value</secret>`,
  json: `
    json: {"secret": ["value", 1]}
    jsonb: {"secret": ["value", 1]}`,
  uuid: `
    uuid: 77777777-aaaa-4aaa-8aaa-777777777777`,
  bytea: `
    bytea: \\x7365637265740000ff`,
  number: `
    int2: 1234
    int4: 12345678
    int8: 1234567890123
    date: 1977-03-09`,
  other: `
    bool: true
    oid: 4711
    refcursor: secret_cursor
    regproc: now
    regprocedure: now()
    regoper: pg_catalog.||/
    regoperator: pg_catalog.=(int4,int4)
    regclass: pg_class
    regtype: int4
    regnamespace: pg_catalog
    regrole: postgres
    regconfig: english
    regdictionary: simple
    regcollation: "C"
    tid: (12,34)
    xid: 4711
    xid8: 4711
    cid: 4711
    float4: 1.25
    float8: -12345.678
    numeric: 12345678901234567890.123456789
    numeric(12,2): 90210.75
    money: 12.34
    time: 12:34:56.789
    time(3): 12:34:56.789
    timetz: 12:34:56.789+02
    timestamp: 1977-03-09 12:34:56.789
    timestamptz: 1977-03-09 12:34:56.789+02
    interval: 1 year 2 mons 3 days 04:05:06
    interval day to second: 3 days 04:05:06
    point: (1,2)
    lseg: [(1,2),(3,4)]
    path: ((1,2),(3,4))
    box: (3,4),(1,2)
    polygon: ((1,2),(3,4),(5,6))
    line: {1,-1,0}
    circle: <(1,2),3>
    cidr: 192.168.17.0/24
    inet: 192.168.17.42
    macaddr: 08:00:2b:01:02:03
    macaddr8: 08:00:2b:01:02:03:04:05
    bit(5): 10101
    varbit: 10101
    int2vector: 1 2 3
    oidvector: 1 2 3
    tsvector: 'secret':1 'value':2
    tsquery: 'secret' & 'value'
    pg_lsn: 16/B374D848
    txid_snapshot: 10:20:10,14,15
    pg_snapshot: 10:20:10,14,15
    jsonpath: $."secret"
    aclitem: postgres=r/postgres
    int4range: [1,9)
    int8range: [1,9)
    numrange: [1.5,9.5)
    daterange: [1977-03-09,1977-03-19)
    tsrange: [1977-03-09 12:00,1977-03-19 12:00)
    tstzrange: [1977-03-09 12:00+00,1977-03-19 12:00+00)
    int4multirange: {[1,3),[5,9)} #14
    int8multirange: {[1,3),[5,9)} #14
    nummultirange: {[1.5,3),[5,9)} #14
    datemultirange: {[1977-03-09,1977-03-19)} #14
    tsmultirange: {[1977-03-09 12:00,1977-03-19 12:00)} #14
    tstzmultirange: {[1977-03-09 12:00+00,1977-03-19 12:00+00)} #14`,
}

/** Types of users: made by `OWN_TYPES`. */
const OWN: readonly TypeCase[] = [
  { type: 'hue', literal: 'dark', shown: 'other' },
  { type: 'pair', literal: '(1,"secret value")', shown: 'other' },
  { type: 'word', literal: 'secret value', shown: 'text' },
  { type: 'amount', literal: '4711', shown: 'number' },
  { type: 'words', literal: '{secret,value}', shown: 'other' },
]

export const OWN_TYPES = `
CREATE TYPE hue AS ENUM ('light', 'dark');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN word AS varchar(40);
CREATE DOMAIN amount AS int CHECK (VALUE > 0);
CREATE DOMAIN words AS text[];
`

export const BUILT_IN: readonly TypeCase[] = (Object.keys(LISTED) as Shown[]).flatMap((shown) =>
  LISTED[shown]
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const match = /^ *(.+?): (.*?)(?: #([0-9]+))?$/.exec(line)!
      const one = { type: match[1]!, literal: match[2]!, shown }
      return match[3] === undefined ? one : { ...one, since: Number(match[3]) }
    }),
)

/** Every type, and a two-dimensional array of it, which no mask has a form for. */
export function casesOf(version: number): readonly TypeCase[] {
  const scalars = [...BUILT_IN, ...OWN].filter(({ since = 0 }) => since <= version)
  const arrays = scalars.map(({ type, literal }) => {
    const one = quoted(literal)
    // Boxes are written with commas themselves.
    const sign = type === 'box' ? ';' : ','
    const rows = [[one, one].join(sign), ['NULL', one].join(sign)].map((row) => `{${row}}`)
    return { type: `${type}[]`, literal: `{${rows.join(sign)}}`, shown: 'other' as const }
  })
  return [...scalars, ...arrays]
}

function quoted(literal: string): string {
  return `"${literal.replace(/["\\]/g, '\\$&')}"`
}

/** A table of three rows: NULLs in the second, and the first again in the third. `id`, then `c0`, `c1`, … */
export function tableOf(name: string, cases: readonly TypeCase[]): string {
  const columns = cases.map(({ type }, at) => `c${at} ${type}`).join(', ')
  const values = cases.map(({ literal }) => `'${literal.replaceAll("'", "''")}'`).join(', ')
  return `CREATE TABLE ${name} (id int PRIMARY KEY, ${columns});
INSERT INTO ${name} VALUES (1, ${values});
INSERT INTO ${name} (id) VALUES (2);
INSERT INTO ${name} VALUES (3, ${values});`
}

/** Policies by connection: what each does with every column of the tables `every` and `sent` but `id`. */
export const MASKS_OF_EVERY_TYPE: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    redacted: 'redact',
    gone: "'null'",
    fixed: '{ fixed: n/a }',
    hashed: 'hash',
    parted: '{ partial: { keep_last: 4 } }',
    renamed: 'pseudonym',
  }).map(([connection, how]) => [
    `${connection}.yaml`,
    `apiVersion: sluice/v1
kind: Policy
name: ${connection}
applies: { connections: [${connection}] }
masks:
  - { columns: [public.every.*, public.sent.*], with: ${how} }
`,
  ]),
)
