/**
 * IO. The only door to pino. One JSON line per event on standard error; standard output belongs to the CLI.
 *
 * Never log a statement, a parameter, a credential or the text of a target's error.
 */
import { type Logger as Pino, pino, stdTimeFunctions } from 'pino'

export type Logger = Pick<Pino, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>

export function logger(thread: string, level = process.env.SLUICE_LOG ?? 'info'): Logger {
  return pino(
    { level, base: { thread }, timestamp: stdTimeFunctions.isoTime, messageKey: 'say' },
    // Synchronous: the last lines before an exit are the ones that matter.
    pino.destination({ dest: 2, sync: true }),
  )
}
