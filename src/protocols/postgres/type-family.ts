/**
 * Pure. What masks must know of PostgreSQL's types: how values of each built-in one are written, by
 * OID (pg_type.dat; OIDs of built-in types never change). Domains arrive as their base types;
 * everything not listed is `other`.
 */
import type { Field, TypeFamily, TypeNature } from '../../mask/plan.ts'

const VARCHAR = 1043
const BPCHAR = 1042
const NAME = 19
const CHAR = 18
const NAME_LENGTH = 63

const FAMILIES: ReadonlyMap<number, TypeFamily> = new Map([
  // text, varchar, bpchar, name, "char", xml, unknown, cstring, refcursor
  ...each('text', [25, VARCHAR, BPCHAR, NAME, CHAR, 142, 705, 2275, 1790]),
  ...each('json', [114]),
  ...each('jsonb', [3802]),
  ...each('uuid', [2950]),
  ...each('bytea', [17]),
  // text[], varchar[], bpchar[], name[], "char"[], xml[], cstring[], refcursor[]
  ...each('text-array', [1009, 1015, 1014, 1003, 1002, 143, 1263, 2201]),
  ...each('json-array', [199]),
  ...each('jsonb-array', [3807]),
  // bool, int8, int2, int4, oid, tid, xid, cid, float4, float8, money, numeric
  ...each('scalar', [16, 20, 21, 23, 26, 27, 28, 29, 700, 701, 790, 1700]),
  // date, time, timetz, timestamp, timestamptz, interval
  ...each('scalar', [1082, 1083, 1266, 1114, 1184, 1186]),
  // point, lseg, path, box, polygon, line, circle; macaddr, macaddr8, inet, cidr; bit, varbit
  ...each('scalar', [600, 601, 602, 603, 604, 628, 718, 829, 774, 869, 650, 1560, 1562]),
  // void, pg_lsn, xid8, txid_snapshot, pg_snapshot, regtype and its kin
  ...each(
    'scalar',
    [2278, 3220, 5069, 2970, 5038, 24, 2202, 2203, 2204, 2205, 2206, 4089, 4096, 3734],
  ),
  // Arrays of bool, int2, int2vector, int4, oid, oidvector, int8, float4, float8, numeric, dates
  // and times, uuid
  ...each('scalar', [1000, 1005, 1006, 1007, 1028, 1013, 22, 30, 1016, 1021, 1022, 1231]),
  ...each('scalar', [1182, 1183, 1270, 1115, 1185, 1187, 2951]),
])

/** Family and greatest length of a field. */
export function natureOf(field: Pick<Field, 'typeOid' | 'typeModifier'>): TypeNature {
  const family = FAMILIES.get(field.typeOid) ?? 'other'
  return { family, lengthMax: lengthMaxOf(field.typeOid, field.typeModifier ?? -1) }
}

/** The type modifier of varchar(n) and char(n) is n + 4; -1 is none. */
function lengthMaxOf(typeOid: number, typeModifier: number): number {
  if (typeOid === NAME) return NAME_LENGTH
  if (typeOid === CHAR) return 1
  if (typeOid !== VARCHAR && typeOid !== BPCHAR) return 0
  return typeModifier > 4 ? typeModifier - 4 : 0
}

function each(family: TypeFamily, oids: readonly number[]): [number, TypeFamily][] {
  return oids.map((oid) => [oid, family])
}
