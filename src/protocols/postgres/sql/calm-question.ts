/**
 * Pure. A question of the gateway's own with settings of its own, whatever the client set for its own queries: with
 * `enable_seqscan = off`, and so compilation of ours, a question took seconds; a `statement_timeout` of a few
 * milliseconds stopped it, and with it the session.
 *
 * Outside a transaction all of one simple query is one transaction, and what SET LOCAL changed ends with it. Inside
 * one, a savepoint takes the settings back. It leaves nothing behind: no transaction number is used up by reading.
 */

const ON = 'seqscan indexscan bitmapscan nestloop hashjoin mergejoin hashagg sort'.split(' ')

/** The first for its own sake: it stops a clock that is running already. */
const CLOCKS = ['statement_timeout = 0', 'lock_timeout = 0']

const SETTINGS = [
  'jit = off',
  'max_parallel_workers_per_gather = 0',
  // Joins are made in the order in which they are written: to think about it takes longer.
  'join_collapse_limit = 1',
  'from_collapse_limit = 1',
  ...ON.map((one) => `enable_${one} = on`),
]

const local = (settings: readonly string[]) => settings.map((one) => `SET LOCAL ${one}; `).join('')

const CLOCKS_STOPPED = local(CLOCKS)
// Nothing waits for a safe snapshot, as a deferrable transaction would, or keeps others from writing.
const ISOLATED = "SET LOCAL transaction_isolation = 'read committed'; "
const CALM = `${CLOCKS_STOPPED}${ISOLATED}${local(SETTINGS)}`
const SAVEPOINT = 'sluice_question'

/** Outside a transaction. `few`: a text that is planned and run in no time, however it is planned. */
export function calm(text: string, few?: 'few'): string {
  return `${few === undefined ? CALM : CLOCKS_STOPPED}${text}`
}

const BACK = `ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`

/** In a transaction. */
export function unhurried(text: string): string {
  return `SAVEPOINT ${SAVEPOINT}; ${CLOCKS_STOPPED}${local(SETTINGS)}${text}; ${BACK}`
}

/** The same question after a cancel hit it, which has failed the transaction as far as the savepoint. */
export function again(text: string): string {
  return text.startsWith(BACK) ? text : `${BACK}; ${text}`
}
