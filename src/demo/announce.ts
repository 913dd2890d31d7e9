/**
 * IO. What `npm start` prints when the embedded default is up: a development token made anew, the former one revoked, and a
 * line to paste.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Listening } from '../threads/messages.ts'
import { type Api, openApi } from './api.ts'
import { CONNECTION } from './embedded.ts'

export interface AnnounceOptions {
  /** The gateway's data folder. */
  readonly data: string
  readonly controlUrl: string
  readonly listening: readonly Listening[]
  /** As configured; what was taken has moved. */
  readonly wanted: { readonly listener: number; readonly control: number }
}

/** Text for standard output. Call when the control API answers. */
export async function announce(options: AnnounceOptions): Promise<string> {
  const { data, controlUrl, listening, wanted } = options
  const listener = listening.find(({ protocol }) => protocol === 'postgres')
  const address = `${listener?.host}:${listener?.port}`
  const token = await developmentToken(data, openApi(data, controlUrl))
  const moved = (port: number, from: number): string =>
    port === from ? '' : ` (port ${from} is taken)`
  const clients = `${address}${moved(listener?.port ?? 0, wanted.listener)}`
  const control = `${controlUrl}${moved(Number(new URL(controlUrl).port), wanted.control)}`
  return `
Sluice is ready.

  clients   ${clients}
  control   ${control}

Paste this:

  psql "postgres://agent:${token}@${address}/${CONNECTION}"

and try, on the sample tables customers and orders:

  SELECT id, name, email, ssn, card FROM customers ORDER BY id LIMIT 3;
  DROP TABLE orders;

The token is good for 24 hours; the next start makes a new one. Ctrl-C stops everything.
`
}

/** Issues the token of this start and revokes that of the last one. */
async function developmentToken(data: string, api: Api): Promise<string> {
  const kept = join(data, 'demo/development-token.id')
  if (existsSync(kept)) {
    const former = encodeURIComponent(readFileSync(kept, 'utf8'))
    // It may be unknown by now: the state is younger than this file where somebody removed it.
    await api.call('DELETE', `/api/v1/tokens/${former}`).catch(() => {})
  }
  const issued = await api.call('POST', '/api/v1/tokens', {
    subject: 'agent',
    kind: 'workload',
    agent: 'development',
    ttl: '24h',
  })
  const { token, id } = issued
  if (typeof token !== 'string' || typeof id !== 'string') {
    throw new Error('the control API issued no token')
  }
  writeFileSync(kept, id, { mode: 0o600 })
  return token
}
