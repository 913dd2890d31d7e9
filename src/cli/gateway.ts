/**
 * IO. The running gateway that a command speaks to: where it is, and with which credential.
 *
 * On its own host the configuration names the data folder, and that holds the address and the operator's token.
 * Elsewhere `--url` and `$SLUICE_TOKEN` do. A credential is never sent in clear beyond the loopback.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { isLoopback } from '../base/cidr.ts'
import { readConfig } from '../config/config.ts'
import { findConfig } from '../config/load.ts'
import { CONTROL_FILE, OPERATOR_FILE } from '../control/operator.ts'
import { CliError, wrongFiles } from './exit.ts'

export interface Where {
  readonly config?: string | undefined
  readonly url?: string | undefined
}

export interface Door {
  readonly url: string
  readonly token: string
}

export type Json = Readonly<Record<string, unknown>>

const ANSWER_MS_MAX = 120_000

/** One call of the API. Throws CliError: 2 for what the caller did wrong, 3 where nobody answers or can. */
export async function ask(
  where: Where,
  call: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string; readonly body?: Json },
): Promise<Json> {
  const { url, token } = findGateway(where)
  const answer = await send(url, token, call)
  const body = await read(answer)
  if (answer.ok) return body
  throw refused(answer, body)
}

/** An answer of one JSON object a line, as it comes. Throws like `ask`, and where it stops in the middle. */
export async function* askLines(where: Where, path: string): AsyncGenerator<Json> {
  const { url, token } = findGateway(where)
  const patience = new AbortController()
  let timer = setTimeout(() => patience.abort(), ANSWER_MS_MAX)
  try {
    const answer = await send(url, token, { method: 'GET', path }, patience.signal)
    if (!answer.ok || answer.body === null) throw refused(answer, await read(answer))
    let rest: string[] = []
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(timer)
      timer = setTimeout(() => patience.abort(), ANSWER_MS_MAX)
      const parts = chunk.split('\n')
      for (const [at, part] of parts.entries()) {
        rest.push(part)
        if (at === parts.length - 1) break
        const line = rest.join('')
        rest = []
        if (line !== '') yield lineOf(line)
      }
    }
    if (rest.join('') !== '')
      throw new CliError(3, 'The gateway ended in the middle of its answer.')
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(3, `The gateway at ${url} ended in the middle of its answer.`)
  } finally {
    clearTimeout(timer)
    patience.abort()
  }
}

function lineOf(line: string): Json {
  const value: unknown = JSON.parse(line)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function refused(answer: Response, body: Json): CliError {
  const problems = Array.isArray(body.problems) ? body.problems.map((one) => `\n  ${one}`) : []
  const detail = typeof body.detail === 'string' ? body.detail : `HTTP status ${answer.status}`
  return new CliError(answer.status >= 500 ? 3 : 2, `${detail}${problems.join('')}`)
}

/** Throws CliError 3 where no gateway runs on this host's data folder. */
export function findGateway(where: Where, environment = process.env): Door {
  if (where.url !== undefined) return elsewhere(where.url, environment.SLUICE_TOKEN)
  const folder = dataFolder(where.config)
  const file = readIfThere(join(folder, CONTROL_FILE))
  const running = file === undefined ? undefined : parseRunning(file)
  // A gateway that was killed leaves its address behind, and whoever has the port now must not get the token.
  if (running === undefined || !isAlive(running.pid))
    throw new CliError(3, `No gateway runs on ${folder}. Start it with: sluice serve`)
  const token = readIfThere(join(folder, OPERATOR_FILE))?.trim()
  if (token === undefined || token === '')
    throw new CliError(
      2,
      `${join(folder, OPERATOR_FILE)} cannot be read; use --url and $SLUICE_TOKEN.`,
    )
  return { url: running.url, token }
}

function elsewhere(text: string, token: string | undefined): Door {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new CliError(2, '--url: expected a URL such as https://sluice.example.com.')
  const url = new URL(text)
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, '')))
    throw new CliError(2, '--url: a token is sent by https only, or to this host.')
  if (token === undefined || token === '')
    throw new CliError(2, 'Set SLUICE_TOKEN to a gateway token.')
  return { url: url.origin, token }
}

/** Of the configuration, or the one that is used without one. Policies are not looked at. */
export function dataFolder(config: string | undefined): string {
  const path = findConfig(config)
  if (path === undefined) return resolve('var')
  const text = readIfThere(path)
  if (text === undefined) throw new CliError(2, `${path} cannot be read.`)
  const result = readConfig({ path, text, cores: availableParallelism() })
  if ('problems' in result) throw wrongFiles(result.problems)
  return result.config.data
}

async function send(
  url: string,
  token: string,
  call: { method: string; path: string; body?: Json },
  signal = AbortSignal.timeout(ANSWER_MS_MAX),
): Promise<Response> {
  try {
    return await fetch(`${url}${call.path}`, {
      method: call.method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      // A redirect could carry the token elsewhere.
      redirect: 'error',
      signal,
    })
  } catch {
    throw new CliError(3, `No gateway answers at ${url}.`)
  }
}

async function read(answer: Response): Promise<Json> {
  try {
    const body: unknown = await answer.json()
    return typeof body === 'object' && body !== null ? { ...body } : {}
  } catch {
    throw new CliError(3, `What answers at ${answer.url} is no gateway.`)
  }
}

function parseRunning(text: string): { url: string; pid: number } | undefined {
  try {
    const { url, pid } = JSON.parse(text)
    return typeof url === 'string' && Number.isInteger(pid) && pid > 0 ? { url, pid } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // There, and somebody else's: the file's rights decide, not this.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
