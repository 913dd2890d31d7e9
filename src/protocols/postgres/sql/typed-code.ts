/**
 * Pure. Types whose values run code (domains with a CHECK of users' own, and what is made of them) where no name of them
 * stands in the text: a literal becomes a value of such a type because a column beside it is one, a view casts to it, or
 * the message says that a parameter is one.
 *
 * Expressions have no types here. So a statement that reads a table with such a column runs its code where it makes or
 * changes arrays, takes rows whole, or has a function in which a literal takes the type of another argument. A single
 * value that is compared, chosen or joined to others is taken for its base type by PostgreSQL.
 */
import type { Relation } from './catalogue.ts'
import { FIRST_USER_OID } from './catalogue.ts'
import type { Gathered } from './gathered.ts'
import { type Trust, typeIsHarmless } from './resolve.ts'

/** Built-in functions in which a literal takes the type of another argument, or which make arrays of it. */
const UNIFIES =
  /^(array_.*|jsonb?_populate_.*|populate_record|lag|lead|nth_value|width_bucket|rank|dense_rank|percent_rank|cume_dist|mode|percentile_disc)$/

export function unifies(name: string): boolean {
  return UNIFIES.test(name)
}

/** Once the statement is walked. */
export function judgeCodeTypes(g: Gathered): void {
  const { catalogue } = g.trust.names
  for (const oid of g.relationOids) {
    const relation = catalogue.relation(oid)
    const kinds = relation === undefined ? [] : codeKinds(g.trust, relation)
    if (kinds.length === 0) continue
    const isRead = g.readOids.has(oid)
    const makes = kinds.includes('d') && g.unifies
    const whole = isRead && (g.takesRows || kinds.some((kind) => kind !== 'd'))
    if (makes || whole)
      g.run(
        'execute',
        `${relation?.schema}.${relation?.name} has a column whose type runs code, and something may become one of it`,
      )
  }
}

/** pg_type.typtype of the types of its columns that run code. */
function codeKinds(trust: Trust, relation: Relation): string[] {
  const kinds: string[] = []
  for (const { typeOid } of relation.columns) {
    if (typeOid < FIRST_USER_OID) continue
    const type = trust.names.catalogue.type(typeOid)
    if (type !== undefined && !typeIsHarmless(trust, type)) kinds.push(type.kind)
  }
  return kinds
}

const CASTS = /:(?:resulttype|funcresulttype|typid|typeId) (\d+)/g

/** A view that makes values of such a type runs its code when it is read. */
export function viewRunsTypes(trust: Trust, view: Relation): boolean {
  for (const [, oid] of (view.tree ?? '').matchAll(CASTS))
    if (typeRunsCode(trust, Number(oid))) return true
  return false
}

/** What nobody knows may run anything. */
export function typeRunsCode(trust: Trust, oid: number): boolean {
  if (oid < FIRST_USER_OID) return false
  const type = trust.names.catalogue.type(oid)
  return type === undefined || !typeIsHarmless(trust, type)
}
