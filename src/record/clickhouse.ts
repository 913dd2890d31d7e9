/**
 * IO (sockets, files). The one door to ClickHouse, through its vendor's client: the embedded engine on its
 * Unix socket and a server by URL are the same thing from here on, but for the data of an insert: our own engine reads it
 * from a file that is put before it, where two processes would pass on megabytes that end up in a file anyway.
 *
 * Knows no table. Does not retry: whoever calls knows whether a second time does harm.
 */
import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client'
import { BODY_HEADER } from './engine-request.ts'

export type StoreAddress =
  | {
      readonly socket: string
      /** Folder where the engine takes bodies from (engine.ts); without, they go over the socket. */
      readonly inbox?: string
    }
  | {
      readonly url: string
      readonly user: string
      readonly password: string | undefined
      /** Longest time without an answer. */
      readonly requestMsMax?: number
    }

export type Row = Readonly<Record<string, unknown>>
export type Parameters = Readonly<
  Record<string, string | number | boolean | readonly string[] | readonly number[]>
>
export type Settings = Readonly<Record<string, string | number>>

export interface Query {
  /** One statement. */
  readonly sql: string
  /** Values of `{name:Type}`. */
  readonly params?: Parameters
  readonly settings?: Settings
}

export interface Insert {
  /** `INSERT INTO … (columns) FORMAT …`. */
  readonly sql: string
  /** One piece behind the other. */
  readonly body: readonly Uint8Array[]
  readonly settings?: Settings
}

/** A failure of the store. */
export class StoreError extends Error {
  /** ClickHouse's number of the exception; undefined where there was no answer. */
  readonly exception: number | undefined

  constructor(message: string, exception: number | undefined, cause: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.exception = exception
  }
}

export interface ClickHouse {
  /**
   * Rows as objects; 64-bit integers as numbers (our own stay below 2^53). Rejects with StoreError.
   */
  query(query: Query): Promise<Row[]>
  /** The output of EXPLAIN, as text. Nothing is added to the statement. */
  explain(query: Query): Promise<string>
  /** Rows as ClickHouse's RowBinary. */
  bytes(query: Query): Promise<Buffer>
  command(query: Query): Promise<void>
  insert(insert: Insert): Promise<void>
  close(): Promise<void>
}

const REQUEST_MS_MAX = 120_000

/** `database`: the current one, where names stand without. `settings`: of every request. */
export function openClickHouse(
  address: StoreAddress,
  database = 'default',
  settings: Settings = {},
): ClickHouse {
  const agent = 'socket' in address ? socketAgent(address.socket) : undefined
  const client = createClient({
    ...('url' in address
      ? { url: address.url, username: address.user, password: address.password ?? '' }
      : { url: 'http://engine', http_agent: agent! }),
    database,
    request_timeout: ('url' in address ? address.requestMsMax : undefined) ?? REQUEST_MS_MAX,
    clickhouse_settings: { ...settings },
    application: 'sluice',
    // Failures are thrown; the client's own lines would double ours.
    log: { level: ClickHouseLogLevel.OFF },
  })
  const inbox = 'inbox' in address ? address.inbox : undefined
  return new VendorClickHouse(client, agent, inbox)
}

class VendorClickHouse implements ClickHouse {
  readonly #client: ClickHouseClient
  readonly #agent: http.Agent | undefined
  readonly #inbox: string | undefined

  constructor(client: ClickHouseClient, agent: http.Agent | undefined, inbox: string | undefined) {
    this.#client = client
    this.#agent = agent
    this.#inbox = inbox
  }

  async query({ sql, params, settings }: Query): Promise<Row[]> {
    return worded(async () => {
      const result = await this.#client.query({
        query: sql,
        format: 'JSONEachRow',
        ...(params === undefined ? {} : { query_params: params }),
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0, ...settings },
      })
      return result.json<Row>()
    })
  }

  async explain(query: Query): Promise<string> {
    return (await this.#output(query, 'TSVRaw')).toString('utf8')
  }

  bytes(query: Query): Promise<Buffer> {
    return this.#output(query, 'RowBinary')
  }

  #output({ sql, params, settings }: Query, format: string): Promise<Buffer> {
    return worded(async () => {
      const { stream } = await this.#client.exec({
        query: sql,
        ...(params === undefined ? {} : { query_params: params }),
        // A parameter of the interface, which the client knows of no other way to send.
        clickhouse_settings: { ...settings, ['default_format' as string]: format },
      })
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    })
  }

  async command({ sql, params, settings }: Query): Promise<void> {
    await worded(() =>
      this.#client.command({
        query: sql,
        ...(params === undefined ? {} : { query_params: params }),
        clickhouse_settings: { ...settings },
      }),
    )
  }

  async insert(insert: Insert): Promise<void> {
    await worded(() =>
      this.#inbox === undefined ? this.#insert(insert) : this.#insertFrom(this.#inbox, insert),
    )
  }

  async #insert({ sql, body, settings }: Insert, name?: string): Promise<void> {
    const { stream } = await this.#client.exec({
      query: sql,
      values: Readable.from(body, { objectMode: false }),
      clickhouse_settings: { ...settings },
      ...(name === undefined ? {} : { http_headers: { [BODY_HEADER]: name } }),
    })
    for await (const _ of stream) void _
  }

  /**
   * The engine takes the file away before it reads it: what is left there after a failure is nobody's. Where none can be put there
   * (somebody took the folder away) the body goes over the socket, as before: nothing of it has been sent yet.
   */
  async #insertFrom(inbox: string, insert: Insert): Promise<void> {
    const name = randomUUID()
    const path = join(inbox, name)
    // What cannot be taken away is gone when the engine starts again.
    const remove = () => rm(path, { force: true }).catch(() => {})
    try {
      await writeFile(path, insert.body, { mode: 0o600, flag: 'wx' })
    } catch {
      await remove()
      return this.#insert(insert)
    }
    try {
      await this.#insert({ ...insert, body: [] }, name)
    } finally {
      await remove()
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
    this.#agent?.destroy()
  }
}

async function worded<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const exception = cause instanceof ClickHouseError ? Number(cause.code) : undefined
    throw new StoreError(message, exception, cause)
  }
}

/** Every request goes to the socket, whatever its URL says. */
function socketAgent(path: string): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => connect({ ...options, path } as never, callback)
  return agent
}
