/**
 * IO (process). The process of the embedded record store: started by the ship thread, ended when
 * its channel closes.
 *
 * Killing it at any moment costs nothing but time: what it has not acknowledged is sent again.
 */
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { CHDB_MISSING, serveEngine } from '../src/record/engine.ts'
import type { EngineMessage, EngineOrder } from '../src/record/engine-child.ts'

/** Running queries get this long to finish once the parent is gone. */
const FAREWELL_MS = 3000

const [folder = '', socket = '', memory] = process.argv.slice(2)
let stop: (() => Promise<void>) | undefined

process.once('disconnect', () => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), FAREWELL_MS).unref()
  if (stop === undefined) process.kill(process.pid, 'SIGKILL')
  else stop().finally(() => process.kill(process.pid, 'SIGKILL'))
})
// The parent may have gone while this file was loading, before anybody could hear of it.
if (!process.connected) process.kill(process.pid, 'SIGKILL')
// The terminal sends these to the whole group; the parent decides when we end.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

try {
  // Sessions come first, in memory too. Node's threads do not follow: the parent sets them (src/record/engine-priority.ts).
  os.setPriority(10)
  writeFileSync('/proc/self/oom_score_adj', '800')
} catch {
  // Only a courtesy.
}

try {
  const overdue = () => tell({ type: 'overdue' })
  const engine = await serveEngine({ folder, socket, memoryBytesMax: Number(memory), overdue })
  stop = engine.stop
  process.on('message', (order: EngineOrder) => {
    if (order.type === 'pulse') return tell({ type: 'pulse' })
    const { port } = order
    // Loaded for the few who ask for it.
    import('../src/replay/port.ts')
      .then(({ servePort }) => servePort({ ...port, database: 'sluice', ask: engine.ask }))
      .then(() => tell({ type: 'port', problem: undefined }))
      .catch((error: Error) => tell({ type: 'port', problem: error.message }))
  })
  tell({ type: 'ready' })
} catch (error) {
  const { message, code } = error as { message: string; code?: string }
  tell({ type: 'failed', message, missing: code === CHDB_MISSING }, () => process.exit(1))
}

function tell(message: EngineMessage, then = () => {}): void {
  // With a callback a parent that has gone is no uncaught error; `disconnect` ends us.
  if (process.connected) process.send?.(message, undefined, undefined, then)
  else then()
}
