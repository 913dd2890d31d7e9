/** IO. `sluice whoami`. */
import { ask, type Where } from './gateway.ts'
import { printRecord } from './output.ts'

export async function whoami(flags: Where & { json?: boolean }): Promise<void> {
  const answer = await ask(flags, { method: 'GET', path: '/api/v1/whoami' })
  printRecord(answer, flags.json === true)
}
