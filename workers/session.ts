/** IO. Entry of a session worker: one connection is one task, and the task settles when the connection is closed. */
import { workerData } from 'node:worker_threads'
import { SocketWire } from '../src/accept/wire.ts'
import { session } from '../src/session.ts'
import { Handover } from '../src/threads/handover.ts'
import type { ConnectionTask, SessionWorkerData } from '../src/threads/messages.ts'
import { SessionWorker } from '../src/threads/worker.ts'

const data = workerData as SessionWorkerData
const handover = new Handover(data.handover)
const worker = await SessionWorker.start(data)

export default async function serve(task: ConnectionTask): Promise<void> {
  // Main has given up on this task and closed the descriptor: its number is somebody else's by now.
  if (!handover.take(task.fd, task.ticket)) return
  await session(SocketWire.accepted(task.fd), task, worker)
}
