/** IO. The control API of a gateway on this host, as its operator. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONTROL_FILE, OPERATOR_FILE } from '../control/operator.ts'

export interface Api {
  readonly url: string
  /** The answer's JSON. Throws for anything but 2xx, and when there is no gateway. */
  call(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>>
}

/** `data`: the gateway's data folder, where it leaves its operator's credential. */
export function openApi(data: string, url: string): Api {
  const token = readFileSync(join(data, OPERATOR_FILE), 'utf8').trim()
  return {
    url,
    call: async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const answer = await fetch(`${url}${path}`, { method, headers, ...sent })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
      const value: unknown = JSON.parse(text)
      return typeof value === 'object' && value !== null ? { ...value } : {}
    },
  }
}

/** undefined: none runs on this data folder. */
export async function runningApi(data: string): Promise<Api | undefined> {
  try {
    const { url } = JSON.parse(readFileSync(join(data, CONTROL_FILE), 'utf8'))
    const api = openApi(data, String(url))
    await api.call('GET', '/api/v1/whoami')
    return api
  } catch {
    return undefined // No file, or one that a killed gateway left behind.
  }
}
