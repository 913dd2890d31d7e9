/** IO. `sluice audit query SQL`. */
import { ask, type Where } from './gateway.ts'
import { printList, rowsOf, say } from './output.ts'

/** With `--json` one object a line, so that a long answer can be read as it comes. */
export async function queryAudit(sql: string, flags: Where & { json?: boolean }): Promise<void> {
  const answer = await ask(flags, { method: 'POST', path: '/api/v1/audit/query', body: { sql } })
  const rows = rowsOf(answer.rows)
  if (flags.json === true) say(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  else printList(rows, Object.keys(rows[0] ?? {}), false)
  if (answer.cut === true) say(`Only the first ${rows.length} rows are shown.\n`, 2)
}
