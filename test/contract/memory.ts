/** Pure. A wire and a recorder that live in memory, for plays without sockets and files. */

import type { Wire, WireSink } from '../../src/accept/wire.ts'
import { copy } from '../../src/base/bytes.ts'
import type {
  ActionShape,
  Moment,
  Outcome,
  Recorder,
  Recording,
  Shape,
} from '../../src/record/event.ts'

export class MemoryWire implements Wire {
  readonly isSecure = false
  isFull = false
  isClosed = false
  isPaused = false
  unsentBytes = 0
  heldBytes = 0
  /** Our half was closed by the gateway. */
  isEnded = false
  sink: WireSink | undefined
  readonly written: Buffer[] = []
  onWrite: () => void = () => {}

  listen(sink: WireSink): void {
    this.sink = sink
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
  write(bytes: Buffer, start: number, end: number): void {
    if (this.isEnded || this.isClosed) return
    this.onWrite()
    this.written.push(copy(bytes, start, end))
  }
  end(): void {
    this.isEnded = true
  }
  destroy(): void {
    this.isEnded = true
  }
  secure(): never {
    throw new Error('no TLS in memory')
  }

  /** The peer sends; the memory is overwritten afterwards, as that of a socket is. */
  receive(bytes: Buffer): void {
    if (this.isClosed) return
    const chunk = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')])
    this.sink?.bytes(chunk, 6, 6 + bytes.length)
    chunk.fill(0xee)
  }

  /** The peer closes. */
  close(): void {
    if (this.isClosed) return
    this.sink?.end()
    this.isClosed = true
    this.sink?.closed(undefined)
  }
}

export type Recorded =
  | { readonly event: 'action'; readonly shape: ActionShape; readonly params: readonly string[] }
  | { readonly event: 'outcome'; readonly action: number; readonly outcome: Outcome }
  | { readonly event: 'response'; readonly action: number; readonly payload: Buffer }
  | { readonly event: 'moment'; readonly moment: Moment }

export class MemoryRecorder implements Recorder {
  pending = false
  /** Of one session: `open` starts anew. */
  events: Recorded[] = []

  open(): Recording {
    const events: Recorded[] = []
    this.events = events
    const put = (event: Recorded): number => {
      this.pending = true
      return events.push(event)
    }
    return {
      sessionId: '01SESSION',
      action: (shape, { params }) =>
        put({ event: 'action', shape: shape as unknown as ActionShape, params: [...params] }),
      outcome: (_, action, outcome) => {
        const payload = outcome.payload === undefined ? undefined : copy(outcome.payload)
        const masked = outcome.masked === undefined ? undefined : new Map(outcome.masked)
        put({ event: 'outcome', action, outcome: { ...outcome, payload, masked } })
      },
      response: (_, action, payload) =>
        void put({ event: 'response', action, payload: copy(payload) }),
      moment: (moment) => void put({ event: 'moment', moment }),
    }
  }
  shape(shape: ActionShape): Shape {
    return shape as unknown as Shape
  }
  flush(): void {
    this.pending = false
  }
  hash(text: string): string {
    return text
  }
  close(): void {}
}

/** One line an event, as `>R` writes it. */
export function recordedLine(one: Recorded): string {
  switch (one.event) {
    case 'action':
      return `action ${one.shape.verdict} ${JSON.stringify(one.shape.statement)}`
    case 'outcome':
      return `outcome ${one.outcome.status}${one.outcome.error === '' ? '' : ` ${one.outcome.error}`}`
    case 'response':
      return 'response'
    case 'moment':
      return `${one.moment.kind} ${one.moment.status}`
  }
}

/** Every byte that was recorded, in one text. */
export function recordedBytes(events: readonly Recorded[]): string {
  return events
    .map((one) => {
      if (one.event === 'response') return one.payload.toString('latin1')
      if (one.event !== 'outcome') {
        const { exact: _, ...shape } = one.event === 'action' ? one.shape : { exact: '' }
        return JSON.stringify({ ...one, shape })
      }
      return Buffer.from(one.outcome.payload ?? []).toString('latin1')
    })
    .join('\n')
}
