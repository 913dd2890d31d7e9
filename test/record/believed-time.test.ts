/** The time by which retention deletes, with clocks that lie and gateways that stood still. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { BelievedTime } from '../../src/record/believed-time.ts'

const DAY = 86_400_000_000
const NOW = 1_790_000_000_000_000
const folder = mkdtempSync(join(tmpdir(), 'sluice-believed-'))
const path = join(folder, 'believed-time')

afterEach(() => rmSync(path, { recursive: true, force: true }))

/** A machine whose clock may be set. */
class Machine {
  said: string[] = []
  #ran = 0
  wall: number

  constructor(wall: number) {
    this.wall = wall
  }

  start(former?: number): BelievedTime {
    return new BelievedTime({
      ...{ path, former, wall: () => this.wall, elapsed: () => this.#ran },
      say: (_, text) => this.said.push(text),
    })
  }

  pass(days: number): void {
    this.#ran += days * DAY
    this.wall += days * DAY
  }
}

test('with a clock that is right it is the clock, over starts too', () => {
  const machine = new Machine(NOW)
  const time = machine.start()
  for (let hour = 0; hour < 48; hour++) {
    machine.pass(1 / 24)
    expect(time.now()).toBe(machine.wall)
  }
  expect(machine.start(1).now()).toBe(machine.wall)
  expect(machine.said).toEqual([])
})

test('a clock that is set ten years ahead deletes four days in a day, and is named once', () => {
  const machine = new Machine(NOW)
  machine.start().now()
  machine.wall += 3650 * DAY
  for (const time of [machine.start(), machine.start(), machine.start()])
    expect(time.now()).toBe(NOW)
  const time = machine.start()
  machine.pass(1)
  expect(time.now()).toBe(NOW + 4 * DAY)
  expect(time.now()).toBe(NOW + 4 * DAY)
  expect(machine.said.length).toBe(4)
  expect(machine.said[0]).toContain('3650 days ahead')
})

test('what nobody kept is the newest head of former runs', () => {
  const machine = new Machine(NOW + 3650 * DAY)
  expect(machine.start(NOW).now()).toBe(NOW)
  // What is kept counts for more: heads of a run whose clock was wrong are from the future.
  expect(machine.start(NOW + 3650 * DAY).now()).toBe(NOW)
  writeFileSync(path, 'nothing')
  expect(machine.start(NOW - DAY).now()).toBe(NOW - DAY)
})

test('a gateway that stood still for a month has caught up in a third of it', () => {
  const machine = new Machine(NOW)
  machine.start().now()
  machine.wall += 30 * DAY
  const time = machine.start()
  machine.pass(9)
  expect(time.now()).toBeLessThan(machine.wall)
  machine.pass(1.01)
  expect(time.now()).toBe(machine.wall)
})

test('a clock that is set back counts, and costs nothing when it is right again', () => {
  const machine = new Machine(NOW)
  const time = machine.start()
  expect(time.now()).toBe(NOW)
  machine.wall -= 3650 * DAY
  expect(time.now()).toBe(NOW - 3650 * DAY)
  machine.wall += 3650 * DAY
  expect(machine.start().now()).toBe(NOW)
})

test('where it cannot be kept nothing may be deleted', () => {
  const time = new BelievedTime({
    ...{ path: join(folder, 'not-there', 'x'), former: NOW, wall: () => NOW, elapsed: () => 0 },
    say: () => {},
  })
  expect(() => time.now()).toThrow()
})
