/**
 * IO. Answers what session workers ask over their ports: who a credential is, and what a target's login needs.
 *
 * One port per worker. Each question is answered exactly once, with `failed` where it cannot be. A failure's message is
 * for the worker's log and holds no secret.
 */
import type { MessagePort } from 'node:worker_threads'
import { GatewayError } from '../base/errors.ts'
import type { Vault } from '../dial/vault.ts'
import type { Attempt } from '../identify/identify.ts'
import type { Identity } from '../identify/identity.ts'
import type { SealKey } from '../record/sealer.ts'
import type { ControlAnswer, ControlNotice, ControlRequest } from '../threads/messages.ts'
import type { Places } from './places.ts'

export interface AnswerParts {
  identify(attempt: Attempt): Promise<Identity>
  readonly vault: Vault
  readonly places: Places
  /** Rejects with GW_UNAVAILABLE. */
  sealKey(session: string): Promise<SealKey>
}

export class WorkerPorts {
  readonly #parts: AnswerParts
  readonly #ports = new Map<number, MessagePort>()
  readonly #onGone: (thread: number) => void

  /** `onGone`: the worker of that thread has ended. */
  constructor(parts: AnswerParts, onGone: (thread: number) => void) {
    this.#parts = parts
    this.#onGone = onGone
  }

  /** Threads of workers that are attached now. */
  get threads(): readonly number[] {
    return [...this.#ports.keys()]
  }

  attach(thread: number, port: MessagePort): void {
    const former = this.#ports.get(thread)
    if (former !== undefined) {
      // It tells anew what it holds.
      this.#parts.places.gone(thread)
      former.close()
    }
    this.#ports.set(thread, port)
    port.on('message', (request: ControlRequest | ControlNotice) => {
      const { places } = this.#parts
      if (request.type === 'place-left') places.leave(thread, request.connection)
      else if (request.type === 'places') places.tell(thread, request.held)
      else void answer(request, this.#parts, thread).then((message) => port.postMessage(message))
    })
    port.on('close', () => {
      if (this.#ports.get(thread) !== port) return
      this.#ports.delete(thread)
      this.#parts.places.gone(thread)
      this.#onGone(thread)
    })
  }

  close(): void {
    for (const port of this.#ports.values()) port.close()
  }
}

/** Never rejects. */
export async function answer(
  request: ControlRequest,
  parts: AnswerParts,
  thread: number,
): Promise<ControlAnswer> {
  const { id } = request
  try {
    switch (request.type) {
      case 'identify': {
        const { credential, address } = request
        return { type: 'identity', id, identity: await parts.identify({ credential, address }) }
      }
      case 'scram-first':
        return {
          type: 'scram-first',
          id,
          ...parts.vault.scramFirst(request.login, request.binding),
        }
      case 'scram-final': {
        const final = await parts.vault.scramFinal(request.exchange, request.serverFirst)
        return { type: 'scram-final', id, ...final }
      }
      case 'md5':
        return { type: 'md5', id, answer: parts.vault.md5(request.login, request.salt) }
      case 'password':
        return { type: 'password', id, password: parts.vault.password(request.login) }
      case 'place': {
        const { connection } = request
        if (await parts.places.take(thread, connection)) return { type: 'place', id, connection }
        throw new GatewayError('GW_TOO_MANY_SESSIONS', 'no place in time')
      }
      case 'seal-key':
        return { type: 'seal-key', id, key: await parts.sealKey(request.session) }
      case 'client-key':
        return { type: 'client-key', id, key: parts.vault.clientKey(request.connection) }
      default: {
        const unknown: never = request
        throw new GatewayError(
          'GW_INTERNAL',
          `unknown request ${JSON.stringify(Object.keys(unknown))}`,
        )
      }
    }
  } catch (error) {
    const { code, message } = GatewayError.from(error)
    return { type: 'failed', id, code, message }
  }
}
