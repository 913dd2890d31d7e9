/** IO. Entry of the control thread: what main says goes in, what the thread says goes out. */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { logger } from '../src/base/log.ts'
import { Control } from '../src/control/control.ts'
import type { ControlWorkerData } from '../src/control/thread.ts'
import type { HouseCommand } from '../src/threads/messages.ts'

if (parentPort === null) throw new Error('control runs as a thread')
const main = parentPort

const control = new Control({
  ...(workerData as ControlWorkerData),
  thread: threadId,
  log: logger('control'),
  tell: (news) => main.postMessage(news),
  // Closing the port, not exiting: what was said last still has to arrive.
  onStopped: () => main.close(),
})

main.on('message', (command: HouseCommand) => control.onCommand(command))
await control.start()
