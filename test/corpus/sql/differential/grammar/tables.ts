/** Pure. What `schema.sql` holds, as the grammar needs it: tables, columns by type, and values of near rows. */
import type { Choose } from './choose.ts'

export type Type = 'int' | 'text' | 'mood' | 'bool' | 'numeric' | 'date'

export interface Table {
  readonly name: string
  /** Unique, not generated. */
  readonly key: string
  readonly columns: Readonly<Record<string, Type>>
  /** Takes INSERT and ON CONFLICT (key). */
  readonly inserts: boolean
}

const table = (
  name: string,
  columns: Readonly<Record<string, Type>>,
  options: { key?: string; inserts?: boolean } = {},
): Table => ({ name, columns, key: options.key ?? 'id', inserts: options.inserts ?? true })

export const TABLES: readonly Table[] = [
  table('customers', {
    id: 'int',
    name: 'text',
    email: 'text',
    feeling: 'mood',
    active: 'bool',
    score: 'int',
  }),
  table('orders', { id: 'int', customer_id: 'int', total: 'numeric', status: 'text' }),
  table(
    'order_lines',
    { order_id: 'int', line: 'int', qty: 'int' },
    { key: 'order_id', inserts: false },
  ),
  table('notes', { id: 'int', customer_id: 'int', body: 'text' }),
  table('public.notes', { id: 'int', body: 'text' }),
  table('app.notes', { id: 'int', body: 'text' }, { inserts: false }),
  table('events', { id: 'int', at: 'date', body: 'text' }, { inserts: false }),
  table('events_2024', { id: 'int', at: 'date', body: 'text' }, { inserts: false }),
  table('events_rest', { id: 'int', body: 'text' }, { inserts: false }),
  table('places', { id: 'int', name: 'text' }),
  table('capitals', { id: 'int', name: 'text', country: 'text' }, { inserts: false }),
  table('members', { id: 'int', nick: 'text' }),
  table('pairs', { a: 'int', b: 'int', c: 'text' }, { key: 'a', inserts: false }),
  table('app.knobs', { key: 'text', value: 'text' }, { key: 'key' }),
  table('inbox', { id: 'int', body: 'text' }, { inserts: false }),
  table('app.typed', { a: 'int', b: 'text' }, { key: 'a', inserts: false }),
]

/** Views that take writes in one way or another. */
export const WRITABLE_VIEWS: readonly Table[] = [
  table('customer_names', { id: 'int', name: 'text' }),
  table('good_customers', { id: 'int', name: 'text', score: 'int' }),
  table('names_again', { number: 'int', name: 'text' }, { key: 'number' }),
  table('box', { id: 'int', status: 'text' }, { inserts: false }),
  table('mirror', { id: 'int', body: 'text' }),
]

export const READ_ONLY: readonly Table[] = [
  table('totals', { name: 'text', total: 'numeric' }, { key: 'name' }),
  table('mails', { id: 'int', email: 'text' }),
]

const VALUES: Readonly<Record<Type, readonly string[]>> = {
  int: ['1', '2', '3', '4', '5', '8', '3 + 1', "'2'::int", '2::bigint', '+6', '2.0', '1e0'],
  text: [
    "'n1'",
    "'n2'",
    "'e3'",
    "'s4'",
    "'b5'",
    "'c6'",
    "'new'",
    "E'n\\x31'",
    "U&'n\\0032'",
    '$$n4$$',
  ],
  mood: ["'good'", "'bad'", "'good'::mood", "CAST('bad' AS mood)"],
  bool: ['true', 'false', "'t'", "'yes'::bool"],
  numeric: ['1', '2.0', "'3'", '4::numeric'],
  date: ["'2024-04-10'", "date '2024-07-19'", "'2025-01-01'::date"],
}

/** A constant that near rows may hold. */
export function value(c: Choose, type: Type): string {
  if (c.chance(3)) return 'NULL'
  return c.one(VALUES[type])
}

/** A value to store that stands nowhere yet. */
export function fresh(c: Choose, type: Type): string {
  if (type === 'int') return String(20 + c.below(200))
  if (type === 'text') return `'x${c.below(500)}'`
  return value(c, type)
}

export function column(c: Choose, of: Table, type?: Type): string {
  const names = Object.keys(of.columns).filter(
    (name) => type === undefined || of.columns[name] === type,
  )
  return names.length === 0 ? of.key : c.one(names)
}

/** Any column but the key. */
export function other(c: Choose, of: Table): string {
  const names = Object.keys(of.columns).filter((name) => name !== of.key && name !== 'at')
  return names.length === 0 ? of.key : c.one(names)
}
