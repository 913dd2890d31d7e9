/**
 * Pure. The originals of one session on their way to being sealed: collected while masks replace them, and encrypted once
 * a turn, all that came since the last one as one batch.
 *
 *   AES-256-GCM(data key of the session, nonce = number of the batch, additional data = session and number)
 *
 * A key serves one session, and a number one batch, so no nonce comes twice. What a batch holds is sealed-values.ts's;
 * who writes it down sealed-recorder.ts's. Of one action at most `bytesMax` are kept, and what is not is counted and said.
 */
import { createCipheriv, hash } from 'node:crypto'
import { SealedBatch, type SealedPlace } from './sealed-values.ts'

/** What the control thread hands out for a session. */
export interface SealKey {
  readonly session: string
  /** 32 bytes; lives in the memory of the session's worker only. */
  readonly dataKey: Uint8Array
  /** The same, to the recipients by age, and that by the gateway's key `keyId`. */
  readonly wrapped: Uint8Array
  readonly keyId: string
  /** Public keys it was wrapped for. */
  readonly recipients: readonly string[]
}

/** A batch, encrypted. */
export interface SealedRow {
  readonly batch: number
  /** Number of the first action that it speaks of. */
  readonly action: number
  readonly values: number
  readonly nonce: Buffer
  /** With the tag behind it. */
  readonly ciphertext: Buffer
  /** SHA-256 of the ciphertext, hexadecimal. */
  readonly digest: string
  readonly cut: { readonly values: number; readonly bytes: number }
}

export const TAG_BYTES = 16

export class Sealer {
  readonly key: SealKey
  /** Number of the next row that is looked at, minus one; whoever masks rows keeps it. */
  row = 0
  readonly #bytesMax: number
  readonly #touched: (sealer: Sealer, bytes: number) => void
  readonly #batch = new SealedBatch()
  /** Used again for each value. */
  readonly #at = { action: 0, row: 0, column: 0, name: '', by: '' }
  #number = 0
  #first = 0
  /** Of the rows of `#action`. */
  #action = 0
  #kept = 0
  /** What was left out since the last batch, and of which action it was at first. */
  #cutAction = 0
  #cutValues = 0
  #cutBytes = 0

  /** `touched`: called after each value with its size. */
  constructor(key: SealKey, bytesMax: number, touched: (sealer: Sealer, bytes: number) => void) {
    this.key = key
    this.#bytesMax = bytesMax
    this.#touched = touched
  }

  /** Rows that come now are those of this action, from the one after `row` on. */
  begin(action: number, row: number): void {
    this.row = row
    if (action === this.#action) return
    this.#action = action
    this.#kept = 0
  }

  /** A value of the present row, which a mask replaces. */
  value(
    place: SealedPlace,
    field: { readonly column: number; readonly name: string; readonly by: string },
    value: Uint8Array,
  ): void {
    this.#kept += value.length
    if (this.#kept > this.#bytesMax) {
      this.#leaveOut(this.#action, value)
      return
    }
    const at = this.#at
    at.action = this.#action
    at.row = this.row
    at.column = field.column
    at.name = field.name
    at.by = field.by
    this.#add(place, at, value)
  }

  /** A text whose record is another one: a statement, a parameter, an error. */
  text(
    place: 'statement' | 'param' | 'notice',
    at: { readonly action: number; readonly row: number },
    value: Uint8Array,
  ): void {
    if (value.length > this.#bytesMax) this.#leaveOut(at.action, value)
    else this.#add(place, { ...at, column: 0, name: '', by: '' }, value)
  }

  /** All that was collected, as one row; the next one has the next number. */
  seal(): SealedRow {
    const batch = ++this.#number
    const [values, action] = [this.#batch.count, this.#first]
    const cut = { values: this.#cutValues, bytes: this.#cutBytes }
    if (cut.values > 0) this.#batch.cut({ action: this.#cutAction, ...cut })
    const nonce = nonceOf(batch)
    const cipher = createCipheriv('aes-256-gcm', this.key.dataKey, nonce)
    cipher.setAAD(additionalData(this.key.session, batch))
    const body = cipher.update(this.#batch.take())
    cipher.final()
    this.#batch.wipe()
    const ciphertext = Buffer.concat([body, cipher.getAuthTag()])
    this.#first = 0
    this.#cutValues = 0
    this.#cutBytes = 0
    return {
      batch,
      action,
      values,
      nonce,
      ciphertext,
      digest: hash('sha256', ciphertext, 'hex'),
      cut,
    }
  }

  #add(place: SealedPlace, at: Parameters<SealedBatch['add']>[1], value: Uint8Array): void {
    if (this.#batch.count === 0) this.#first = at.action
    this.#batch.add(place, at, value)
    this.#touched(this, value.length)
  }

  #leaveOut(action: number, value: Uint8Array): void {
    if (this.#first === 0) this.#first = action
    if (this.#cutValues === 0) this.#cutAction = action
    this.#cutValues += 1
    this.#cutBytes += value.length
    this.#touched(this, 0)
  }
}

export function nonceOf(batch: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(batch), 4)
  return nonce
}

/** A row that was put into another session's place, or another batch's, does not open. */
export function additionalData(session: string, batch: number): Buffer {
  return Buffer.from(`sluice-sealed-1\0${session}\0${batch}`)
}
