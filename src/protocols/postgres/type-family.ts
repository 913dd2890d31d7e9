/**
 * Pure. What masks must know of PostgreSQL's types: how values of each built-in one are written, by
 * OID (pg_type.dat; OIDs of built-in types never change). Domains arrive as their base types;
 * everything not listed is `other`, unless the session's catalogue knows it as an array or a row.
 *
 * `other` on purpose: tsvector, tsquery, jsonpath, aclitem, pg_node_tree, which hold words, and refcursor, whose
 * masked name JDBC would fetch from.
 */
import type { Field, TypeFamily, TypeNature } from '../../mask/plan.ts'

const VARCHAR = 1043
const BPCHAR = 1042
const NAME = 19
const CHAR = 18
const NAME_LENGTH = 63

const FAMILIES: ReadonlyMap<number, TypeFamily> = new Map([
  // text, varchar, bpchar, name, "char", xml, unknown, cstring
  ...each('text', [25, VARCHAR, BPCHAR, NAME, CHAR, 142, 705, 2275]),
  ...each('json', [114]),
  ...each('jsonb', [3802]),
  ...each('uuid', [2950]),
  ...each('bytea', [17]),
  ...each('int2', [21]),
  ...each('int4', [23]),
  ...each('int8', [20]),
  ...each('date', [1082]),
  // text[], varchar[], bpchar[], name[], "char"[], xml[], cstring[], refcursor[]
  ...each('text-array', [1009, 1015, 1014, 1003, 1002, 143, 1263, 2201]),
  ...each('json-array', [199]),
  ...each('jsonb-array', [3807]),
  // record; record[], anyarray, anycompatiblearray
  ...each('record', [2249]),
  ...each('array', [2287, 2277, 5078]),
  // bool, oid, tid, xid, cid, float4, float8, money, numeric
  ...each('scalar', [16, 26, 27, 28, 29, 700, 701, 790, 1700]),
  // time, timetz, timestamp, timestamptz, interval
  ...each('scalar', [1083, 1266, 1114, 1184, 1186]),
  // point, lseg, path, box, polygon, line, circle; macaddr, macaddr8, inet, cidr; bit, varbit
  ...each('scalar', [600, 601, 602, 603, 604, 628, 718, 829, 774, 869, 650, 1560, 1562]),
  // void, pg_lsn, xid8, txid_snapshot, pg_snapshot
  ...each('scalar', [2278, 3220, 5069, 2970, 5038]),
  // regproc, regprocedure, regoper, regoperator, regclass, regtype, regnamespace, regrole,
  // regconfig, regdictionary, regcollation
  ...each('scalar', [24, 2202, 2203, 2204, 2205, 2206, 4089, 4096, 3734, 3769, 4191]),
  // int4range, numrange, tsrange, tstzrange, daterange, int8range, and their multiranges
  ...each('scalar', [3904, 3906, 3908, 3910, 3912, 3926]),
  ...each('scalar', [4451, 4532, 4533, 4534, 4535, 4536]),
  // Arrays of bool, bytea, int2, int2vector, int4, oid, oidvector, int8, float4, float8, numeric,
  // money, uuid; int2vector and oidvector themselves
  ...each('scalar', [1000, 1001, 1005, 1006, 1007, 1028, 1013, 22, 30, 1016, 1021, 1022, 1231]),
  ...each('scalar', [791, 2951]),
  // Arrays of date, time, timetz, timestamp, timestamptz, interval
  ...each('scalar', [1182, 1183, 1270, 1115, 1185, 1187]),
  // Arrays of geometry, addresses and bits
  ...each('scalar', [1017, 1018, 1019, 1020, 1027, 629, 719, 1040, 775, 1041, 651, 1561, 1563]),
  // Arrays of tid, xid, cid, xid8, pg_lsn, both snapshots
  ...each('scalar', [1010, 1011, 1012, 271, 3221, 2949, 5039]),
  // Arrays of regproc and its kin
  ...each('scalar', [1008, 2207, 2208, 2209, 2210, 2211, 4090, 4097, 3735, 3770, 4192]),
  // Arrays of ranges and of multiranges
  ...each('scalar', [3905, 3907, 3909, 3911, 3913, 3927, 6150, 6151, 6152, 6153, 6155, 6157]),
])

/** What a catalogue says of a type that is not built in. */
export interface KnownType {
  readonly name: string
  /** pg_type.typtype: b base, c composite, d domain, e enum, m multirange, p pseudo, r range. */
  readonly kind: string
  /** Types that it is made of. */
  readonly uses: readonly number[]
}

/** Family and greatest length of a field. `typeOf`: types that are not built in, where they are known. */
export function natureOf(
  field: Pick<Field, 'typeOid' | 'typeModifier'>,
  typeOf: (oid: number) => KnownType | undefined = unknownType,
): TypeNature {
  const family = familyOf(field.typeOid, typeOf)
  const lengthMax = lengthMaxOf(field.typeOid, field.typeModifier ?? -1)
  if (field.typeOid === BPCHAR) return { family, lengthMax, padded: true }
  if (family !== 'array' && family !== 'record') return { family, lengthMax }
  return { family, lengthMax, inner: (oid) => natureOf({ typeOid: oid }, typeOf) }
}

function familyOf(oid: number, typeOf: (oid: number) => KnownType | undefined): TypeFamily {
  const family = FAMILIES.get(oid)
  if (family !== undefined) return family
  const type = typeOf(oid)
  if (type === undefined) return 'other'
  if (type.kind === 'c') return 'record'
  // PostgreSQL makes these with the type they are of. One that only looks like it is found out by its values.
  return type.kind === 'b' && type.name.startsWith('_') ? 'array' : 'other'
}

/** The type modifier of varchar(n) and char(n) is n + 4; -1 is none. */
function lengthMaxOf(typeOid: number, typeModifier: number): number {
  if (typeOid === NAME) return NAME_LENGTH
  if (typeOid === CHAR) return 1
  if (typeOid !== VARCHAR && typeOid !== BPCHAR) return 0
  return typeModifier > 4 ? typeModifier - 4 : 0
}

function unknownType(): undefined {
  return undefined
}

function each(family: TypeFamily, oids: readonly number[]): [number, TypeFamily][] {
  return oids.map((oid) => [oid, family])
}
