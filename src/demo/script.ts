/** Pure. What the scripted agent does, one step after the other, and what a reader should look at. */

export interface Step {
  /** What the agent thinks it does. */
  readonly says: string
  readonly sql: string
  /** COPY … TO STDOUT, read as text. */
  readonly copies?: boolean
}

export const STEPS: readonly Step[] = [
  {
    says: 'I look at a few customers.',
    sql: 'SELECT id, name, email, ssn, card FROM customers ORDER BY id LIMIT 3',
  },
  {
    says: 'I count the orders that came back.',
    sql: "SELECT count(*) AS returned FROM orders WHERE status = 'returned'",
  },
  {
    says: 'I read notes that people wrote; some hold what does not belong there.',
    sql: 'SELECT id, note FROM orders WHERE id IN (350, 500, 704)',
  },
  {
    says: 'I look for a customer by e-mail: the condition would tell the value.',
    sql: "SELECT id FROM customers WHERE email LIKE 'ada%'",
  },
  { says: 'I export the first customers.', sql: 'COPY customers TO STDOUT', copies: true },
  { says: 'I mark one order as paid.', sql: "UPDATE orders SET status = 'paid' WHERE id = 7" },
  { says: 'I clean up the orders.', sql: 'DELETE FROM orders' },
  { says: 'I drop what nobody needs.', sql: 'DROP TABLE orders' },
]

/** Lines of a table with its columns aligned; '' for no rows. */
export function tableOf(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(rows[0] ?? {})
  if (names.length === 0) return ''
  const cells = [names, ...rows.map((row) => names.map((name) => textOf(row[name])))]
  const widths = names.map((_, at) => Math.max(...cells.map((line) => (line[at] ?? '').length)))
  return cells
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-'
  return value instanceof Date ? value.toISOString() : String(value)
}
