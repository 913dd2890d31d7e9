/** Pure. The policies that "full enforcement" of the benches means. */

/** `count` deny rules as people write them, none of which stops pgbench. For one connection, or for all. */
export function rulesPolicy(count: number, connection?: string): string {
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
  const applies = connection === undefined ? {} : { applies: { connections: [connection] } }
  return document(`bench-rules-${connection ?? 'all'}`, { ...applies, rules })
}

/** 5,000 rules: 50 as above, 4,500 for 90 other connections, 450 that only other classes can break. */
export function largeHouse(): readonly string[] {
  const others = Array.from({ length: 90 }, (_, n) => rulesPolicy(50, `other_${n}`))
  const rules = Array.from({ length: 450 }, (_, n) => ({
    id: `class-${n}`,
    when: `"${n % 2 === 0 ? 'schema' : 'admin'}" in action.classes && identity.subject != "dba_${n}"`,
    then: 'deny',
  }))
  return [rulesPolicy(50), ...others, document('bench-classes', { rules })]
}

/** Redacts one column, `schema.table.column`. */
export function maskPolicy(column: string): string {
  return document('bench-mask', { masks: [{ columns: [column], with: 'redact' }] })
}

/** Looks for what no agent should read in every text. */
export function detectPolicy(): string {
  const detect = ['credit_card', 'private_key', 'aws_key', 'jwt', 'github_token']
  return document('bench-detect', { masks: [{ detect, with: 'redact' }] })
}

/** JSON is YAML. */
function document(name: string, body: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: 'sluice/v1', kind: 'Policy', name, mode: 'enforce', ...body })
}
