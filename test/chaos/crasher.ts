/** IO. Ends threads of a gateway that was started with `crasher().env`: see fixtures/crash.ts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { built } from '../lib/gateway.ts'
import type { Kind, Way } from './fixtures/crash.ts'
import { until } from './load.ts'

export interface Crasher {
  readonly env: NodeJS.ProcessEnv
  /** Waits for a thread of this kind to be there, and then for its end. */
  end(kind: Kind, way: Way): Promise<void>
  close(): void
}

export function crasher(): Crasher {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'))
  const socket = join(folder, 'socket')
  return {
    env: {
      NODE_OPTIONS: `--import ${built('test/chaos/fixtures/crash.js')}`,
      SLUICE_CHAOS_SOCKET: socket,
      SLUICE_WORKER_HEAP_MB: '64',
    },
    end: async (kind, way) => {
      let said = ''
      const isDone = async () => {
        said = await say(socket, `${kind} ${way}\n`)
        return said === 'done'
      }
      await until(isDone, `a ${kind} to end by ${way}`, 45_000).catch((error: Error) => {
        throw new Error(`${error.message}; last it was said: ${said}`)
      })
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function say(socket: string, line: string): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const connection = connect(socket)
    connection.on('data', (bytes) => {
      said += bytes
    })
    connection.once('error', ({ message }) => resolve(message))
    connection.once('close', () => resolve(said))
    connection.setTimeout(30_000, () => connection.destroy(new Error('30 s without an answer')))
    connection.write(line)
  })
}
