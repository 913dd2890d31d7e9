/**
 * IO. A PostgreSQL client of bare frames: sends what no driver would, and keeps every byte that comes.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { connect as connectTcp, type Socket } from 'node:net'

/** A machine that is busy with other tests is slow, and no failure. */
const WAIT_MS_MAX = 60_000

export interface Message {
  /** The kind's letter. */
  readonly kind: string
  /** After kind and length. */
  readonly body: Buffer
}

export class WireClient {
  readonly socket: Socket
  readonly messages: Message[] = []
  /** Everything received, single answers to encryption requests included. */
  readonly #received: Buffer[] = []
  #rest: Buffer = Buffer.alloc(0)
  #ended = false
  #watchers = new Set<() => void>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#tell()
    })
  }

  static connect(port: number): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp(port, '127.0.0.1')
      socket.setNoDelay(true)
      socket.once('error', reject)
      socket.once('connect', () => resolve(new WireClient(socket)))
    })
  }

  /** Logs in with a clear-text password; resolves at the first ReadyForQuery or rejects with the refusal's fields. */
  static async login(
    url: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<WireClient> {
    const { port, username, password, pathname } = new URL(url)
    const client = await WireClient.connect(Number(port))
    const database = decodeURIComponent(pathname.substring(1))
    client.send(startup({ user: username, database, ...parameters }))
    await client.until('R')
    client.send(frame('p', cstring(password)))
    await client.until('ZE')
    const refusal = client.error()
    if (refusal !== undefined) throw new Error(`${refusal.C}: ${refusal.M}`)
    return client
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  get received(): Buffer {
    return Buffer.concat(this.#received)
  }

  get isClosed(): boolean {
    return this.#ended
  }

  /** Frames whose kind is one letter of `kinds`, from here on: waits for the next. Rejects when the peer closes. */
  async until(kinds: string, timeoutMs = WAIT_MS_MAX): Promise<Message> {
    const from = this.messages.length
    const found = () => this.messages.slice(from).find(({ kind }) => kinds.includes(kind))
    await this.#wait(() => found() !== undefined, `a message of ${kinds}`, timeoutMs)
    return found()!
  }

  /** The single byte that answers an SSLRequest or GSSENCRequest. */
  async byte(): Promise<string> {
    await this.#wait(() => this.#rest.length > 0, 'a byte', WAIT_MS_MAX)
    const answer = this.#rest.toString('latin1', 0, 1)
    this.#rest = this.#rest.subarray(1)
    return answer
  }

  /** Sends and gathers what comes up to the next ReadyForQuery. */
  async ask(...frames: readonly Uint8Array[]): Promise<readonly Message[]> {
    const from = this.messages.length
    this.send(...frames)
    await this.until('Z')
    return this.messages.slice(from)
  }

  async closed(timeoutMs = WAIT_MS_MAX): Promise<void> {
    await this.#wait(() => this.#ended, 'the end', timeoutMs)
  }

  /** Fields of the last error, by letter. */
  error(): Readonly<Record<string, string>> | undefined {
    const last = this.messages.findLast(({ kind }) => kind === 'E')
    return last && fieldsOf(last)
  }

  end(): void {
    this.socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#rest = Buffer.concat([this.#rest, chunk])
    // An encryption request is answered by a letter alone; `byte` takes it away.
    while (this.#rest.length >= 5) {
      const size = this.#rest.readInt32BE(1)
      if (this.#rest.length < size + 1) break
      const kind = this.#rest.toString('latin1', 0, 1)
      this.messages.push({ kind, body: this.#rest.subarray(5, size + 1) })
      this.#rest = this.#rest.subarray(size + 1)
    }
    this.#tell()
  }

  #tell(): void {
    for (const look of this.#watchers) look()
  }

  #wait(done: () => boolean, what: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        if (error === undefined) resolve()
        else reject(error)
      }
      const fail = (why: string) => {
        const seen = this.messages.map(({ kind }) => kind).join('')
        finish(new Error(`${why} before ${what}; seen: ${seen.slice(-100)}`))
      }
      const look = () => {
        if (done()) finish()
        else if (this.#ended) fail('closed')
      }
      const timer = setTimeout(() => fail(`${timeoutMs} ms`), timeoutMs)
      this.#watchers.add(look)
      look()
    })
  }
}

export function fieldsOf(message: Message): Readonly<Record<string, string>> {
  const fields = message.body.toString('utf8').split('\0')
  return Object.fromEntries(
    fields.filter((one) => one !== '').map((one) => [one[0], one.substring(1)]),
  )
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}

/** A frame with its length; `''` for those without a kind. */
export function frame(kind: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
}

export function startup(parameters: Readonly<Record<string, string>>, version = 3 << 16): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [
    cstring(name),
    cstring(value),
  ])
  return frame('', int32(version), ...pairs, Buffer.alloc(1))
}

export const query = (text: string): Buffer => frame('Q', cstring(text))
export const parse = (text: string, name = '', types: readonly number[] = []): Buffer =>
  frame('P', cstring(name), cstring(text), int16(types.length), ...types.map(int32))
export const describe = (of: 'S' | 'P', name = ''): Buffer =>
  frame('D', Buffer.from(of), cstring(name))
export const execute = (portal = '', rows = 0): Buffer => frame('E', cstring(portal), int32(rows))
export const close = (of: 'S' | 'P', name = ''): Buffer =>
  frame('C', Buffer.from(of), cstring(name))
export const FLUSH = frame('H')
export const SYNC = frame('S')
export const TERMINATE = frame('X')

/** Text parameters, one format for all results. */
export function bind(
  options: {
    portal?: string
    statement?: string
    values?: readonly (string | null)[]
    binary?: boolean
  } = {},
): Buffer {
  const { portal = '', statement = '', values = [], binary = false } = options
  const parameters = values.map((value) =>
    value === null
      ? int32(-1)
      : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  )
  const head = [cstring(portal), cstring(statement), int16(0), int16(values.length)]
  return frame('B', ...head, ...parameters, int16(1), int16(binary ? 1 : 0))
}
