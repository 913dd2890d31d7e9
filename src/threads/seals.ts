/**
 * IO. Sealed originals of one worker's sessions: keys from the control thread, and the recorder that seals. Made where
 * `recorder.seal` names recipients, and nowhere else.
 */
import { threadId } from 'node:worker_threads'
import { clock } from '../base/clock.ts'
import { ulid } from '../base/id.ts'
import type { RecorderConfig } from '../config/shape.ts'
import { SealedRecorder, type SealedRecorderOptions } from '../record/sealed-recorder.ts'
import type { SealKey } from '../record/sealer.ts'
import type { ControlPort } from './control-port.ts'
import type { SessionWorkerData } from './messages.ts'

/** undefined: no originals are kept. */
export function sealedRecorder(
  config: RecorderConfig,
  data: Pick<SessionWorkerData, 'spoolFolder' | 'instance' | 'encrypt'>,
  parts: Pick<SealedRecorderOptions, 'recorder' | 'onSyncFailed'>,
): SealedRecorder | undefined {
  if (config.seal === undefined) return undefined
  return new SealedRecorder({
    ...parts,
    clock,
    thread: threadId,
    spoolFolder: data.spoolFolder,
    instance: data.instance,
    bytesMax: config.spoolBytesMax,
    encrypt: data.encrypt,
    strict: config.durability === 'strict',
    actionBytesMax: config.responseBytesMax,
  })
}

/** For a session that is about to begin. Rejects with GW_UNAVAILABLE: then it does not. */
export async function sealKey(control: ControlPort): Promise<SealKey> {
  const { key } = await control.ask({ type: 'seal-key', session: ulid() }, 'seal-key')
  return key
}
