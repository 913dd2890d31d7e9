/**
 * IO. Sealed originals of one worker's sessions: keys from the control thread, and the recorder that seals. Made where
 * `recorder.seal` names recipients, and nowhere else.
 */
import { clock } from '../base/clock.ts'
import { ulid } from '../base/id.ts'
import type { RecorderConfig } from '../config/shape.ts'
import type { Recorder } from '../record/event.ts'
import { SealedRecorder } from '../record/sealed-recorder.ts'
import type { SealKey } from '../record/sealer.ts'
import type { ControlPort } from './control-port.ts'
import type { SessionWorkerData } from './messages.ts'

/** undefined: no originals are kept. */
export function sealedRecorder(
  config: RecorderConfig,
  data: Pick<SessionWorkerData, 'spoolFolder' | 'instance'>,
  parts: { readonly recorder: Recorder; readonly thread: number },
): SealedRecorder | undefined {
  if (config.seal === undefined) return undefined
  return new SealedRecorder({
    ...parts,
    clock,
    spoolFolder: data.spoolFolder,
    instance: data.instance,
    bytesMax: config.spoolBytesMax,
    strict: config.durability === 'strict',
    actionBytesMax: config.responseBytesMax,
  })
}

/** For a session that is about to begin. Rejects with GW_UNAVAILABLE: then it does not. */
export async function sealKey(control: ControlPort): Promise<SealKey> {
  const { key } = await control.ask({ type: 'seal-key', session: ulid() }, 'seal-key')
  return key
}
