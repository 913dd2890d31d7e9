/** A relay in memory whose target answers when a test says so, and whose cancels take as long as it says. */
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { GatewayError } from '../../../src/base/errors.ts'
import { relay } from '../../../src/protocols/postgres/relay.ts'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { idleAnswer } from '../../contract/fixture.ts'
import { build, framed, framesOf } from '../../contract/frames.ts'
import { MemoryWire, recordedLine } from '../../contract/memory.ts'
import { columns, fixture, SHOP_KEY, type Stage, stage } from '../../contract/stage.ts'
import { readTranscript } from '../../contract/transcript.ts'

beforeAll(loadParser)

let client: MemoryWire
let target: MemoryWire
let set: Stage
/** Each cancel that goes to the target waits here until it is let through. */
let cancels: (() => void)[]

beforeEach(() => {
  client = new MemoryWire()
  target = new MemoryWire()
  cancels = []
})
afterEach(() => {
  client.close()
  target.close()
})

function begin(statementTimeoutMs?: number): void {
  set = stage(readTranscript('relay', '# Relay'), { client, target })
  open(statementTimeoutMs)
  answerNames()
  up()
}

function open(statementTimeoutMs?: number): void {
  const { grant } = set.parts
  const upstream = {
    ...set.parts.upstream,
    parameters: new Map([['integer_datetimes', 'on']]),
    cancel: () => new Promise<void>((resolve) => cancels.push(resolve)),
  }
  const connection = { ...grant.connection, statementTimeoutMs }
  void relay({ ...set.parts, upstream, grant: { ...grant, connection } }, set.shared)
  set.turn.flush()
}

/** What has gone up since the last look, as text. */
let seen = 0
function up(): string[] {
  set.turn.flush()
  const { frames } = framesOf(Buffer.concat(target.written))
  const fresh = frames.filter((_, at) => at >= seen).map((frame) => frame.toString('latin1', 5))
  seen = frames.length
  return fresh.map((text) => text.replace('\0', ''))
}
beforeEach(() => {
  seen = 0
})

function says(...lines: readonly string[]): void {
  client.receive(Buffer.concat(lines.map((line) => build(line, 'up', columns))))
  set.turn.flush()
}
function answers(...lines: readonly string[]): void {
  target.receive(Buffer.concat(lines.map((line) => build(line, 'down', columns))))
  set.turn.flush()
}

/** To the question that the gateway asks about names. */
function answerNames(): void {
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
function cancel(): { went: boolean } {
  const { frames } = framesOf(Buffer.concat(client.written))
  const key = frames.find((frame) => frame[0] === 0x4b)!
  const state = { went: false }
  void set.parts.live.cancel(key.readInt32BE(5), key.subarray(9))!.then(() => {
    state.went = true
  })
  return state
}

function reset(): void {
  client.isClosed = true
  client.sink!.closed(new Error('ECONNRESET'))
  set.turn.flush()
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5))

/** A statement whose turn comes only when the gateway knows what names mean now. */
function waitsForNames(text: string): void {
  says('Query "SET search_path = public"')
  answers('CommandComplete "SET"', 'Ready I')
  up()
  says(`Query "${text}"`)
  expect(up().join()).not.toContain(text)
}

describe("a client's cancel", () => {
  test('of what waits behind a question of ours is told that it went only when it went', async () => {
    begin()
    waitsForNames('SELECT 1')
    const asked = cancel()
    await tick()
    expect([asked.went, cancels.length]).toEqual([false, 0])
    answerNames()
    expect(up().at(-1)).toBe('SELECT 1')
    await tick()
    expect([asked.went, cancels.length]).toEqual([false, 1])
    cancels[0]!()
    await tick()
    expect(asked.went).toBe(true)
    expect(set.recorder.events.map(recordedLine)).toContain('cancel ')
  })

  test('that finds nothing in the end hits nothing, and is told so', async () => {
    begin()
    waitsForNames('DROP TABLE customers')
    const asked = cancel()
    await tick()
    expect(asked.went).toBe(false)
    answerNames()
    await tick()
    expect([asked.went, cancels.length]).toEqual([true, 0])
    says('Query "SELECT 2"')
    expect(up()).toEqual(['SELECT 2'])
  })

  test('several of which wait become one', async () => {
    begin()
    waitsForNames('SELECT 1')
    const all = [cancel(), cancel(), cancel()]
    answerNames()
    await tick()
    expect(cancels.length).toBe(1)
    cancels[0]!()
    await tick()
    expect(all.map(({ went }) => went)).toEqual([true, true, true])
  })

  test('waits no longer than its session lives', async () => {
    begin()
    waitsForNames('SELECT 1')
    const asked = cancel()
    reset()
    set.turn.flush()
    await tick()
    expect(asked.went).toBe(true)
  })

  test('of an idle session finds nothing at once', async () => {
    begin()
    const asked = cancel()
    await tick()
    expect([asked.went, cancels.length]).toEqual([true, 0])
  })
})

describe('the cancel of what ran too long', () => {
  test('is let through before anything follows that it could hit instead', async () => {
    begin(30)
    says('Query "SELECT 1"')
    expect(up()).toEqual(['SELECT 1'])
    while (cancels.length === 0) await tick()
    // It came to its end while the cancel was on its way.
    answers('RowDescription a:int4', 'DataRow "1"', 'CommandComplete "SELECT 1"', 'Ready I')
    says('Query "SELECT 2"')
    await tick()
    expect(up()).toEqual([])
    cancels[0]!()
    await tick()
    expect(up()).toEqual(['SELECT 2'])
  })

  test('holds what the client sends, not what the target answers', async () => {
    begin(30)
    says('Query "SELECT 1"')
    while (cancels.length === 0) await tick()
    says('Query "SELECT 2"', 'Query "SELECT 3"')
    answers('RowDescription a:int4', 'Error 57014 "canceling statement"', 'Ready I')
    const down = Buffer.concat(client.written).toString('latin1')
    expect(down).toContain('57014')
    expect(up()).toEqual(['SELECT 1'])
    cancels[0]!()
    await tick()
    expect(up()).toEqual(['SELECT 2', 'SELECT 3'])
  })
})

describe('a client that leaves while its statement waits', () => {
  afterEach(() => vi.useRealTimers())

  test('is read meanwhile, as far as can be kept', () => {
    begin()
    waitsForNames('SELECT 1')
    expect(client.isPaused).toBe(false)
    for (let round = 0; round < 10; round++) says(`Query "${'x'.repeat(10_000)}"`)
    expect(client.isPaused).toBe(true)
    answerNames()
    expect(client.isPaused).toBe(false)
  })

  test('in order has it run', () => {
    begin()
    waitsForNames('SELECT 1')
    // A socket closes its other half by itself.
    client.close()
    expect(target.isEnded).toBe(false)
    answerNames()
    expect(up().at(-1)).toBe('SELECT 1')
    expect(target.isEnded).toBe(true)
  })

  test('by a reset does not', () => {
    begin()
    waitsForNames('SELECT 1')
    reset()
    expect(target.isEnded).toBe(true)
    expect(up()).not.toContain('SELECT 1')
  })

  test('is not held by a target that answers nothing', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    waitsForNames('SELECT 1')
    client.close()
    vi.advanceTimersByTime(1900)
    expect(target.isEnded).toBe(false)
    vi.advanceTimersByTime(200)
    set.turn.flush()
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
    expect(up()).not.toContain('SELECT 1')
  })
})

describe('a client that has said its last and reads on', () => {
  afterEach(() => vi.useRealTimers())
  const ROWS = ['RowDescription a:int4', 'DataRow "1"', 'CommandComplete "SELECT 1"', 'Ready I']
  const down = () => Buffer.concat(client.written).toString('latin1')
  const outcomes = () =>
    set.recorder.events.map(recordedLine).filter((line) => line.startsWith('outcome'))

  test('gets what it has asked for, behind which the target sees the end', () => {
    begin()
    says('Query "SELECT 1"')
    client.sink!.end()
    set.turn.flush()
    expect([client.isEnded, target.isEnded]).toEqual([false, true])
    answers(...ROWS)
    expect(down()).toContain('SELECT 1\0Z')
    expect(client.isEnded).toBe(true)
    expect(outcomes()).toEqual(['outcome ok'])
  })

  test('by Terminate too, which goes up behind the statement', () => {
    begin()
    says('Query "SELECT 1"', 'Terminate')
    expect(framesOf(Buffer.concat(target.written)).frames.at(-1)).toEqual(
      framed('X', Buffer.alloc(0)),
    )
    expect([client.isEnded, target.isEnded]).toEqual([false, true])
    answers(...ROWS)
    expect(down()).toContain('SELECT 1\0Z')
    expect([client.isEnded, outcomes()]).toEqual([true, ['outcome ok']])
  })

  test('has run what waits, however long that takes', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    waitsForNames('SELECT 1')
    client.sink!.end()
    vi.advanceTimersByTime(60_000)
    expect([client.isEnded, target.isEnded]).toEqual([false, false])
    answerNames()
    expect(up().at(-1)).toBe('SELECT 1')
    answers(...ROWS)
    expect(down()).toContain('SELECT 1\0Z')
  })

  test('is found out where it does not: it is told what it knows, ever more seldom', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    says('Query "SELECT 1"')
    const before = down().length
    client.sink!.end()
    vi.advanceTimersByTime(60_000)
    set.turn.flush()
    const told = down().substring(before).split('integer_datetimes').length - 1
    expect(told).toBeGreaterThan(30)
    expect(told).toBeLessThan(40)
    reset()
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
    expect(outcomes()).toEqual(['outcome cut'])
  })

  test('is waited for while it takes what is left, and not when its session is ended', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    const destroyed = vi.spyOn(client, 'destroy')
    says('Query "SELECT 1"')
    client.sink!.end()
    client.heldBytes = 100_000
    answers(...ROWS)
    for (let round = 0; round < 5; round++) {
      client.heldBytes -= 1000
      vi.advanceTimersByTime(2000)
    }
    expect(destroyed).not.toHaveBeenCalled()
    set.parts.live.end(new GatewayError('GW_SESSION_EXPIRED', 'expired'), 'now')
    expect(destroyed).toHaveBeenCalled()
  })

  test('and one that takes nothing any more is not', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    const destroyed = vi.spyOn(client, 'destroy')
    says('Query "SELECT 1"')
    client.sink!.end()
    client.heldBytes = 100_000
    answers(...ROWS)
    vi.advanceTimersByTime(4100)
    expect(destroyed).toHaveBeenCalled()
  })
})

describe('a client that is not read, because the target takes nothing', () => {
  beforeEach(() => {
    begin()
    target.isFull = true
    target.unsentBytes = 200_000
    says('Query "SELECT 1"')
    expect(client.isPaused).toBe(true)
  })
  const look = (count: number, hasLeft: boolean) => {
    for (let at = 0; at < count; at++) client.sink!.unread!(hasLeft)
    set.turn.flush()
  }

  test('is told what it knows, whereby its kernel says that it has left', () => {
    const before = client.written.length
    look(10, false)
    expect(client.written.length).toBe(before)
    look(1, false)
    const said = framesOf(Buffer.concat(client.written.splice(before))).frames
    expect(said.map((frame) => frame.toString('latin1', 5))).toEqual(['integer_datetimes\0on\0'])
    expect(client.isEnded).toBe(false)
  })

  test('is told nothing in the middle of a row, and nothing when it does not read itself', () => {
    const before = client.written.length
    client.isFull = true
    look(11, false)
    client.isFull = false
    expect(client.written.length).toBe(before)
    const row = build(`DataRow "${'x'.repeat(100)}"`, 'down', columns)
    answers('RowDescription a:text')
    target.receive(row.subarray(0, 50))
    set.turn.flush()
    const described = client.written.length
    look(11, false)
    expect(client.written.length).toBe(described)
  })

  test('loses its session when it has left', () => {
    look(10, true)
    expect([client.isEnded, target.isEnded]).toEqual([false, false])
    look(1, true)
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
  })

  test('keeps it while something of it is taken', () => {
    for (let round = 0; round < 40; round++) {
      look(1, true)
      target.unsentBytes -= round % 5 === 0 ? 4096 : 0
    }
    expect([client.isEnded, target.isEnded]).toEqual([false, false])
    target.isFull = false
    target.sink!.drained()
    expect(client.isPaused).toBe(false)
  })
})

test('what a session holds is what waits for either side, cut messages and the record of its result', () => {
  begin()
  const { live } = set.parts
  const before = live.heldBytes()
  client.heldBytes = 1000
  target.heldBytes = 200
  expect(live.heldBytes() - before).toBe(1200)
  says('Query "SELECT 1"')
  answers('RowDescription a:text')
  const row = build(`DataRow "${'x'.repeat(5000)}"`, 'down', columns)
  target.receive(row.subarray(0, 4000))
  set.turn.flush()
  expect(live.heldBytes() - before).toBeGreaterThanOrEqual(1200 + 4000)
})

describe('the limit of a statement holds', () => {
  const isTooLong = async (text: string) => {
    expect(up().at(-1)).toBe(text)
    const before = cancels.length
    await expect.poll(() => cancels.length, { interval: 5 }).toBe(before + 1)
  }

  test('for what waited behind the cancel of another', async () => {
    begin(30)
    says('Query "SELECT 1"')
    await isTooLong('SELECT 1')
    answers('RowDescription a:int4', 'DataRow "1"', 'CommandComplete "SELECT 1"', 'Ready I')
    says('Query "SELECT 2"')
    // Longer than between two looks, at which nothing runs.
    await new Promise((resolve) => setTimeout(resolve, 60))
    cancels[0]!()
    await tick()
    await isTooLong('SELECT 2')
  })

  test('for what waited for a look of another session at the catalogue', async () => {
    set = stage(readTranscript('relay', '# Relay'), { client, target })
    const { catalogues } = set.shared
    const key = SHOP_KEY
    const known = catalogues.get(key)!
    catalogues.stale(key)
    const looked = catalogues.look(key)
    open(30)
    says('Query "SELECT 1"')
    expect(up()).toEqual([])
    catalogues.put(key, { ...known, mark: catalogues.mark(key) })
    looked()
    expect(up().join()).toContain('current_schemas')
    answerNames()
    await isTooLong('SELECT 1')
  })

  test('and counts nothing that the gateway asks before it', async () => {
    set = stage(readTranscript('relay', '# Relay'), { client, target })
    open(30)
    says('Query "SELECT 1"')
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(cancels.length).toBe(0)
    answerNames()
    await isTooLong('SELECT 1')
  })
})
