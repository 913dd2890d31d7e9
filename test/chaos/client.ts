/**
 * IO. A PostgreSQL client that does what no driver would: reads nothing, sends half a message, goes away. Speaks just
 * enough of the protocol to log in, run simple queries and look at each message that comes back.
 */
import { connect, type Socket } from 'node:net'

/** One message of the server. */
export interface Message {
  readonly kind: string
  readonly body: Buffer
}

export interface ClientOptions {
  readonly port: number
  readonly database: string
  readonly password: string
}

export interface Answer {
  /** First column of each row, as text. */
  readonly rows: readonly string[]
  /** SQLSTATE of an error. */
  readonly error: string | undefined
}

export class PostgresClient {
  readonly socket: Socket
  /** When both halves are closed. */
  readonly closed: Promise<void>
  /** PID and secret, for a cancel. */
  key: Buffer = Buffer.alloc(0)
  isClosed = false
  bytesRead = 0
  readonly #messages: Message[] = []
  #rest: Buffer = Buffer.alloc(0)
  #wake: () => void = () => {}

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    this.socket.on('data', (bytes: Buffer) => this.#read(bytes))
    this.socket.on('error', () => {})
    this.socket.once('end', () => this.socket.end())
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.isClosed = true
        this.#wake()
        resolve()
      })
    })
  }

  /** Logged in and ready; throws the SQLSTATE of a refusal. */
  static async open(options: ClientOptions): Promise<PostgresClient> {
    const client = new PostgresClient(options.port)
    await client.login(options)
    return client
  }

  async login({ database, password }: Omit<ClientOptions, 'port'>): Promise<void> {
    this.socket.write(startup(database))
    for (;;) {
      const message = await this.next()
      if (message === undefined) throw new Error('closed during the login')
      if (message.kind === 'R' && message.body.readInt32BE(0) === 3) {
        this.socket.write(frame('p', `${password}\0`))
      } else if (message.kind === 'K') this.key = message.body
      else if (message.kind === 'E') throw new Error(sqlstate(message))
      else if (message.kind === 'Z') return
    }
  }

  /** The next message; `undefined` when the connection is closed. */
  async next(): Promise<Message | undefined> {
    while (this.#messages.length === 0 && !this.isClosed) {
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    }
    return this.#messages.shift()
  }

  async query(text: string): Promise<Answer> {
    this.send(text)
    return this.answer()
  }

  send(text: string): void {
    this.socket.write(frame('Q', `${text}\0`))
  }

  /** Until ReadyForQuery or the end of the connection; without either error the connection is just gone: `closed`. */
  async answer(): Promise<Answer> {
    const rows: string[] = []
    let error: string | undefined
    for (;;) {
      const message = await this.next()
      if (message === undefined) return { rows, error: error ?? 'closed' }
      if (message.kind === 'D') rows.push(firstColumn(message.body))
      else if (message.kind === 'E') error = sqlstate(message)
      else if (message.kind === 'Z') return { rows, error }
    }
  }

  /** Says goodbye as libpq does, and waits for the end. */
  async close(): Promise<void> {
    this.socket.end(frame('X', ''))
    await this.closed
  }

  #read(bytes: Buffer): void {
    this.bytesRead += bytes.length
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (all.length - at >= 5) {
      const size = all.readInt32BE(at + 1) + 1
      if (all.length - at < size) break
      const body = all.subarray(at + 5, at + size)
      this.#messages.push({ kind: String.fromCharCode(all[at]!), body })
      at += size
    }
    this.#rest = all.subarray(at)
    this.#wake()
  }
}

export function startup(database: string): Buffer {
  const body = Buffer.from(`user\0agent\0database\0${database}\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(body.length + 8, 0)
  head.writeInt32BE(3 << 16, 4)
  return Buffer.concat([head, body])
}

export function cancelRequest(key: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + key.length, 0)
  head.writeInt32BE((1234 << 16) | 5678, 4)
  return Buffer.concat([head, key])
}

export function frame(kind: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body)
  const head = Buffer.alloc(5, kind)
  head.writeInt32BE(bytes.length + 4, 1)
  return Buffer.concat([head, bytes])
}

function sqlstate({ body }: Message): string {
  return /\0C([0-9A-Z]{5})\0/.exec(`\0${body.toString('latin1')}`)?.[1] ?? 'unknown'
}

function firstColumn(body: Buffer): string {
  if (body.readUInt16BE(0) === 0) return ''
  const size = body.readInt32BE(2)
  return size < 0 ? '' : body.toString('utf8', 6, 6 + size)
}
