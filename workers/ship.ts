/**
 * IO (thread). Entry of the ship thread: ships spool segments and answers queries on the record
 * (record/ship-thread.ts).
 */
import { parentPort, workerData } from 'node:worker_threads'
import { logger } from '../src/base/log.ts'
import type { ShipControl, ShipWorkerData } from '../src/record/ship-messages.ts'
import { startShipping } from '../src/record/ship-thread.ts'

const log = logger('ship')
const thread = startShipping(workerData as ShipWorkerData, (level, text) => log[level](text))

parentPort?.on('message', (message: ShipControl) => {
  switch (message.type) {
    case 'attach':
      thread.attach(message.port)
      return
    case 'stop':
      // Ports are still open: without an explicit end the thread would wait for them.
      thread.stop(message.deadline).finally(() => process.exit(0))
      return
    default:
      message satisfies never
  }
})
