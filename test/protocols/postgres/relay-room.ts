/** A relay in memory whose target answers when a test says so, and whose cancels take as long as it says. For tests of one file each. */
import { afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { relay } from '../../../src/protocols/postgres/relay.ts'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { idleAnswer } from '../../contract/fixture.ts'
import { build, framed, framesOf } from '../../contract/frames.ts'
import { MemoryWire } from '../../contract/memory.ts'
import { columns, fixture, type Stage, stage } from '../../contract/stage.ts'
import { readTranscript } from '../../contract/transcript.ts'

beforeAll(loadParser)

export let client: MemoryWire
export let target: MemoryWire
export let set: Stage
/** Why the relay that was opened last has ended. */
export let ended: Promise<string>
/** Each cancel that goes to the target waits here until it is let through. */
export let cancels: (() => void)[]

beforeEach(() => {
  client = new MemoryWire()
  target = new MemoryWire()
  cancels = []
})
afterEach(() => {
  client.close()
  target.close()
})

export function setStage(): void {
  set = stage(readTranscript('relay', '# Relay'), { client, target })
}

export function begin(statementTimeoutMs?: number): void {
  setStage()
  open(statementTimeoutMs)
  answerNames()
  up()
}

export function open(statementTimeoutMs?: number): void {
  const { grant } = set.parts
  const upstream = {
    ...set.parts.upstream,
    parameters: new Map([['integer_datetimes', 'on']]),
    cancel: () => new Promise<void>((resolve) => cancels.push(resolve)),
  }
  const connection = { ...grant.connection, statementTimeoutMs }
  ended = relay({ ...set.parts, upstream, grant: { ...grant, connection } }, set.shared)
  set.turn.flush()
}

/** What has gone up since the last look, as text. */
let seen = 0
export function up(): string[] {
  set.turn.flush()
  const { frames } = framesOf(Buffer.concat(target.written))
  const fresh = frames.filter((_, at) => at >= seen).map((frame) => frame.toString('latin1', 5))
  seen = frames.length
  return fresh.map((text) => text.replace('\0', ''))
}
beforeEach(() => {
  seen = 0
})

export function says(...lines: readonly string[]): void {
  client.receive(Buffer.concat(lines.map((line) => build(line, 'up', columns))))
  set.turn.flush()
}
export function answers(...lines: readonly string[]): void {
  target.receive(Buffer.concat(lines.map((line) => build(line, 'down', columns))))
  set.turn.flush()
}

/** To the question that the gateway asks about names. */
export function answerNames(): void {
  const names = idleAnswer(JSON.parse(fixture.names))
  const value = Buffer.alloc(6)
  value.writeUInt16BE(1, 0)
  value.writeInt32BE(Buffer.byteLength(names), 2)
  target.receive(
    Buffer.concat([
      build('RowDescription answer:text', 'down', columns),
      framed('D', Buffer.concat([value, Buffer.from(names)])),
      build('CommandComplete "SELECT 1"', 'down', columns),
      build('Ready I', 'down', columns),
    ]),
  )
  set.turn.flush()
}

/** As the session's own client asks for it, with the key of its welcome; whether it was told that it went. */
export function cancel(): { went: boolean } {
  const { frames } = framesOf(Buffer.concat(client.written))
  const key = frames.find((frame) => frame[0] === 0x4b)!
  const state = { went: false }
  void set.parts.live.cancel(key.readInt32BE(5), key.subarray(9))!.then(() => {
    state.went = true
  })
  return state
}

export function reset(): void {
  client.isClosed = true
  client.sink!.closed(new Error('ECONNRESET'))
  set.turn.flush()
}

export const tick = () => new Promise((resolve) => setTimeout(resolve, 5))

/** A statement whose turn comes only when the gateway knows what names mean now. */
export function waitsForNames(text: string): void {
  says('Query "SET search_path = public"')
  answers('CommandComplete "SET"', 'Ready I')
  up()
  says(`Query "${text}"`)
  expect(up().join()).not.toContain(text)
}
