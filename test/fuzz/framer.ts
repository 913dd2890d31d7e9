/**
 * Pure. Fuzz of the framer and the lane: against a second reader that was written for this test alone and sees the whole
 * stream at once, and against pg-protocol. Lengths at every edge, noise, and any cut.
 */
import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import { parse } from 'pg-protocol'
import { expect } from 'vitest'
import { framer } from '../../src/protocols/postgres/frame.ts'
import {
  DROP,
  END,
  FORWARD,
  type Held,
  HOLD,
  Lane,
  type LaneHandler,
  NOTE,
  PASS,
  RUN,
  STOP,
  TAKEN,
  WAIT,
} from '../../src/relay/lane.ts'
import { build, framed } from '../contract/frames.ts'
import { type FuzzProperty, property } from './driver.ts'
import { cuts, edit, editedFrames, hostileBytes, pieces } from './mutate.ts'

const HELD_BYTES_MAX = 20_000
const KINDS: Readonly<Record<string, number>> = {
  ...{ p: PASS, n: NOTE, h: HOLD, r: RUN, d: DROP },
  // Held too: Q may be too large, w waits, t is taken, s stops.
  ...{ Q: HOLD, w: HOLD, t: HOLD, s: HOLD },
}
const courseOf = (kind: number): number => KINDS[String.fromCharCode(kind)] ?? END

/** What became of a stream. */
interface Told {
  readonly out: string
  readonly noted: string
  readonly held: string
  readonly broken: string
}

class Witness implements LaneHandler {
  readonly out: Buffer[] = []
  readonly noted: Buffer[] = []
  readonly taken: Buffer[] = []
  problem = ''
  waited = 0

  pass(bytes: Buffer, start: number, end: number): void {
    this.out.push(Buffer.from(bytes.subarray(start, end)))
  }
  note(bytes: Buffer, start: number, end: number): void {
    this.noted.push(Buffer.from(bytes.subarray(start, end)))
  }
  held(kind: number, bytes: Buffer, start: number, end: number): Held {
    if (kind === 0x77 && this.waited < (end - start) % 4) {
      this.waited += 1
      return WAIT
    }
    this.waited = 0
    this.taken.push(Buffer.from(bytes.subarray(start, end)))
    return kind === 0x74 ? TAKEN : kind === 0x73 ? STOP : FORWARD
  }
  heldBytesMax(): number {
    return HELD_BYTES_MAX
  }
  oversize(kind: number): boolean {
    return kind === 0x51
  }
  broken(problem: string): void {
    this.problem = problem
  }

  told(): Told {
    const text = (list: readonly Buffer[]) => Buffer.concat(list).toString('latin1')
    return {
      out: text(this.out),
      noted: text(this.noted),
      held: text(this.taken),
      broken: this.problem,
    }
  }
}

/** The same, by somebody who has all bytes before him and all the time in the world. */
function model(stream: Buffer): Told {
  const told = { out: '', noted: '', held: '', broken: '' }
  for (let at = 0; stream.length - at >= 5; ) {
    const length = stream.readInt32BE(at + 1)
    if (length < 4 || length >= 0x40000000) return { ...told, broken: 'malformed' }
    const size = length + 1
    const kind = String.fromCharCode(stream[at]!)
    let course = courseOf(stream[at]!)
    if (course === END) return { ...told, broken: 'unknown' }
    if ((course === HOLD || course === RUN) && size > HELD_BYTES_MAX) {
      if (kind !== 'Q') return { ...told, broken: 'too-large' }
      course = DROP
    }
    const frame = stream.toString('latin1', at, Math.min(stream.length, at + size))
    at += size
    if (course === DROP) continue
    if (course === HOLD || course === RUN) {
      if (frame.length < size) return told
      told.held += frame
    }
    if (kind === 's') return told
    if (kind !== 't') told.out += frame
    if (course === NOTE) told.noted += frame
  }
  return told
}

const anyFrame = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.constantFrom(...Object.keys(KINDS)), hostileBytes)
      .map(([kind, body]) => framed(kind, body)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('h', 'Q', 'r', 'p', 'n', 'd', 't'), fc.nat(25_000))
      .map(([kind, size]) => framed(kind, Buffer.alloc(size, 0x61))),
  },
)

const stream = fc
  .tuple(fc.array(anyFrame, { maxLength: 24 }), fc.array(edit, { maxLength: 3 }))
  .map(([frames, edits]) => Buffer.concat(edits.reduce(editedFrames, frames)))

function readByLane(bytes: Buffer, sizes: readonly number[]): Told {
  const witness = new Witness()
  const courses = Uint8Array.from({ length: 256 }, (_, kind) => courseOf(kind))
  const lane = new Lane({ framer, courses, handler: witness })
  for (const piece of pieces(bytes, sizes)) {
    lane.push(piece, 0, piece.length)
    // The memory of a socket is used again.
    piece.fill(0x70)
    if (lane.keptBytes > HELD_BYTES_MAX + piece.length) throw new Error(`keeps ${lane.keptBytes}`)
    while (lane.isWaiting) lane.resume()
  }
  return witness.told()
}

const DOWN = fc.oneof(
  fc.constantFrom('ParseComplete', 'BindComplete', 'CloseComplete', 'NoData', 'EmptyQuery'),
  fc.constantFrom('PortalSuspended', 'CopyDone', 'Ready T', 'CopyOut 0 0', 'CopyIn'),
  fc.constantFrom('RowDescription a=customers.email:text b:int4:1', 'ParameterDescription int4'),
  fc.constantFrom('Error 23505 "m" D "detail"', 'Notice 00000 "n"', 'Notification "c" "p"'),
  fc.nat(3000).map((size) => `DataRow "${'x'.repeat(size)}" null x00ff`),
  fc.nat(3000).map((size) => `CopyData "${'y'.repeat(size)}"`),
  fc.nat().map((rows) => `CommandComplete "SELECT ${rows}"`),
)
const NO_TABLES = { find: () => ({ relation: 1, column: 1 }) }

export const FRAMER: readonly FuzzProperty[] = [
  property('framer: a lane does what a reader of the whole stream does', fc.tuple(stream, cuts), {
    runs: 300,
    holds: ([bytes, sizes]) => {
      expect(readByLane(bytes, sizes)).toEqual(model(bytes))
    },
  }),
  property('framer: noise', fc.tuple(fc.array(hostileBytes), cuts), {
    holds: ([parts, sizes]) => {
      const bytes = Buffer.concat(parts)
      expect(readByLane(bytes, sizes)).toEqual(model(bytes))
    },
  }),
  property(
    'framer: finds the frames that pg-protocol finds',
    fc.tuple(fc.array(DOWN, { maxLength: 20 }), cuts),
    {
      holds: ([lines, sizes]) => {
        const bytes = Buffer.concat(lines.map((line) => build(line, 'down', NO_TABLES)))
        const theirs: number[] = []
        const socket = new EventEmitter()
        void parse(socket as never, ({ length }) => theirs.push(length + 1))
        for (const piece of pieces(bytes, sizes)) socket.emit('data', piece)
        const ours: number[] = []
        const handler = new Witness()
        handler.held = (_, __, start, end) => {
          ours.push(end - start)
          return FORWARD
        }
        const courses = new Uint8Array(256).fill(HOLD)
        const lane = new Lane({ framer, courses, handler })
        for (const piece of pieces(bytes, sizes)) lane.push(piece, 0, piece.length)
        expect(ours).toEqual(theirs)
      },
    },
  ),
]
