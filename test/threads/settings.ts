/** IO. Settings and a running gateway for tests of the threads, with fixture threads instead of the product's. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../src/base/log.ts'
import type { Config } from '../../src/config/shape.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/threads/gateway.ts'
import type { Settings } from '../../src/threads/messages.ts'
import { configOf } from './configuration.ts'

export const REFUSAL = 'refused: '

export function settingsOf(change: Partial<Config> = {}, policyVersion = 1): Settings {
  return { config: configOf(change), policyVersion, policyFiles: [] }
}

/** A log that remembers. */
export function memoryLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const say = (...parts: unknown[]) => void lines.push(JSON.stringify(parts))
  return {
    lines,
    debug: say,
    info: say,
    warn: say,
    error: say,
    fatal: say,
  } as unknown as Logger & {
    readonly lines: string[]
  }
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../dist/test/threads/fixtures/${name}.js`, import.meta.url))
}

export interface Running {
  readonly gateway: Gateway
  readonly settings: Settings
  readonly log: ReturnType<typeof memoryLog>
  readonly port: number
  /** What the ship thread was told, in order. */
  told(): { type: string; thread?: number }[]
}

export async function running(
  settings: Settings,
  change: Partial<GatewayOptions> = {},
): Promise<Running> {
  const log = memoryLog()
  const gateway = await startGateway({
    settings,
    log,
    refusalAtAccept: (protocol, code) => Buffer.from(`${REFUSAL}${protocol} ${code}\n`),
    entries: { session: fixture('session'), control: fixture('control'), ship: fixture('ship') },
    ...change,
  })
  const told = () => {
    const text = readFileSync(join(settings.config.data, 'spool', 'told.ndjson'), 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { type: string })
  }
  return { gateway, settings, log, port: gateway.listening[0]!.port, told }
}

/** A client that speaks in lines. */
export class Client {
  readonly socket: Socket
  readonly closed: Promise<void>
  text = ''

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect({ port, host })
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1')
    })
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  /** Sends a line; resolves with the line that comes back, or what came before the end. */
  async ask(line: string): Promise<string> {
    const before = this.text.length
    this.socket.write(`${line}\n`)
    return this.line(before)
  }

  async line(from = 0): Promise<string> {
    const isThere = () => this.text.indexOf('\n', from) >= 0
    while (!isThere() && !this.socket.destroyed) await pause(2)
    return this.text.substring(from).trim()
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until the claim holds; throws after a minute. */
export async function until(claim: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!claim()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await pause(10)
  }
}
