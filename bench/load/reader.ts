/**
 * IO. A client in a process of its own that takes rows and COPY data as fast as they come and does nothing with them: what
 * is measured is the way, not a driver. Logs in once; each message is one transfer, answered with what it took.
 *
 * Frames are walked by their heads, so an error in the middle of a result is found and thrown.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import type { Door } from '../pgbench.ts'

export interface Transfer {
  readonly text: string
  /** COPY FROM STDIN: this many times the lines of `block`. */
  readonly blocks?: number
  /** Again and again, until the process is ended. */
  readonly forever?: boolean
}

export interface Transferred {
  readonly ms: number
  readonly bytes: number
}

const ERROR = 0x45
const COPY_IN = 0x47
const READY = 0x5a
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4])
const BLOCK_LINES = 500

/** One CopyData frame of many lines, for the columns of `parcels` (transfers.ts). */
export function block(): Buffer {
  const lines = Array.from(
    { length: BLOCK_LINES },
    (_, n) =>
      `${n}\tCustomer Name ${n}\tcustomer.${n}@mail.example\tLeft the parcel with the neighbour` +
      ` on the second floor\t${n}.50\t2024-05-12 10:11:12.123456+00\n`,
  )
  return framed(0x64, Buffer.from(lines.join('')))
}

function framed(kind: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5, kind)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

class Reader {
  readonly #stream: Socket
  #left = 0
  #head = Buffer.alloc(0)
  bytes = 0
  #seen: (kind: number) => void = () => {}

  constructor(stream: Socket) {
    this.#stream = stream
    stream.removeAllListeners('data')
    stream.on('data', (chunk: Buffer) => this.#read(chunk))
    stream.on('close', () => process.exit(1))
  }

  async transfer({ text, blocks }: Transfer): Promise<Transferred> {
    const begin = performance.now()
    this.bytes = 0
    let sent = 0
    const over = new Promise<void>((resolve, reject) => {
      this.#seen = (kind) => {
        if (kind === ERROR) reject(new Error('the target answers an error'))
        if (kind === COPY_IN) this.#fill(blocks ?? 0).then((size) => (sent = size), reject)
        if (kind === READY) resolve()
      }
    })
    this.#stream.write(framed(0x51, Buffer.from(`${text}\0`)))
    await over
    return { ms: performance.now() - begin, bytes: sent > 0 ? sent : this.bytes }
  }

  async #fill(blocks: number): Promise<number> {
    const one = block()
    for (let at = 0; at < blocks; at++) {
      if (!this.#stream.write(one)) await once(this.#stream, 'drain')
    }
    this.#stream.write(COPY_DONE)
    return one.length * blocks
  }

  #read(chunk: Buffer): void {
    this.bytes += chunk.length
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        at += taken
        continue
      }
      // A head that is cut is the only thing that is kept.
      const whole = this.#head.length + chunk.length - at >= 5
      if (this.#head.length > 0 || !whole) {
        const taken = Math.min(5 - this.#head.length, chunk.length - at)
        this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + taken)])
        at += taken
        if (this.#head.length < 5) return
        this.#begin(this.#head, 0)
        this.#head = Buffer.alloc(0)
      } else {
        this.#begin(chunk, at)
        at += 5
      }
    }
  }

  #begin(bytes: Buffer, at: number): void {
    this.#left = bytes.readInt32BE(at + 1) - 4
    this.#seen(bytes[at]!)
  }
}

if (pathToFileURL(process.argv[1] ?? '').href === import.meta.url) {
  process.once('disconnect', () => process.exit(0))
  const { host, port, user, password, database } = JSON.parse(process.argv[2]!) as Door
  const client = new pg.Client({ host, port, user, password, database })
  await client.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  const reader = new Reader(stream)
  process.on('message', async (transfer: Transfer) => {
    try {
      do process.send?.(await reader.transfer(transfer))
      while (transfer.forever === true)
    } catch (error) {
      process.stderr.write(`${error}\n`)
      process.exit(1)
    }
  })
  process.send?.('ready')
}
