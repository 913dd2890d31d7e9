/**
 * Pure. A catalogue without a server, and masks over it, for tests of what reads statements.
 *
 * Tables: customers(id, name, email, ssn, card, notes), orders(id, customer_id, total, status), both with `id` as key;
 * events, partitioned, with a partition that alone has a masked column; pay(id, grade, salary), numbers; quiet(id, secret, pad),
 * of whose partitions one has suppress_redundant_updates_trigger; views over them.
 */
import type { ActionClass } from '../../../../src/decide/action.ts'
import type { ColumnMask, MaskedColumns } from '../../../../src/mask/plan.ts'
import type { Names } from '../../../../src/protocols/postgres/sql/analysis.ts'
import { catalogueOf, type Relation } from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { INITDB } from '../../../../src/protocols/postgres/sql/initdb-names.ts'
import { maskFinding } from '../../../../src/protocols/postgres/sql/masked.ts'
import { type Node, parse } from '../../../../src/protocols/postgres/sql/parse.ts'

interface Shape {
  readonly kind?: string
  readonly schema?: string
  readonly keys?: readonly (readonly number[])[]
  readonly children?: readonly number[]
  readonly reads?: Relation['reads']
  /** Types of its columns, where they are not all text. */
  readonly types?: readonly number[]
  readonly parents?: readonly number[]
  readonly skipsEqual?: true
}

function relation(oid: number, name: string, columns: string, shape: Shape = {}): Relation {
  return {
    oid,
    schema: shape.schema ?? 'public',
    name,
    kind: shape.kind ?? 'r',
    temporary: false,
    columns: columns.split(' ').map((column, at) => ({
      number: at + 1,
      name: column.replace('!', ''),
      typeOid: shape.types?.[at] ?? 25,
      notNull: false,
      generatedFrom: column.endsWith('!') ? [1] : [],
    })),
    uniqueKeys: shape.keys ?? [[1]],
    children: shape.children ?? [],
    parents: shape.parents ?? [],
    cascades: [],
    triggers: [],
    insteadOfTriggers: false,
    rules: false,
    reads: shape.reads ?? [],
    calls: [],
    ...(shape.skipsEqual === true ? { skipsEqual: true } : {}),
  }
}

export const RELATIONS: readonly Relation[] = [
  relation(20001, 'customers', 'id name email ssn card notes', { keys: [[1], [3]] }),
  relation(20002, 'orders', 'id customer_id total status double_total!'),
  relation(20003, 'contacts', 'email orders'),
  relation(20004, 'pairs', 'a b c', { keys: [[1, 2]] }),
  relation(20005, 'events', 'id body', { kind: 'p', children: [20006] }),
  relation(20006, 'events_1', 'id body'),
  relation(20007, 'pay', 'id grade salary', { types: [23, 23, 20] }),
  relation(20010, 'customer_mails', 'id email', {
    kind: 'v',
    reads: [{ relation: 20001, column: 3 }],
  }),
  relation(20011, 'customer_names', 'id name', {
    kind: 'v',
    reads: [{ relation: 20001, column: 2 }],
  }),
  relation(20012, 'over_view', 'id', { kind: 'v', reads: [{ relation: 20010, column: 1 }] }),
  relation(20014, 'quiet', 'id secret pad', { kind: 'p', children: [20015, 20016] }),
  relation(20015, 'quiet_1', 'id secret pad', { parents: [20014], skipsEqual: true }),
  relation(20016, 'quiet_2', 'id secret pad', { parents: [20014] }),
  relation(20017, 'quiet_view', 'id secret', {
    kind: 'v',
    reads: [
      { relation: 20014, column: 1 },
      { relation: 20014, column: 2 },
    ],
  }),
  relation(1000, 'pg_stat_activity', 'pid query', { kind: 'v', schema: 'pg_catalog' }),
]

export function resolve(schema: string | undefined, name: string): Relation | undefined {
  const schemas = schema === undefined ? ['pg_catalog', 'public'] : [schema]
  for (const one of schemas) {
    const found = RELATIONS.find((each) => each.schema === one && each.name === name)
    if (found !== undefined) return found
  }
  return undefined
}

export const NAMES: Names = {
  catalogue: catalogueOf({
    serverVersion: 180000,
    epoch: 1,
    relations: RELATIONS,
    routines: [],
    operators: [],
    types: [],
    casts: [],
    builtIn: INITDB,
  }),
  own: [],
  searchPath: ['pg_catalog', 'public'],
  currentUser: 'app',
  key: 'sample',
  encoding: 'utf8',
  standardConformingStrings: true,
}

export interface MaskedName {
  readonly relation: number
  readonly column: number
  readonly mask?: Partial<ColumnMask>
}

export function masks(columns: readonly MaskedName[]): MaskedColumns {
  const byRelation = new Map<number, Map<number, ColumnMask>>()
  for (const { relation: oid, column, mask } of columns) {
    const found = RELATIONS.find((one) => one.oid === oid)!
    const inside = byRelation.get(oid) ?? new Map<number, ColumnMask>()
    byRelation.set(oid, inside)
    inside.set(column, {
      transform: { type: 'redact' },
      inPredicates: 'deny',
      derived: 'mask',
      monitor: false,
      rule: 'test/0',
      name: `${found.schema}.${found.name}.${found.columns[column - 1]!.name}`,
      ...mask,
    })
  }
  return {
    byRelation,
    column: (oid, number) => byRelation.get(oid)?.get(number),
    touches: (oid) => byRelation.has(oid),
    key: JSON.stringify(columns),
  }
}

/** customers.email, ssn and card; a partition's body; query texts; a view's column; what pay says; quiet.secret. */
export const MASKED = masks([
  { relation: 20001, column: 3 },
  { relation: 20001, column: 4 },
  { relation: 20001, column: 5 },
  { relation: 20006, column: 2 },
  { relation: 1000, column: 2 },
  { relation: 20010, column: 2 },
  { relation: 20007, column: 2 },
  { relation: 20007, column: 3 },
  { relation: 20014, column: 2 },
  { relation: 20015, column: 2 },
  { relation: 20016, column: 2 },
  { relation: 20017, column: 2 },
])

/** The one statement of a text. */
export function one(text: string): Node {
  const parsed = parse(text)
  if (!('statements' in parsed)) throw new Error(`${text}: ${parsed.reason}`)
  return parsed.statements[0]!.stmt!
}

/** What masks say of a statement. */
export function findMasked(
  text: string,
  masked: MaskedColumns | 'none' = MASKED,
  classes: ActionClass[] = ['read'],
) {
  const options = {
    names: NAMES,
    masked: masked === 'none' ? undefined : masked,
    functionsRead: [],
    identityParameter: undefined,
  }
  return maskFinding(one(text), options, classes)
}
