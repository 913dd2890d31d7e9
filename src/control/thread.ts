/**
 * Pure. What main and the control thread say to each other: `workerData` at its start, and messages by `postMessage`.
 *
 * main → control: `HouseCommand` of threads/messages.ts. control → main: `ControlNews`. New settings arrive by the
 * broadcast `settings`.
 */
import type { MessagePort } from 'node:worker_threads'
import type { RunKey } from '../record/spool-cipher.ts'
import type { Settings } from '../threads/messages.ts'

export interface ControlWorkerData {
  readonly settings: Settings
  /** This run of the gateway. */
  readonly instance: string
  readonly spoolFolder: string
  /** Set: the spool is encrypted with it. */
  readonly encrypt?: RunKey | undefined
  /** Key of `statement_hash`; 32 bytes. */
  readonly recordKey: Uint8Array
  /** Port to the ship thread, in the worker's transfer list. Without it nothing recorded can be read. */
  readonly store: MessagePort | undefined
}

export type ControlNews =
  /** The control listener is bound: `http://127.0.0.1:7070`. Identify works as soon as `state-open` arrived. */
  | { readonly type: 'control-listening'; readonly url: string }
  /** The state database answers; sent once, after `control-listening` or before it. */
  | { readonly type: 'state-open' }
  /** It cannot start; `say` is one line for the person who started it. The thread ends by itself. */
  | { readonly type: 'control-failed'; readonly say: string }
