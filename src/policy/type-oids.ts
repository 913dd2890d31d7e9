/** Pure. OIDs of PostgreSQL's own scalar types and of their arrays, for DDL that is read without a server. */

/** `name oid array`, as in pg_type. */
const TYPES = `bool 16 1000, bytea 17 1001, char 18 1002, name 19 1003, int8 20 1016, int2 21 1005, int4 23 1007, text 25 1009,
oid 26 1028, json 114 199, xml 142 143, point 600 1017, float4 700 1021, float8 701 1022, money 790 791, macaddr 829 1040,
inet 869 1041, cidr 650 651, bpchar 1042 1014, varchar 1043 1015, date 1082 1182, time 1083 1183, timestamp 1114 1115,
timestamptz 1184 1185, interval 1186 1187, timetz 1266 1270, bit 1560 1561, varbit 1562 1563, numeric 1700 1231,
uuid 2950 2951, tsvector 3614 3643, tsquery 3615 3645, jsonb 3802 3807, int4range 3904 3905, numrange 3906 3907,
tsrange 3908 3909, tstzrange 3910 3911, daterange 3912 3913, int8range 3926 3927, serial 23 1007, bigserial 20 1016,
smallserial 21 1005, regclass 2205 2210, citext 25 1009`

const OIDS = new Map(
  TYPES.split(',').map((line) => {
    const [name, oid, array] = line.trim().split(' ')
    return [name!, { oid: Number(oid), array: Number(array) }]
  }),
)

/** undefined: none of its own. `citext` counts as text, which it is to whatever reads values. */
export function builtInTypeOid(name: string, isArray: boolean): number | undefined {
  const found = OIDS.get(name)
  return isArray ? found?.array : found?.oid
}
