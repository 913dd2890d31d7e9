/** Pure. The policies that "full enforcement" of the benches means. */

/** `count` deny rules as people write them, none of which stops pgbench; every one must be evaluated for that. */
export function rulesPolicy(count: number): string {
  const whens = [
    (n: number) => `"public.secret_${n}" in sql.tables`,
    (n: number) => `"DROP" in sql.commands && "public.ledger_${n}" in sql.tables_written`,
    (n: number) => `sql.writes && !sql.bounded && action.verb == "DELETE" && ${n} > 0`,
    (n: number) => `"schema" in action.classes && connection.name == "production_${n}"`,
    (n: number) => `identity.subject == "intern_${n}" && sql.writes`,
  ]
  const rules = Array.from({ length: count }, (_, n) => ({
    id: `rule-${n}`,
    when: whens[n % whens.length]!(n),
    then: 'deny',
  }))
  return document('bench-rules', { rules })
}

/** Redacts one column, `schema.table.column`. */
export function maskPolicy(column: string): string {
  return document('bench-mask', { masks: [{ columns: [column], with: 'redact' }] })
}

/** JSON is YAML. */
function document(name: string, body: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: 'sluice/v1', kind: 'Policy', name, mode: 'enforce', ...body })
}
