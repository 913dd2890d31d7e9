import { describe, expect, test } from 'vitest'
import { ANSWER_DELAY_MS, Lockout } from '../../src/identify/lockout.ts'

const limits = { attemptsMax: 3, windowMs: 1000, entriesMax: 4 }

describe('wrong attempts', () => {
  test('lock the id after the allowed number, and not another id', () => {
    const lockout = new Lockout(limits)
    const locked = [0, 1, 2, 3, 4].map((at) => lockout.wrong('A', '10.0.0.1', at).locked)
    expect(locked).toEqual([false, false, false, true, true])
    expect(lockout.wrong('B', '10.0.0.1', 5).locked).toBe(false)
  })

  test('are forgotten when the window has passed, and trying on does not prolong a lock', () => {
    const lockout = new Lockout(limits)
    for (const at of [0, 1, 2]) lockout.wrong('A', 'x', at)
    expect(lockout.wrong('A', 'x', 900).locked).toBe(true)
    expect(lockout.wrong('A', 'x', 1003).locked).toBe(false)
  })

  test('delay an IPv6 host that comes from another address each time', () => {
    const lockout = new Lockout()
    const delays = Array.from(
      { length: 120 },
      (_, at) => lockout.wrong(`id${at}`, `2001:db8::${at}`, at).delayMs,
    )
    expect(delays.at(-1)).toBe(3000)
    expect(lockout.wrong('other', '2001:db8:0:1::1', 121).delayMs).toBe(ANSWER_DELAY_MS)
  })

  test('delay an address more and more, but never lock it', () => {
    const lockout = new Lockout()
    const delays = Array.from({ length: 200 }, (_, at) => lockout.wrong(`id${at}`, 'x', at).delayMs)
    expect(delays[0]).toBe(ANSWER_DELAY_MS)
    expect(delays[19]).toBe(ANSWER_DELAY_MS)
    expect(delays[50]).toBe(1000)
    expect(delays[199]).toBe(3000)
    expect(lockout.wrong('other', 'y', 201).delayMs).toBe(ANSWER_DELAY_MS)
  })

  test('hold bounded memory: the oldest entry gives way, one in use does not', () => {
    const lockout = new Lockout(limits)
    for (const at of [0, 1, 2]) lockout.wrong('A', 'x', at)
    for (let other = 0; other < 20; other++) {
      lockout.wrong(`other${other}`, 'x', 10)
      if (other % 2 === 0) expect(lockout.wrong('A', 'x', 10).locked).toBe(true)
    }
  })
})
