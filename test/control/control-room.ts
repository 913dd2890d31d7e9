/** Not a test: the control thread's parts put together, with real HTTP, a real state database and a real spool. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BroadcastChannel, MessageChannel, type MessagePort } from 'node:worker_threads'
import { logger } from '../../src/base/log.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/shape.ts'
import { Control } from '../../src/control/control.ts'
import type { ControlNews } from '../../src/control/thread.ts'
import type { ShipAnswer, ShipRequest } from '../../src/record/ship-messages.ts'
import type { Broadcast, ControlAnswer, ControlRequest } from '../../src/threads/messages.ts'

const YAML = `
data: ./var
control: { listen: "127.0.0.1:0", public_url: "https://sluice.example.com" }
listeners: [{ protocol: postgres, listen: 127.0.0.1:0 }]
connections:
  orders:
    type: postgres
    address: 127.0.0.1:1
    database: orders
    credential: { user: app, password: { env: SLUICE_TEST_ORDERS }, auth: [password] }
roles:
  watchers: { members: ["group:watchers"], connections: [], allow: [], api: [viewer] }
  auditors: { members: ["group:auditors"], connections: [], allow: [], api: [auditor] }
  operators: { members: ["group:operators"], connections: [], allow: [], api: [operator] }
  admins: { members: ["group:admins"], connections: [], allow: [], api: [admin] }
  agents: { members: ["subject:ci"], connections: [orders], allow: [read] }
`

/** A question that is answered when `RELEASE` is asked. */
export const HELD = 'SELECT held'
export const RELEASE = 'SELECT release'

/** The ship thread's side, with records of its own. */
function serveStore(port: MessagePort): void {
  let held: number[] = []
  port.on('message', (request: ShipRequest) => {
    const { id } = request
    const texts = request.type === 'query' ? Object.values(request.params) : []
    if (texts.includes(HELD)) return void held.push(id)
    if (texts.includes(RELEASE)) {
      for (const one of held) port.postMessage({ type: 'rows', id: one, rows: [] })
      held = []
    }
    let answer: ShipAnswer
    if (request.type === 'metrics') {
      const metrics = { spoolBytes: 11, spoolLagSeconds: 2, eventsShipped: 33, segmentsShipped: 1 }
      const more = { segmentsBad: 0, eventsLost: 0, engineRestarts: 0, storeOk: true }
      const chain = { chainLeaves: 9, chainHeadSeconds: 1, anchorsBehind: 0 }
      answer = { type: 'metrics', id, metrics: { ...metrics, ...more, ...chain } }
    } else if (request.type === 'query' && Object.values(request.params).includes('missing'))
      answer = { type: 'rows', id, rows: [] }
    else answer = { type: 'rows', id, rows: [{ session_id: 's3' }, { session_id: 's2' }] }
    port.postMessage(answer)
  })
}

export interface Reply {
  readonly status: number
  readonly type: string
  readonly json: Record<string, unknown>
  readonly text: string
}

export interface Sent {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly raw?: string
}

export class ControlRoom {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-control-'))
  readonly config: Config
  readonly channel = new BroadcastChannel('sluice')
  readonly broadcasts: Broadcast[] = []
  readonly worker = new MessageChannel()
  readonly #ship = new MessageChannel()
  readonly #spool = join(this.folder, 'var', 'spool')
  readonly #opened: Promise<void>
  readonly control: Control
  url = ''
  operator = ''

  /** Its state is open, and the operator's token known. */
  static async start(): Promise<ControlRoom> {
    const room = new ControlRoom()
    await room.#opened
    room.operator = readFileSync(join(room.folder, 'var', 'operator.token'), 'utf8').trim()
    return room
  }

  private constructor() {
    mkdirSync(this.#spool, { recursive: true, mode: 0o700 })
    const read = readConfig({ path: join(this.folder, 'sluice.yaml'), text: YAML, cores: 1 })
    if ('problems' in read) throw new Error(JSON.stringify(read.problems))
    this.config = read.config
    serveStore(this.#ship.port2)
    this.channel.onmessage = (event) => this.broadcasts.push((event as { data: Broadcast }).data)
    let tell: (news: ControlNews) => void = () => {}
    this.#opened = new Promise<void>((resolve, reject) => {
      tell = (news) => {
        if (news.type === 'control-listening') this.url = news.url
        if (news.type === 'state-open') resolve()
        if (news.type === 'control-failed') reject(new Error(news.say))
      }
    })
    this.control = new Control({
      settings: { config: this.config, policyVersion: 7, policyFiles: [] },
      instance: 'test',
      spoolFolder: this.#spool,
      recordKey: new Uint8Array(32),
      store: this.#ship.port1,
      thread: 99,
      log: logger('control', 'silent'),
      tell,
      onStopped: () => {},
    })
    void this.control.start()
  }

  async stop(): Promise<void> {
    await this.control.stop()
    this.channel.close()
    this.worker.port2.close()
    this.#ship.port2.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async call(method: string, path: string, more: Sent = {}): Promise<Reply> {
    const payload = more.raw ?? (more.body === undefined ? undefined : JSON.stringify(more.body))
    const headers = {
      ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...more.headers,
    }
    // Not fetch: it does not let us send a Host of our own.
    return new Promise((resolve, reject) => {
      const url = `${this.url}${path}`
      const sent = httpRequest(url, { method, headers, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => {
          const type = response.headers['content-type'] ?? ''
          const json = type.includes('json') ? JSON.parse(text) : {}
          resolve({ status: response.statusCode ?? 0, type, json, text })
        })
      })
      sent.on('error', reject)
      sent.end(payload)
    })
  }

  async tokenFor(body: Record<string, unknown>): Promise<string> {
    const reply = await this.call('POST', '/api/v1/tokens', { token: this.operator, body })
    if (reply.status !== 201) throw new Error(reply.text)
    return String(reply.json.token)
  }

  /** As a session worker asks. */
  ask(request: ControlRequest): Promise<ControlAnswer> {
    return new Promise((resolve) => {
      this.worker.port2.once('message', resolve)
      this.worker.port2.postMessage(request)
    })
  }

  /** All that was recorded. */
  spooled(): string {
    return readdirSync(this.#spool, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('')
  }
}
