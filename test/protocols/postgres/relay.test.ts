/** A relay whose target, and whose cancels, wait. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { GatewayError } from '../../../src/base/errors.ts'
import { build, framesOf } from '../../contract/frames.ts'
import { recordedLine } from '../../contract/memory.ts'
import { columns, SHOP_KEY } from '../../contract/stage.ts'
import {
  answerNames,
  answers,
  begin,
  cancel,
  cancels,
  client,
  open,
  reset,
  says,
  set,
  setStage,
  target,
  tick,
  up,
  waitsForNames,
} from './relay-room.ts'

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
    setStage()
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
    setStage()
    open(30)
    says('Query "SELECT 1"')
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(cancels.length).toBe(0)
    answerNames()
    await isTooLong('SELECT 1')
  })
})

describe('a session that ends because its answer cannot be recorded', () => {
  const LINES = [
    'RowDescription a:text',
    `DataRow "${'x'.repeat(200)}"`,
    'CommandComplete "SELECT 1"',
  ]
  const ANSWER = Buffer.concat([...LINES, 'Ready I'].map((line) => build(line, 'down', columns)))
  afterEach(() => {
    vi.restoreAllMocks()
    set.turn.flush()
  })

  /** So much of it has gone down before, and the rest comes by so many reads; whether the client is told why. */
  const isTold = (sent: number, reads = 1) => {
    begin()
    says('Query "SELECT 1"')
    target.receive(ANSWER.subarray(0, sent))
    const room = vi.spyOn(set.recorder, 'flush').mockImplementation(() => {
      throw new Error('no room')
    })
    const middle = reads === 1 ? sent : ANSWER.length - 6
    if (reads > 1) target.receive(ANSWER.subarray(sent, middle))
    target.receive(ANSWER.subarray(middle))
    expect(set.turn.isStalled).toBe(true)
    set.parts.live.end(new GatewayError('GW_RECORDING_LOST', 'spool'), 'now')
    room.mockRestore()
    set.turn.flush()
    return Buffer.concat(client.written).toString('latin1').includes('C58030')
  }

  test.each([0, build(LINES[0]!, 'down', columns).length])(
    'is told so between two messages, behind %s bytes',
    (sent) => {
      expect(isTold(sent)).toBe(true)
    },
  )

  test.each([1, 2])(
    'is told nothing that would be read as the rest of a row, which came by %s reads',
    (reads) => {
      expect(isTold(150, reads)).toBe(false)
    },
  )

  test('is told so where all of it had gone down', () => {
    begin()
    says('Query "SELECT 1"')
    target.receive(ANSWER.subarray(0, 150))
    target.receive(ANSWER.subarray(150))
    set.parts.live.end(new GatewayError('GW_RECORDING_LOST', 'spool'), 'now')
    set.turn.flush()
    expect(Buffer.concat(client.written).toString('latin1')).toContain('C58030')
  })
})

test('a target that answers our own question with a readiness of two states is believed none', () => {
  begin()
  waitsForNames('SELECT 1')
  answers('Raw Z "II"')
  expect(Buffer.concat(client.written).toString('latin1')).toContain('C08P01')
  expect([client.isEnded, up()]).toEqual([true, []])
})
