import fc from 'fast-check'
import { expect, test } from 'vitest'
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

/** A handler that writes down all it is told. */
class Witness implements LaneHandler {
  out = Buffer.alloc(0)
  noted = Buffer.alloc(0)
  readonly frames: string[] = []
  brokenBy: string | undefined
  answer: (kind: number, frame: Buffer) => Held = () => FORWARD
  limit = Number.POSITIVE_INFINITY
  lane: Lane | undefined

  pass(bytes: Buffer, start: number, end: number): void {
    this.out = Buffer.concat([this.out, bytes.subarray(start, end)])
  }
  note(bytes: Buffer, start: number, end: number): void {
    this.noted = Buffer.concat([this.noted, bytes.subarray(start, end)])
  }
  held(kind: number, bytes: Buffer, start: number, end: number): Held {
    const answer = this.answer(kind, bytes.subarray(start, end))
    if (answer !== WAIT) this.frames.push(bytes.toString('latin1', start, end))
    return answer
  }
  heldBytesMax(): number {
    return this.limit
  }
  oversize(kind: number): boolean | typeof WAIT {
    return kind === code('Q')
  }
  broken(problem: string): void {
    this.brokenBy = problem
  }
}

const code = (kind: string) => kind.charCodeAt(0)

function frame(kind: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length)
  bytes.write(kind, 'latin1')
  bytes.writeInt32BE(4 + body.length, 1)
  bytes.write(body, 5, 'latin1')
  return bytes
}

function laneOf(courses: Record<string, number>): { lane: Lane; witness: Witness } {
  const table = new Uint8Array(256).fill(END)
  for (const [kind, course] of Object.entries(courses)) table[code(kind)] = course
  const witness = new Witness()
  const lane = new Lane({ framer, courses: table, handler: witness })
  witness.lane = lane
  return { lane, witness }
}

/** Pushes in pieces of the given sizes, from one buffer that is overwritten after each push, as a socket's is. */
function pushCut(lane: Lane, bytes: Buffer, cuts: readonly number[]): void {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.min(cuts[i % cuts.length]!, bytes.length - at)
    const shared = Buffer.from(bytes.subarray(at, at + size))
    lane.push(shared, 0, size)
    shared.fill(0xee)
    at += size
  }
}

const ALL = { p: PASS, n: NOTE, h: HOLD, r: RUN, d: DROP } as const
const anyFrame = fc
  .tuple(
    fc.constantFrom('p', 'n', 'h', 'r', 'd'),
    fc.string({ maxLength: 60, unit: 'binary-ascii' }),
  )
  .map(([kind, body]) => ({ kind, bytes: frame(kind, body) }))
const anyStream = fc.array(anyFrame, { minLength: 1, maxLength: 20 })
const anyCuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

test('whatever the cuts, everything but dropped frames goes on in order, and noted frames are seen', () => {
  fc.assert(
    fc.property(anyStream, anyCuts, (stream, cuts) => {
      const { lane, witness } = laneOf(ALL)
      pushCut(lane, Buffer.concat(stream.map((one) => one.bytes)), cuts)
      const of = (kinds: string) =>
        Buffer.concat(stream.filter((one) => kinds.includes(one.kind)).map((one) => one.bytes))
      expect(witness.out.equals(of('pnhr'))).toBe(true)
      expect(witness.noted.equals(of('n'))).toBe(true)
      expect(witness.frames.join('')).toBe(of('hr').toString('latin1'))
      expect(lane.keptBytes).toBe(0)
    }),
  )
})

test('a frame that is taken leaves no trace, and what the handler sends stands in its place', () => {
  fc.assert(
    fc.property(anyStream, anyCuts, (stream, cuts) => {
      const { lane, witness } = laneOf(ALL)
      witness.answer = (kind) => {
        if (kind !== code('h')) return FORWARD
        lane.settle()
        witness.out = Buffer.concat([witness.out, Buffer.from('!')])
        return TAKEN
      }
      pushCut(lane, Buffer.concat(stream.map((one) => one.bytes)), cuts)
      const wanted = stream
        .filter((one) => one.kind !== 'd')
        .map((one) => (one.kind === 'h' ? Buffer.from('!') : one.bytes))
      expect(witness.out.equals(Buffer.concat(wanted))).toBe(true)
    }),
  )
})

test('waiting or not, the bytes are the same', () => {
  fc.assert(
    fc.property(anyStream, anyCuts, fc.integer({ min: 1, max: 3 }), (stream, cuts, times) => {
      const { lane, witness } = laneOf(ALL)
      let waited = 0
      witness.answer = (kind) => {
        if (kind !== code('h') || waited >= times) {
          waited = 0
          return FORWARD
        }
        waited += 1
        return WAIT
      }
      pushCut(lane, Buffer.concat(stream.map((one) => one.bytes)), cuts)
      while (lane.isWaiting) lane.resume()
      const wanted = stream.filter((one) => one.kind !== 'd').map((one) => one.bytes)
      expect(witness.out.equals(Buffer.concat(wanted))).toBe(true)
    }),
  )
})

test('noise never throws and never passes a kind that is not in the table', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), anyCuts, (noise, cuts) => {
      const { lane, witness } = laneOf({ p: PASS })
      pushCut(lane, Buffer.from(noise), cuts)
      if (witness.out.length > 0) expect(witness.out[0]).toBe(code('p'))
    }),
  )
})

test.each([0, 3, -1, 0x40000000])('a size of %d breaks the lane', (size) => {
  const { lane, witness } = laneOf({ h: HOLD })
  const bytes = frame('h', 'x')
  bytes.writeInt32BE(size, 1)
  lane.push(bytes, 0, bytes.length)
  expect(witness.brokenBy).toBe('malformed')
  expect(witness.out.length).toBe(0)
})

test('an unknown kind ends the lane after what came before it', () => {
  const { lane, witness } = laneOf({ p: PASS })
  const bytes = Buffer.concat([frame('p', 'one'), frame('?', 'two'), frame('p', 'three')])
  lane.push(bytes, 0, bytes.length)
  expect(witness.brokenBy).toBe('unknown')
  expect(witness.out.equals(frame('p', 'one'))).toBe(true)
})

test('a held frame beyond its limit is dropped or ends the lane before its body is kept', () => {
  const { lane, witness } = laneOf({ Q: HOLD, h: HOLD, p: PASS })
  witness.limit = 20_000
  const long = frame('Q', 'x'.repeat(30_000))
  const after = frame('p', 'y')
  pushCut(lane, Buffer.concat([long, after]), [1000])
  expect(lane.keptBytes).toBe(0)
  expect(witness.out.equals(after)).toBe(true)
  pushCut(lane, frame('h', 'x'.repeat(30_000)), [1000])
  expect(witness.brokenBy).toBe('too-large')
})

test('after STOP nothing more is looked at', () => {
  const { lane, witness } = laneOf({ h: HOLD, p: PASS })
  witness.answer = () => STOP
  const bytes = Buffer.concat([frame('p', 'one'), frame('h', ''), frame('p', 'two')])
  lane.push(bytes, 0, bytes.length)
  lane.push(bytes, 0, bytes.length)
  expect(witness.out.equals(frame('p', 'one'))).toBe(true)
})

test('a run offers all whole frames of its kind at once and no cut one', () => {
  const { lane, witness } = laneOf({ r: RUN, p: PASS })
  const run = Buffer.concat([frame('r', 'a'), frame('r', 'bb'), frame('r', 'ccc')])
  const bytes = Buffer.concat([run, frame('r', 'cut')])
  lane.push(bytes, 0, bytes.length - 1)
  expect(witness.frames).toEqual([run.toString('latin1')])
})

test('a frame beyond its limit meets it inside a run as well', () => {
  const { lane, witness } = laneOf({ r: RUN })
  witness.limit = 20_000
  const bytes = Buffer.concat([frame('r', 'a'), frame('r', 'x'.repeat(20_000))])
  lane.push(bytes, 0, bytes.length)
  expect([witness.brokenBy, witness.frames.length]).toEqual(['too-large', 1])
})

test('it knows when a part of a frame has gone on, and only then', () => {
  const whole = frame('D', 'row')
  const cut = (course: number): boolean => {
    const handler = new Witness()
    const courses = new Uint8Array(256).fill(END)
    courses[code('D')] = course
    const lane = new Lane({ framer, courses, handler })
    lane.push(whole, 0, whole.length - 1)
    const isWithin = lane.isWithinFrame
    lane.push(whole, whole.length - 1, whole.length)
    expect(lane.isWithinFrame).toBe(false)
    return isWithin
  }
  expect([PASS, NOTE, HOLD, RUN, DROP].map(cut)).toEqual([true, true, false, false, false])
})

test('a course that one lane changes is not changed for another one with the same table', () => {
  const table = new Uint8Array(256).fill(END)
  table[code('D')] = PASS
  const witnesses = [new Witness(), new Witness()] as const
  const [one, other] = witnesses.map(
    (handler) => new Lane({ framer, courses: table, handler }),
  ) as [Lane, Lane]
  one.setCourse(code('D'), END)
  const bytes = frame('D', 'x')
  for (const lane of [one, other]) lane.push(bytes, 0, bytes.length)
  expect(witnesses.map(({ brokenBy }) => brokenBy)).toEqual(['unknown', undefined])
  expect(witnesses[1].out).toEqual(bytes)
  expect(table[code('D')]).toBe(PASS)
})

test('a frame over its limit may have to wait, and is judged when the lane goes on', () => {
  const big = frame('Q', 'x'.repeat(40_000))
  const bytes = Buffer.concat([frame('A', 'a'), big, frame('A', 'b')])
  for (const cuts of [[bytes.length], [3], [12, 20_000], [10]]) {
    const { lane, witness } = laneOf({ Q: HOLD, A: PASS })
    witness.limit = 100
    const answers: (boolean | typeof WAIT)[] = [WAIT, WAIT, true]
    witness.oversize = () => answers.shift()!
    pushCut(lane, bytes, cuts)
    expect(lane.isWaiting).toBe(true)
    expect(witness.out).toEqual(frame('A', 'a'))
    lane.resume()
    expect(lane.isWaiting).toBe(true)
    lane.resume()
    expect(answers).toEqual([])
    expect(lane.isWaiting).toBe(false)
    expect(witness.out).toEqual(Buffer.concat([frame('A', 'a'), frame('A', 'b')]))
    expect(witness.frames).toEqual([])
  }
})
