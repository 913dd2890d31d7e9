/** Pure. Conditions: such as pin rows down (semantics §1, "bounded"), and such as only look like it. */
import type { Choose } from './choose.ts'
import { column, TABLES, type Table, type Type, value } from './tables.ts'

/** `prefix`: the alias with its dot, or nothing. */
export function predicate(c: Choose, of: Table, prefix = ''): string {
  return c.of(
    6,
    () => pin(c, of, prefix),
    5,
    () => nearMiss(c, of, prefix),
    3,
    () => `${pin(c, of, prefix)} AND ${predicate(c, of, prefix)}`,
    () => `${nearMiss(c, of, prefix)} AND ${pin(c, of, prefix)}`,
    2,
    () => `(${pin(c, of, prefix)} OR ${pin(c, of, prefix)})`,
    () => `(${pin(c, of, prefix)} OR ${nearMiss(c, of, prefix)})`,
    () => `NOT (${pin(c, of, prefix)})`,
  )
}

function typed(c: Choose, of: Table): { name: string; type: Type } {
  const name = column(c, of)
  return { name, type: of.columns[name]! }
}

const REAL = /^(?!customer_names|good_customers|names_again|box|mirror)/

export function pin(c: Choose, of: Table, prefix: string): string {
  const { name, type } = typed(c, of)
  const left = `${prefix}${name}`
  const v = () => value(c, type)
  const all: (number | (() => string))[] = [
    5,
    () => `${left} = ${v()}`,
    () => `${v()} = ${left}`,
    () => `(${left}) = (${v()})`,
    2,
    () => `${left} IN (${c.list(3, ', ', v)})`,
    () => `${left} = ANY (ARRAY[${c.list(2, ', ', () => c.one(plain(type)))}]${arrayOf(type)})`,
    () => `(${left}, ${prefix}${of.key}) = (${v()}, ${value(c, of.columns[of.key]!)})`,
    () => `(${left}, ${prefix}${of.key}) IN ((${v()}, ${value(c, of.columns[of.key]!)}))`,
    () => `${left} OPERATOR(pg_catalog.=) ${v()}`,
  ]
  if (type === 'int')
    all.push(
      () => `${left} = ANY ('{1,2,3}')`,
      () => `${left} = ANY ('{4}'::int[])`,
    )
  if (REAL.test(of.name))
    all.push(
      () => `${prefix}ctid = '(0,1)'`,
      () => `${prefix}ctid = ANY (ARRAY['(0,1)', '(0,2)']::tid[])`,
    )
  return c.of(...all)
}

const PLAIN: Readonly<Record<Type, readonly string[]>> = {
  int: ['1', '2', '7'],
  text: ["'n1'", "'b2'"],
  mood: ["'good'", "'bad'"],
  bool: ['true', 'false'],
  numeric: ['1', '2.5'],
  date: ["'2024-04-10'", "'2024-07-19'"],
}
const plain = (type: Type) => PLAIN[type]
const arrayOf = (type: Type) => (type === 'int' ? '' : `::${type}[]`)

/** Conditions that the far rows may meet, or that need more than the text to judge. */
export function nearMiss(c: Choose, of: Table, prefix: string): string {
  const { name, type } = typed(c, of)
  const left = `${prefix}${name}`
  const key = `${prefix}${of.key}`
  const v = () => value(c, type)
  const all: (number | (() => string))[] = [
    () => `${left} = ${left}`,
    () => `${left} IS NOT NULL`,
    () => `${left} <> ${v()}`,
    () => `${left} >= ${v()}`,
    () => `${left} IS DISTINCT FROM ${v()}`,
    () => `${left} IN (${left}, ${v()})`,
    () => `${left} NOT IN (${v()})`,
    () => `${left} BETWEEN ${v()} AND ${left}`,
    () => `${left} = ANY (ARRAY[${left}])`,
    () => `${left} = ALL (ARRAY[${left}])`,
    () => `(${left}, ${key}) = (${left}, ${key})`,
    () => `coalesce(${left}, ${v()}) = ${left}`,
    () => `(${left} = ${v()}) IS NOT TRUE`,
    () => `(${left} = ${v()}) IS NOT NULL`,
    () => `CASE WHEN ${left} = ${v()} THEN true ELSE true END`,
    () => `EXISTS (SELECT 1 FROM ${c.one(TABLES).name})`,
    () => `${key} IN (SELECT ${key})`,
    () => `${left}::text LIKE '%'`,
    () => `random() >= 0`,
    () => `true`,
    () => `1 = 1`,
  ]
  if (type === 'int')
    all.push(
      () => `${left} + 0 = ${left}`,
      () => `${left} = plus_one(${left} - 1)`,
      () => `${left} > 0`,
      () => `${left} = (SELECT max(id) FROM notes)`,
      () => `${left} IN (SELECT id FROM customers)`,
      () => `${left} = ANY (SELECT n FROM generate_series(1, 1000) n)`,
      () => `abs(${left}) = ANY ('{1,2}')`,
    )
  if (of.name === 'orders')
    all.push(
      4,
      () => `${prefix}fixed = 7`,
      () => `${prefix}fixed IN (7, 8)`,
      () => `${prefix}doubled > 0`,
    )
  if (REAL.test(of.name) && !of.name.startsWith('mails'))
    all.push(
      () => `${prefix}tableoid = ANY (ARRAY(SELECT oid FROM pg_class))`,
      () => `${prefix}xmax = 0`,
    )
  return c.of(...all)
}
