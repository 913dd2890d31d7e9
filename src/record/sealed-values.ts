/**
 * Pure. What a batch of sealed originals holds once it is open: values that masks replaced, with where they stood.
 *
 *   ┌─────────┬───────────────────────────────────────────────────────────────┐
 *   │ version │ records: name · value · cut, in any order                     │
 *   │ u8 = 1  │                                                               │
 *   └─────────┴───────────────────────────────────────────────────────────────┘
 *   name   1 · id u16 · size u16 · UTF-8          said once a batch, before it is used
 *   value  2 · place u8 · action u32 · row u32 · column u16 · name u16 · by u16 · size u32 · bytes
 *   cut    3 · action u32 · values u32 · bytes f64    so much of the action was not kept
 *
 * Numbers are big-endian. Encrypting it is sealer.ts's, reading it a recipient's (replay/unseal.ts).
 */
import { ByteSink } from '../base/bytes.ts'

/** Where a value stood. `text` and `binary`: formats of a column of a row; `copy`: as in the stream of a COPY. */
export const PLACES = ['text', 'binary', 'copy', 'statement', 'param', 'notice'] as const
export type SealedPlace = (typeof PLACES)[number]

export interface SealedValue {
  readonly place: SealedPlace
  /** Number of the action's first event in its session; 0: of no action. */
  readonly action: number
  /** From 1 on; of a parameter its number, else 0. */
  readonly row: number
  /** Position in the row, from 0 on. */
  readonly column: number
  /** What the column is called. */
  readonly name: string
  /** What replaced it: detectors, or the masked column. */
  readonly by: string
  readonly value: Buffer
}

/** So many values of an action were replaced and not kept, because `recorder.response_bytes_max` was reached. */
export interface SealedCut {
  readonly action: number
  readonly values: number
  readonly bytes: number
}

const VERSION = 1
const NAME = 1
const VALUE = 2
const CUT = 3
/** Of a value, before its bytes. */
const HEAD_BYTES = 20
const NAME_BYTES_MAX = 1024
const NAMES_MAX = 0xffff
/** A batch that was large once must not cost its memory for ever. */
const KEPT_BYTES = 64 << 10

/** Collects the values of one batch. */
export class SealedBatch {
  readonly #sink = new ByteSink(0)
  readonly #names = new Map<string, number>()
  #taken = 0
  count = 0

  add(place: SealedPlace, at: Omit<SealedValue, 'place' | 'value'>, value: Uint8Array): void {
    this.#begin()
    const [name, by] = [this.#name(at.name), this.#name(at.by)]
    const sink = this.#sink
    sink.reserve(HEAD_BYTES + value.length)
    const { bytes } = sink
    let to = sink.size
    bytes[to++] = VALUE
    bytes[to++] = PLACES.indexOf(place)
    to = bytes.writeUInt32BE(at.action >>> 0, to)
    to = bytes.writeUInt32BE(at.row >>> 0, to)
    to = bytes.writeUInt16BE(at.column & 0xffff, to)
    to = bytes.writeUInt16BE(name, to)
    to = bytes.writeUInt16BE(by, to)
    to = bytes.writeUInt32BE(value.length, to)
    bytes.set(value, to)
    sink.size = to + value.length
    this.count++
  }

  cut({ action, values, bytes }: SealedCut): void {
    this.#begin()
    const sink = this.#sink
    sink.reserve(17)
    sink.bytes[sink.size++] = CUT
    sink.size = sink.bytes.writeUInt32BE(action >>> 0, sink.size)
    sink.size = sink.bytes.writeUInt32BE(values >>> 0, sink.size)
    sink.size = sink.bytes.writeDoubleBE(bytes, sink.size)
  }

  /** Valid until the next `add`; the batch begins anew then. */
  take(): Buffer {
    const taken = this.#sink.view()
    this.#taken = taken.length
    this.count = 0
    this.#names.clear()
    this.#sink.clear()
    return taken
  }

  /** After what was taken has been used. Originals do not stay in memory. */
  wipe(): void {
    const { bytes } = this.#sink
    bytes.fill(0, 0, this.#taken)
    if (bytes.length > KEPT_BYTES) this.#sink.bytes = Buffer.allocUnsafeSlow(0)
  }

  #begin(): void {
    if (this.#sink.size === 0) this.#sink.u8(VERSION)
  }

  #name(text: string): number {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const id = this.#names.size
    if (id >= NAMES_MAX) return 0
    const name = Buffer.from(text).subarray(0, NAME_BYTES_MAX)
    const sink = this.#sink
    sink.u8(NAME)
    sink.u16(id)
    sink.u16(name.length)
    sink.append(name)
    this.#names.set(text, id)
    return id
  }
}

/** What a batch holds, in order. Throws where it is none: GCM has said before that nobody changed it. */
export function readBatch(batch: Buffer): { values: SealedValue[]; cuts: SealedCut[] } {
  const values: SealedValue[] = []
  const cuts: SealedCut[] = []
  const names: string[] = []
  if (batch[0] !== VERSION) throw new Error('sealed originals of another version')
  let at = 1
  const bytes = (size: number): Buffer => {
    if (at + size > batch.length) throw new Error('sealed originals are cut off')
    at += size
    return batch.subarray(at - size, at)
  }
  while (at < batch.length) {
    const kind = bytes(1)[0]
    if (kind === NAME) {
      const id = bytes(2).readUInt16BE()
      names[id] = bytes(bytes(2).readUInt16BE()).toString('utf8')
    } else if (kind === VALUE) {
      const head = bytes(HEAD_BYTES - 1)
      const place = PLACES[head[0]!]
      if (place === undefined) throw new Error('sealed originals of another version')
      const size = head.readUInt32BE(15)
      values.push({
        place,
        action: head.readUInt32BE(1),
        row: head.readUInt32BE(5),
        column: head.readUInt16BE(9),
        name: names[head.readUInt16BE(11)] ?? '',
        by: names[head.readUInt16BE(13)] ?? '',
        value: Buffer.from(bytes(size)),
      })
    } else if (kind === CUT) {
      const [action, count] = [bytes(4).readUInt32BE(), bytes(4).readUInt32BE()]
      cuts.push({ action, values: count, bytes: bytes(8).readDoubleBE() })
    } else throw new Error('sealed originals of another version')
  }
  return { values, cuts }
}
