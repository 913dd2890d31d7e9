/**
 * Pure. Types as far as lineage must know them: a short name for each built-in type whose conversions and functions are
 * known not to fail; `#oid` for every other type that a column has; undefined where the type of an expression is not known.
 *
 * Arrays are written `text[]`, rows `record`. A literal without a cast is `literal`: the target types it by its place.
 * https://www.postgresql.org/docs/current/typeconv.html
 */

export type Kind = string | undefined

/** OIDs of built-in types never change (pg_type.dat). */
const OIDS: readonly (readonly [kind: string, oid: number, array: number])[] = [
  ['bool', 16, 1000],
  ['bytea', 17, 1001],
  ['int8', 20, 1016],
  ['int2', 21, 1005],
  ['int4', 23, 1007],
  ['text', 25, 1009],
  ['json', 114, 199],
  ['float4', 700, 1021],
  ['float8', 701, 1022],
  ['money', 790, 791],
  ['macaddr', 829, 1040],
  ['inet', 869, 1041],
  ['cidr', 650, 651],
  ['bpchar', 1042, 1014],
  ['varchar', 1043, 1015],
  ['date', 1082, 1182],
  ['time', 1083, 1183],
  ['timestamp', 1114, 1115],
  ['timestamptz', 1184, 1185],
  ['interval', 1186, 1187],
  ['timetz', 1266, 1270],
  ['numeric', 1700, 1231],
  ['uuid', 2950, 2951],
  ['jsonb', 3802, 3807],
]

const KIND_OF: ReadonlyMap<number, string> = new Map(
  OIDS.flatMap(([kind, oid, array]) => [
    [oid, kind],
    [array, `${kind}[]`],
  ]),
)
const OID_OF: ReadonlyMap<string, number> = new Map([
  ...[...KIND_OF].map(([oid, kind]) => [kind, oid] as const),
  ['literal', 25],
])
const NAMED: ReadonlySet<string> = new Set(OIDS.map(([kind]) => kind))

export function kindOf(typeOid: number): Kind {
  return KIND_OF.get(typeOid) ?? `#${typeOid}`
}

/** 0 where it is not known. */
export function oidOf(kind: Kind): number {
  if (kind === undefined) return 0
  return kind.startsWith('#') ? Number(kind.substring(1)) : (OID_OF.get(kind) ?? 0)
}

/** Of a type's name as the grammar spells it (`int4`, not `integer`); undefined for all that are not on the list. */
export function kindNamed(name: string): Kind {
  return NAMED.has(name) ? name : undefined
}

/** One of the list above, arrays included: comparing, printing and collecting its values never fails. */
export function isListed(kind: Kind): boolean {
  return kind !== undefined && OID_OF.has(kind)
}

export function isArray(kind: Kind): boolean {
  return kind?.endsWith('[]') === true
}

const ASCII: ReadonlySet<Kind> = new Set(
  (
    'bool bytea int2 int4 int8 float4 float8 macaddr inet cidr date time timestamp timestamptz interval timetz ' +
    'numeric uuid'
  ).split(' '),
)

/** Its values are written in ASCII whatever they are. */
export function isAscii(kind: Kind): boolean {
  return ASCII.has(kind)
}

const STRINGS: ReadonlySet<Kind> = new Set(['text', 'varchar', 'bpchar', 'literal'])

export function isString(kind: Kind): boolean {
  return STRINGS.has(kind)
}

const CLIMB: ReadonlyMap<string, readonly string[]> = new Map([
  ['int2', ['int4', 'int8', 'numeric', 'float4', 'float8']],
  ['int4', ['int8', 'numeric', 'float8']],
  ['int8', ['numeric', 'float8']],
  ['float4', ['float8']],
  ['varchar', ['text']],
  ['bpchar', ['text']],
])

/**
 * The type in which values of all these meet (COALESCE, CASE, UNION, comparisons); undefined where turning one into
 * another could fail, or is not known.
 */
export function unified(kinds: readonly Kind[]): Kind {
  let found: Kind = 'literal'
  for (const kind of kinds) {
    if (kind === undefined) return undefined
    if (kind === found || kind === 'literal') continue
    if (found === 'literal' || CLIMB.get(found)?.includes(kind)) found = kind
    else if (isString(found) && isString(kind)) found = 'text'
    else if (!CLIMB.get(kind)?.includes(found)) return undefined
  }
  return found
}

const TO_TEXT: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar'])

/** `value::kind` never fails, whatever the value. `sized`: with a type modifier, which only strings are cut to. */
export function castIsTotal(from: Kind, to: Kind, sized: boolean): boolean {
  if (from === undefined || to === undefined || !isListed(from)) return false
  // What a literal says may not be a number at all; as text it always is.
  if (TO_TEXT.has(to)) return true
  if (sized) return false
  if (from === to) return true
  if (from === 'bool') return to === 'int4'
  if (from === 'timestamp') return to === 'date'
  if (from === 'jsonb') return to === 'json'
  return CLIMB.get(from)?.includes(to) === true || (from === 'int4' && to === 'float4')
}
