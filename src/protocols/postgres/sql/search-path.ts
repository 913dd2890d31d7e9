/**
 * Pure. Works out the schemas that a `search_path` stands for, as PostgreSQL's namespace.c does, while the session
 * has no temporary schema: `pg_temp` then stands in it as itself.
 * https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH
 */

/** `usable`: schemas that exist and that the role may use. undefined: the setting cannot be read. */
export function searchPathOf(
  setting: string,
  user: string,
  usable: readonly string[],
): readonly string[] | undefined {
  const names = identifiers(setting)
  if (names === undefined) return undefined
  const schemas = new Set(usable)
  const path = new Set<string>()
  for (const name of names) {
    const schema = name === '$user' ? user : name
    if (schema === 'pg_temp' || schemas.has(schema)) path.add(schema)
  }
  return path.has('pg_catalog') ? [...path] : ['pg_catalog', ...path]
}

const NAME_BYTES_MAX = 63
const NAME = /[ \t\n\r\f\v]*(?:"((?:[^"]|"")*)"|([^ \t\n\r\f\v,"]+))[ \t\n\r\f\v]*(,|$)/y

/** A comma-separated list; what stands in quotes keeps its case. */
function identifiers(setting: string): string[] | undefined {
  const names: string[] = []
  NAME.lastIndex = 0
  if (/^\s*$/.test(setting)) return names
  for (;;) {
    const found = NAME.exec(setting)
    if (found === null) return undefined
    const [, quoted, plain, end] = found
    const name = quoted?.replaceAll('""', '"') ?? asciiLower(String(plain))
    // A longer one is cut short by the target.
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return undefined
    names.push(name)
    if (end === '') return names
  }
}

const asciiLower = (name: string) => name.replaceAll(/[A-Z]/g, (one) => one.toLowerCase())
