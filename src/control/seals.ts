/**
 * IO (files, randomness, time). Keys of sealed originals, in the control thread: each session gets one of its own, wrapped
 * for the recipients and then by the gateway; and where somebody was allowed to, the gateway's half is taken off again.
 *
 * Wrapping for recipients takes milliseconds and does not depend on the session, so some are kept ready.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GatewayError } from '../base/errors.ts'
import type { SealConfig } from '../config/shape.ts'
import { ageEncrypt, identitiesIn } from '../record/age.ts'
import { GatewayKeys } from '../record/gateway-keys.ts'
import type { SealKey } from '../record/sealer.ts'

const READY = 8

/** Public keys that `recorder.seal` names, here or in files with one a line. Load has checked them. */
export function recipientsOf(seal: SealConfig | undefined): readonly string[] {
  const named = (seal?.recipients ?? []).flatMap((one) =>
    typeof one === 'string' ? one : identitiesIn(readFileSync(one.file, 'utf8')),
  )
  return [...new Set(named)]
}

interface Ready {
  readonly dataKey: Buffer
  /** For the recipients only. */
  readonly inner: Uint8Array
}

export class Seals {
  readonly #keys: GatewayKeys
  readonly #recipients: readonly string[]
  readonly #now: () => number
  readonly #ready: Promise<Ready>[] = []

  /** `folder`: `<data>/seal`. Throws where a key is damaged. Without recipients nothing is sealed, and what was can be opened. */
  constructor(folder: string, recipients: readonly string[], now: () => number) {
    this.#keys = GatewayKeys.open(folder, now())
    this.#recipients = recipients
    this.#now = now
    if (recipients.length > 0) this.#refill()
  }

  /** A fresh key for a session. Rejects with GW_UNAVAILABLE. */
  async keyFor(session: string): Promise<SealKey> {
    if (this.#recipients.length === 0)
      throw new GatewayError('GW_UNAVAILABLE', 'recorder.seal names no recipients')
    if (this.#keys.isOld(this.#now())) this.#keys.rotate(this.#now())
    const next = this.#ready.shift() ?? this.#make()
    this.#refill()
    const { dataKey, inner } = await next
    const { keyId, wrapped } = this.#keys.wrap(inner, session)
    return { session, dataKey, wrapped, keyId, recipients: this.#recipients }
  }

  /** The key of a session as the recipients can open it. */
  release(session: string, wrapped: Uint8Array, keyId: string): Buffer {
    const inner = this.#keys.unwrap(wrapped, session, keyId)
    if (inner === 'no-key')
      throw new GatewayError('GW_UNAVAILABLE', `gateway key ${keyId} is not here`, {
        say: `The key of this session is wrapped by ${keyId}, which this gateway does not have.`,
      })
    if (inner === 'changed')
      throw new GatewayError('GW_UNAVAILABLE', 'a wrapped key was changed', {
        say: 'The wrapped key of this session was changed, or is another session’s.',
      })
    return inner
  }

  /** What is wrapped from now on needs another key. */
  rotate(): void {
    this.#keys.rotate(this.#now())
  }

  #refill(): void {
    while (this.#ready.length < READY) {
      const made = this.#make()
      // Whoever takes it hears of it.
      made.catch(() => {})
      this.#ready.push(made)
    }
  }

  async #make(): Promise<Ready> {
    const dataKey = randomBytes(32)
    return { dataKey, inner: await ageEncrypt(dataKey, this.#recipients) }
  }
}
