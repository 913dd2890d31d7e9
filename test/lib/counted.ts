/** IO. Reads an answer of any size without keeping it, and watches the gateway's memory meanwhile. */
import { readFileSync } from 'node:fs'
import type { WireClient } from './wire-client.ts'

/** Resident memory of a process, all its threads together. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024
}

export interface Counted {
  readonly bytes: number
  /** What the gateway held at most beyond what it held before. */
  readonly moreMiB: number
  /** Some of these stood in the stream, wherever it was cut. */
  readonly seen: readonly string[]
  /** The connection was closed before ReadyForQuery; the last bytes that came. */
  readonly closed: string | undefined
}

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/** Up to the first piece that ends in ReadyForQuery. The client is of no further use. */
export async function counted(
  client: WireClient,
  pid: number,
  about: { readonly send: () => Promise<void> | void; readonly lookFor?: readonly string[] },
): Promise<Counted> {
  const { socket } = client
  socket.removeAllListeners('data')
  const lookFor = about.lookFor ?? []
  const seen = new Set<string>()
  const before = residentMiB(pid)
  let [bytes, most] = [0, before]
  let tail = Buffer.alloc(0)
  const watch = setInterval(() => {
    most = Math.max(most, residentMiB(pid))
  }, 50)
  let closed: string | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('close', () => {
        closed = tail.toString('latin1')
        resolve()
      })
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        const joined = Buffer.concat([tail, chunk])
        for (const text of lookFor) if (joined.includes(text)) seen.add(text)
        tail = Buffer.from(joined.subarray(-500))
        if (tail.subarray(-READY.length).equals(READY)) resolve()
      })
      Promise.resolve(about.send()).catch(reject)
    })
  } finally {
    clearInterval(watch)
  }
  return { bytes, moreMiB: most - before, seen: [...seen], closed }
}
