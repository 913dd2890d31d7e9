/** IO. Entry of the state thread: statements come in, rows go out (control/state/state-thread.ts). */
import { parentPort, workerData } from 'node:worker_threads'
import { GatewayError } from '../src/base/errors.ts'
import { type OpenState, openState } from '../src/control/state/state.ts'
import type { StateNews, StateOrder } from '../src/control/state/state-thread.ts'

if (parentPort === null) throw new Error('the state runs as a thread')
const control = parentPort

function tell(news: StateNews): void {
  control.postMessage(news)
}

async function serve(state: OpenState): Promise<void> {
  control.on('message', async (order: StateOrder) => {
    if (order.type === 'close') {
      await state.close()
      control.close()
      return
    }
    const { id, text, values } = order
    try {
      tell({ type: 'rows', id, rows: await state.query(text, values) })
    } catch (error) {
      tell({ type: 'refused', id, say: GatewayError.from(error).message })
      // It is opened again, and what is in its log then is kept as a whole.
      if (state.isLost) control.close()
    }
  })
  tell({ type: 'open' })
}

try {
  await serve(await openState(String(workerData)))
} catch (error) {
  tell({ type: 'failed', say: GatewayError.from(error).message })
}
