/**
 * IO (process). Entry of the anchor process: started by the ship thread, ended when its channel closes
 * (record/anchor-process.ts).
 */
import type { AnchorOrder } from '../src/record/anchor-child.ts'
import { AnchorProcess } from '../src/record/anchor-process.ts'

const anchors = new AnchorProcess((news) => {
  // With a callback a parent that has gone is no uncaught error; `disconnect` ends us.
  if (process.connected) process.send?.(news, undefined, undefined, () => {})
})

process.on('message', (order: AnchorOrder) => anchors.on(order))
process.once('disconnect', () => process.exit(0))
// The terminal sends these to the whole group; the parent decides when we end.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
