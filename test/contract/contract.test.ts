import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { framed, framesOf } from './frames.ts'
import { recordedBytes } from './memory.ts'
import { compare, Play, type PlayOptions } from './player.ts'
import { readTranscript, readTranscripts, type Transcript } from './transcript.ts'

const transcripts = readTranscripts(
  join(import.meta.dirname, 'postgres'),
  join(import.meta.dirname, 'regressions'),
)

beforeAll(() => loadParser())

/** Step by step what was wanted, and no bug on the way. */
function playsAsWritten(transcript: Transcript, options: PlayOptions = {}): void {
  const check = (play: Play) => {
    expect(play.warnings).toEqual([])
    const { wanted, got } = compare(play, play.at)
    expect(got).toEqual(wanted)
  }
  endsCleanly(new Play(transcript, { ...options, check }).run(), transcript)
}

/** What must hold of every play, however strange. */
function endsCleanly(play: Play, transcript: Transcript): void {
  play.leave()
  expect(play.warnings).toEqual([])
  expect([play.client.isEnded, play.target.isEnded]).toEqual([true, true])
  const ends = new Map<number, number>()
  play.events.forEach((one, at) => {
    if (one.event === 'action') ends.set(at + 1, 0)
    if (one.event === 'outcome') ends.set(one.action, (ends.get(one.action) ?? 9) + 1)
  })
  expect([...ends.values()].filter((count) => count !== 1)).toEqual([])
  for (const text of transcript.forbidden) expect(toBeRun(play)).not.toContain(text)
}

/** What reached the target, but Close: another type byte makes one of a text, and what it names is not run. */
function toBeRun(play: Play): string {
  const { frames, rest } = framesOf(play.bytes('target'))
  const others = frames.filter((frame) => frame[0] !== 0x43)
  return Buffer.concat([...others, rest]).toString('latin1')
}

function showsNoSecret(play: Play, transcript: Transcript): void {
  const down = play.bytes('client').toString('latin1')
  const recorded = recordedBytes(play.events)
  for (const secret of transcript.secrets) {
    expect(down).not.toContain(secret)
    expect(recorded).not.toContain(secret)
  }
}

function pieces(bytes: Buffer, sizes: () => number): Buffer[] {
  const cut: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + Math.max(1, sizes()))
    cut.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return cut
}

/** Positions in all that both sides send, in order. */
function sizeOf(transcript: Transcript): number {
  let size = 0
  const count = (bytes: Buffer) => {
    size += bytes.length
    return bytes
  }
  new Play(transcript, { change: count }).run().leave()
  return size
}

/** Cuts everything off behind `length` bytes. */
function truncated(length: number): PlayOptions {
  let left = length
  let over = false
  return {
    change: (bytes) => {
      if (over) return undefined
      over = bytes.length > left
      const kept = bytes.subarray(0, left)
      left -= kept.length
      return Buffer.from(kept)
    },
  }
}

/** Puts another byte at one place; tells on which lane. */
function changed(place: number, value: number): PlayOptions & { lane: string | undefined } {
  let at = 0
  const options: PlayOptions & { lane: string | undefined } = {
    lane: undefined,
    change: (bytes, lane) => {
      const own = Buffer.from(bytes)
      if (place >= at && place < at + own.length) {
        own[place - at] = value
        options.lane = lane
      }
      at += own.length
      return own
    },
  }
  return options
}

/** Of an error's field these letters say that it holds a name; with a violated constraint they are believed. */
const NAMED = Buffer.from('stcdn')

/**
 * The target is believed in what it says its rows are, and which fields of an error are names: only what it sends as rows
 * and errors may change.
 */
function isValue(transcript: Transcript, place: number, value: number): boolean {
  let at = 0
  let isInside = false
  const change = (bytes: Buffer, lane: 'C>' | 'U>') => {
    const within = place - at
    at += bytes.length
    for (let from = 0; lane === 'U>' && from + 5 <= bytes.length; ) {
      const size = bytes.readInt32BE(from + 1) + 1
      const valued = 'DdEN'.includes(String.fromCharCode(bytes[from]!))
      const isText = /[a-z0-9@.-]/i.test(String.fromCharCode(bytes[within] ?? 0))
      const isNamed = bytes[within - 1] === 0 && NAMED.includes(value)
      if (valued && isText && !isNamed && within >= from + 5 && within < from + size)
        isInside = true
      from += Math.max(5, size)
    }
    return bytes
  }
  new Play(transcript, { change }).run().leave()
  return isInside
}

/** What a target may say between any two messages. */
const BETWEEN = Buffer.concat([
  framed('N', Buffer.from('SNOTICE\0VNOTICE\0C00000\0Mbetween\0\0')),
  framed('S', Buffer.from('TimeZone\0UTC\0')),
  framed('A', Buffer.from('\0\0\x12\x67jobs\0news\0', 'latin1')),
])

/** The same talk with these in front of every message of the target, and behind the last. */
function interrupted(transcript: Transcript): Play {
  const change = (bytes: Buffer, lane: 'C>' | 'U>') => {
    if (lane === 'C>') return bytes
    const { frames, rest } = framesOf(bytes)
    return Buffer.concat([...frames.flatMap((frame) => [BETWEEN, frame]), BETWEEN, rest])
  }
  return new Play(transcript, { change }).run()
}

function says(transcript: Transcript): boolean {
  return transcript.steps.some((step) => step.type === 'frames' && step.lane === 'U>')
}

/** All frames but those, as text of those that are no such message. */
function withoutAsynchronous(frames: readonly Buffer[]): string[] {
  const isOther = (frame: Buffer) => !'NSA'.includes(String.fromCharCode(frame[0]!))
  return frames.filter(isOther).map((frame) => frame.toString('latin1'))
}

const RUNS = Number(process.env.SLUICE_FUZZ_RUNS) || 25

describe.each(transcripts)('$file: $title', (transcript) => {
  test('goes as written', () => {
    playsAsWritten(transcript)
  })

  test('goes as written, one byte at a time', () => {
    playsAsWritten(transcript, { cut: (bytes) => pieces(bytes, () => 1) })
  })

  test('goes as written, however the bytes are cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(sizes, (list) => {
        let next = 0
        playsAsWritten(transcript, {
          cut: (bytes) => pieces(bytes, () => list[next++ % list.length]!),
        })
      }),
      { numRuns: RUNS },
    )
  })

  test('ends cleanly wherever it is cut off', () => {
    const size = sizeOf(transcript)
    const step = Math.max(1, Math.ceil(size / 2000))
    for (let length = 0; length < size; length += step) {
      const play = new Play(transcript, truncated(length)).run()
      endsCleanly(play, transcript)
      showsNoSecret(play, transcript)
    }
  })

  test('goes as written with notices, parameters and notifications between any two messages', () => {
    const [play, plain] = [interrupted(transcript), new Play(transcript).run()]
    expect(withoutAsynchronous(play.framesDown())).toEqual(withoutAsynchronous(plain.framesDown()))
    expect(play.framesUp().map(String)).toEqual(plain.framesUp().map(String))
    const kinds = play.framesDown().map((frame) => String.fromCharCode(frame[0]!))
    const own = plain.framesDown().filter((frame) => 'NSA'.includes(String.fromCharCode(frame[0]!)))
    const more = kinds.filter((kind) => 'NSA'.includes(kind)).length - own.length
    // All of them arrive, in threes, unless the session ended among them.
    if (play.ended === undefined)
      expect([more % 3, more > 0 || !says(transcript)]).toEqual([0, true])
    endsCleanly(play, transcript)
    showsNoSecret(play, transcript)
  })

  test('shows and forwards nothing more with a byte changed', () => {
    const size = sizeOf(transcript)
    const places = fc.integer({ min: 0, max: size - 1 })
    fc.assert(
      fc.property(places, fc.integer({ min: 0, max: 255 }), (place, value) => {
        const options = changed(place, value)
        const play = new Play(transcript, options).run()
        endsCleanly(play, transcript)
        if (options.lane === 'C>' || isValue(transcript, place, value))
          showsNoSecret(play, transcript)
      }),
      { numRuns: RUNS * 4 },
    )
  })
})

test('a client is welcome before the first question is answered, and its text waits for the answer', () => {
  const wire = `# A client that is quick.
C> Query "SELECT name FROM customers"
C> Query "SELECT 2"
`
  let step = 0
  const seen: string[] = []
  const kinds = (play: Play, side: 'client' | 'target') =>
    framesOf(play.bytes(side))
      .frames.map((frame) => String.fromCharCode(frame[0]!))
      .join('')
  const check = (play: Play) => {
    step += 1
    const asked = play.bytes('target').includes('SELECT name FROM customers')
    seen.push(`${kinds(play, 'client')} ${kinds(play, 'target')} ${asked}`)
  }
  // Mute until the second text is sent.
  const play = new Play(readTranscript('early.wire', wire), { isMute: () => step < 2, check }).run()
  expect(play.warnings).toEqual([])
  expect(seen).toEqual(['RKZ Q false', 'RKZ Q false', 'RKZ QQQ true'])
  play.leave()
})
