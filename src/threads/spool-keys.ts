/**
 * IO (the environment, files). The keys of `recorder.spool.encrypt`, read once a start by main: the ship thread gets them, and
 * the threads that write get a key of this run, wrapped by the first of them.
 */
import { GatewayError } from '../base/errors.ts'
import type { RecorderConfig } from '../config/shape.ts'
import { resolveSecret } from '../dial/secret.ts'
import { makeRunKey, type RunKey } from '../record/spool-cipher.ts'
import { readSpoolKeys, type SpoolKey } from '../record/spool-key.ts'
import { StartError } from './start-error.ts'

export interface SpoolEncryption {
  /** Of this start and of earlier ones. */
  readonly keys: readonly SpoolKey[]
  readonly run: RunKey
}

/** undefined: the spool is not encrypted. Throws `StartError`. */
export function spoolEncryption({ spoolEncrypt }: RecorderConfig): SpoolEncryption | undefined {
  if (spoolEncrypt === undefined) return undefined
  const read = readSpoolKeys(textOf(spoolEncrypt))
  if ('fault' in read) throw refused(read.fault)
  const [first] = read.keys
  if (first === undefined) throw refused('there is no key')
  return { keys: read.keys, run: makeRunKey(first) }
}

function textOf(reference: NonNullable<RecorderConfig['spoolEncrypt']>): string {
  try {
    return resolveSecret(reference)
  } catch (error) {
    if (error instanceof GatewayError) throw refused(error.message)
    throw error
  }
}

/** In the words of who read it; never with a part of the secret. */
function refused(why: string): StartError {
  return new StartError(`The key of recorder.spool.encrypt cannot be used: ${why}.`)
}
