/**
 * IO. A session worker's line to the control thread: questions with answers, matched by id. A question that is not
 * answered within `waitMsMax` fails with GW_UNAVAILABLE; so do all that are open when the port closes.
 */
import type { MessagePort } from 'node:worker_threads'
import { GatewayError } from '../base/errors.ts'
import type { ControlAnswer, ControlNotice, ControlRequest } from './messages.ts'

type Question = ControlRequest extends infer One
  ? One extends { id: number }
    ? Omit<One, 'id'>
    : never
  : never
type AnswerTo<Type extends ControlAnswer['type']> = Extract<ControlAnswer, { type: Type }>

interface Waiting {
  readonly resolve: (answer: ControlAnswer) => void
  readonly reject: (error: GatewayError) => void
  readonly timer: NodeJS.Timeout
}

export class ControlPort {
  #port: MessagePort | undefined
  readonly #waitMsMax: number
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  constructor(waitMsMax: number) {
    this.#waitMsMax = waitMsMax
  }

  /** Begins to use a port; what was asked over an earlier one fails. */
  attach(port: MessagePort): void {
    this.#port?.close()
    this.#failAll('the control thread was replaced')
    this.#port = port
    port.on('message', (answer: ControlAnswer) => this.#answered(answer))
    port.on('close', () => {
      if (this.#port === port) this.#failAll('the control thread is gone')
    })
    // Sessions keep the worker alive, not this.
    port.unref()
  }

  /** Rejects with the GatewayError that control names. */
  async ask<Type extends Exclude<ControlAnswer['type'], 'failed'>>(
    question: Question,
    type: Type,
  ): Promise<AnswerTo<Type>> {
    const answer = await new Promise<ControlAnswer>((resolve, reject) => {
      const id = this.#nextId++
      if (this.#port === undefined) {
        reject(new GatewayError('GW_UNAVAILABLE', 'no control thread yet'))
        return
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new GatewayError('GW_UNAVAILABLE', `control did not answer ${question.type}`))
      }, this.#waitMsMax)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#port.postMessage({ ...question, id })
    })
    if (answer.type === 'failed') throw new GatewayError(answer.code, answer.message)
    if (answer.type !== type) throw new GatewayError('GW_INTERNAL', `answer ${answer.type}`)
    return answer as AnswerTo<Type>
  }

  /** What needs no answer; lost where nobody is there to hear it. */
  tell(notice: ControlNotice): void {
    this.#port?.postMessage(notice)
  }

  #answered(answer: ControlAnswer): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) {
      // Granted after its asker gave up: back it goes, or it would be lost.
      if (answer.type === 'place') this.tell({ type: 'place-left', connection: answer.connection })
      return
    }
    this.#waiting.delete(answer.id)
    clearTimeout(waiting.timer)
    waiting.resolve(answer)
  }

  #failAll(message: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new GatewayError('GW_UNAVAILABLE', message))
    }
    this.#waiting.clear()
  }
}
