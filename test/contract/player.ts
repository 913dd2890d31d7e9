/**
 * IO (files). Plays a transcript against the real relay: pushes what each side sends, answers the gateway's own
 * questions from the fixture, and keeps what each side gets.
 *
 * Everything happens at once and in order: nothing is awaited, so that a play is as quick as its bytes.
 */
import { relay } from '../../src/protocols/postgres/relay.ts'
import { calm, unhurried } from '../../src/protocols/postgres/sql/calm-question.ts'
import { lookText } from '../../src/protocols/postgres/sql/catalogue-look.ts'
import {
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
} from '../../src/protocols/postgres/sql/catalogue-query.ts'
import { idleAnswer } from './fixture.ts'
import { build, framed, framesOf, shown, wordsOf } from './frames.ts'
import { MemoryWire, type Recorded, recordedLine } from './memory.ts'
import { columns, fixture, type Stage, seen, stage } from './stage.ts'
import type { Lane, Step, Transcript } from './transcript.ts'

export interface PlayOptions {
  /** Cuts what one side sends into pieces. */
  readonly cut?: (bytes: Buffer) => Buffer[]
  /** Sees all that either side sends, in order; what it answers is sent. undefined: the client closes instead. */
  readonly change?: (bytes: Buffer, lane: 'C>' | 'U>') => Buffer | undefined
  /** The target answers none of the gateway's own questions while it says so. */
  readonly isMute?: () => boolean
  /** Called before each step that sends, and at the end. */
  readonly check?: (play: Play) => void
}

/** Texts of the gateway's own questions, by the names that transcripts use. */
const OWN: ReadonlyMap<string, string> = new Map<string, string>(
  [
    [NAMES_TEXT, 'names'] as const,
    [CATALOGUE_TEXT, 'catalogue'] as const,
    [lookText(seen), 'look'] as const,
  ].flatMap(([text, name]) => [
    [withoutNumbers(calm(text)), name],
    [withoutNumbers(unhurried(text)), name],
  ]),
).set(withoutNumbers(calm(IDLE_NAMES_TEXT, 'few')), 'idle names')

/** What was seen last stands in a look as numbers. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/[0-9]+/g, '0')
}

/** The question that a frame is; undefined for the client's own. */
function questionIn(frame: Buffer): string | undefined {
  return OWN.get(withoutNumbers(frame.toString('utf8', 5, frame.length - 1)))
}

export class Play {
  readonly client = new MemoryWire()
  readonly target = new MemoryWire()
  readonly steps: readonly Step[]
  /** Step that is played now. */
  at = 0
  /** Why the session ended, once it has. */
  ended: string | undefined
  readonly #stage: Stage
  readonly #options: PlayOptions
  #names: Record<string, unknown> | 'fail' = {}
  /** The next question meets a cancel that came too late. */
  #cancels = false
  /** Frames up to here have been looked at for questions of the gateway. */
  #answered = 0
  #status = 'I'
  /** Answered during the start, and no part of the transcript. */
  #startUp = 0
  #startDown = 0

  constructor(transcript: Transcript, options: PlayOptions = {}) {
    this.steps = transcript.steps
    this.#options = options
    if (transcript.start === 'fail') this.#names = 'fail'
    this.#stage = stage(transcript, this)
    const before = () => {
      if (this.#stage.recorder.pending) throw new Error('forwarded before it was recorded')
    }
    this.target.onWrite = before
    this.client.onWrite = before
    const session = relay(this.#stage.parts, this.#stage.shared)
    session.then((reason) => {
      this.ended = reason
    })
    this.#settle()
    this.#startUp = this.framesUp().length
    this.#startDown = this.framesDown().length
  }

  /** What an operator would be warned of; a bug stands here with where it was. */
  get warnings(): readonly string[] {
    return this.#stage.warnings
  }

  get signals(): readonly string[] {
    return this.#stage.signals
  }

  get events(): readonly Recorded[] {
    return this.#stage.recorder.events
  }

  /** Everything that was written to one side, whole. */
  bytes(side: 'client' | 'target'): Buffer {
    return Buffer.concat(this[side].written)
  }

  framesUp(): Buffer[] {
    return framesOf(this.bytes('target')).frames.slice(this.#startUp)
  }

  framesDown(): Buffer[] {
    return framesOf(this.bytes('client')).frames.slice(this.#startDown)
  }

  run(): this {
    let last: Buffer = Buffer.alloc(0)
    for (this.at = 0; this.at < this.steps.length; this.at++) {
      const step = this.steps[this.at]!
      if (step.type === 'names') this.#rename(step.answer)
      else if (step.type === 'reload') this.#stage.reload(step.policy)
      else if (step.lane === 'C>' || step.lane === 'U>') {
        this.#options.check?.(this)
        const side = step.lane === 'C>' ? 'up' : 'down'
        last = Buffer.concat(step.frames.map((frame) => sent(frame, side)))
        if (!this.#send(step.lane, last)) break
        if (step.frames.includes('Closed')) this[side === 'up' ? 'client' : 'target'].close()
        this.#settle()
      }
    }
    this.#options.check?.(this)
    return this
  }

  /** Both sides go away: what was begun must come to an end. */
  leave(): void {
    this.client.close()
    this.#settle()
    this.target.close()
    this.#settle()
  }

  #send(lane: 'C>' | 'U>', bytes: Buffer): boolean {
    const changed = this.#options.change === undefined ? bytes : this.#options.change(bytes, lane)
    if (changed === undefined) return false
    const wire = lane === 'C>' ? this.client : this.target
    if (lane === 'U>') this.#follow(changed)
    for (const piece of this.#options.cut?.(changed) ?? [changed]) {
      wire.receive(piece)
      this.#settle()
    }
    return true
  }

  /** The status that the target's own next ReadyForQuery would show. */
  #follow(bytes: Buffer): void {
    for (const frame of framesOf(bytes).frames) {
      if (frame[0] === 0x5a && frame.length === 6) this.#status = frame.toString('latin1', 5)
    }
  }

  #rename(answer: string): void {
    this.#cancels = answer === 'cancelled once'
    if (!this.#cancels) this.#names = answer === 'fail' ? 'fail' : JSON.parse(answer)
  }

  /** Lets out what is queued, answers questions, closes what was closed; until nothing moves any more. */
  #settle(): void {
    for (let moved = true; moved; ) {
      this.#stage.turn.flush()
      moved = this.#answer() || this.#close()
    }
  }

  #answer(): boolean {
    if (this.#options.isMute?.() === true) return false
    const { frames } = framesOf(this.bytes('target'))
    while (this.#answered < frames.length) {
      const asked = frames[this.#answered]!
      this.#answered += 1
      const question = questionIn(asked)
      if (question === undefined || this.target.isEnded) continue
      const answer = this.#reply(question)
      for (const piece of this.#options.cut?.(answer) ?? [answer]) this.target.receive(piece)
      return true
    }
    return false
  }

  #reply(question: string): Buffer {
    const ready = build(`Ready ${this.#status}`, 'down', columns)
    if (this.#status === 'E' || (question !== 'catalogue' && this.#names === 'fail')) {
      return Buffer.concat([build('Error 53200 "out of memory"', 'down', columns), ready])
    }
    if (this.#cancels) {
      this.#cancels = false
      return Buffer.concat([build('Error 57014 "cancelled"', 'down', columns), ready])
    }
    const names = { ...JSON.parse(fixture.names), ...(this.#names as object) }
    const answers: Readonly<Record<string, string>> = {
      names: JSON.stringify(names),
      'idle names': idleAnswer(names),
      look: JSON.stringify({ ...JSON.parse(fixture.look), names }),
      catalogue: fixture.catalogue,
    }
    const json = answers[question] ?? ''
    const value = Buffer.alloc(6)
    value.writeUInt16BE(1, 0)
    value.writeInt32BE(Buffer.byteLength(json), 2)
    return Buffer.concat([
      build('RowDescription answer:text', 'down', columns),
      framed('D', Buffer.concat([value, Buffer.from(json)])),
      build('CommandComplete "SELECT 1"', 'down', columns),
      ready,
    ])
  }

  #close(): boolean {
    const closing = [this.client, this.target].filter((wire) => wire.isEnded && !wire.isClosed)
    for (const wire of closing) wire.close()
    return closing.length > 0
  }
}

function sent(frame: string, side: 'up' | 'down'): Buffer {
  return frame === 'Closed' ? Buffer.alloc(0) : build(frame, side, columns)
}

/** What a line of a transcript says that a side gets, and what it got, alike where they agree. */
export function compare(play: Play, upTo: number): { wanted: string[]; got: string[] } {
  const wanted: string[] = []
  const got: string[] = []
  for (const lane of ['>U', '>C', '>R'] as const) {
    const expected = expectedOf(play, lane, upTo)
    if (lane === '>R' && expected.length === 0) continue
    const actual = actualOf(play, lane)
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const [wants, gets] = [expected[i], actual[i]]
      const agree = wants !== undefined && gets !== undefined && agrees(wants, gets, lane)
      wanted.push(`${lane} ${wants ?? 'nothing'}`)
      got.push(`${lane} ${agree ? wants : gets === undefined ? 'nothing' : display(gets)}`)
    }
  }
  return { wanted, got }
}

type Actual = Buffer | string

function display(actual: Actual): string {
  return typeof actual === 'string' ? actual : shown(actual)
}

function expectedOf(play: Play, lane: Lane, upTo: number): string[] {
  const expected: string[] = []
  let before: readonly string[] = []
  for (const step of play.steps.slice(0, upTo)) {
    if (step.type !== 'frames') continue
    if (step.lane === lane) {
      const own = step.frames.flatMap((one) => (one === 'same' ? before : [one]))
      expected.push(...own)
    }
    if (step.lane === 'C>' || step.lane === 'U>') before = step.frames
  }
  return expected
}

function actualOf(play: Play, lane: Lane): Actual[] {
  if (lane === '>R') return play.events.map(recordedLine).filter((one) => one !== 'own catalogue')
  const wire = lane === '>U' ? play.target : play.client
  const frames: Actual[] = lane === '>U' ? play.framesUp() : play.framesDown()
  const { rest } = framesOf(play.bytes(lane === '>U' ? 'target' : 'client'))
  return [
    ...frames,
    ...(rest.length > 0 ? [`rest ${rest.length}`] : []),
    ...(wire.isEnded ? ['Closed'] : []),
  ]
}

/** `Refused 42501 "part of its sentence"`, `Fatal 08P01`, `Failing Query`, `Own names`, or the very frame. */
function agrees(wants: string, gets: Actual, lane: Lane): boolean {
  if (typeof gets === 'string' || wants === 'Closed') return wants === gets
  const [name, first, second] = wordsOf(wants)
  const text = gets.toString('latin1')
  const kind = text[0]
  switch (name?.text) {
    case 'Refused':
      return (
        kind === 'E' &&
        text.includes(`\0C${first?.text}\0`) &&
        text.includes('{"sluice":') &&
        text.includes('VERROR\0') &&
        text.includes(second?.text ?? '')
      )
    case 'Hidden':
      return kind === first?.text && text.includes(`\0C${second?.text}\0`) && text.includes('****')
    case 'Failing':
      return text.includes('SLUICE REFUSED') && kind === (first?.text === 'Query' ? 'Q' : 'P')
    case 'Own':
      return questionIn(gets)?.endsWith(String(first?.text)) === true
    case 'Fatal':
      if (lane === '>C' && second === undefined) {
        return kind === 'E' && text.includes(`\0C${first?.text}\0`) && text.includes('VFATAL\0')
      }
  }
  return build(wants, lane === '>U' ? 'up' : 'down', columns).equals(gets)
}
