import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  Pulse,
  type PulseStep,
  type ThreadSample,
  threadSample,
} from '../../src/record/engine-pulse.ts'

/** A main thread, of which each second is told how much of it ran and how much waited for a core. */
class Thread {
  readonly pulse = new Pulse()
  readonly steps: PulseStep[] = []
  #ranMs = 0
  #queuedMs = 0
  answers = true
  isCounted = true

  seconds(count: number, state: string, { ran = 0, queued = 0 } = {}): this {
    for (let at = 0; at < count; at++) {
      this.#ranMs += ran
      this.#queuedMs += queued
      const queuedMs = this.isCounted ? this.#queuedMs : undefined
      const step = this.pulse.look({ state, ranMs: this.#ranMs, queuedMs })
      this.steps.push(step)
      if (step === 'ask' && this.answers) this.pulse.answered()
    }
    return this
  }

  count(step: PulseStep): number {
    return this.steps.filter((one) => one === step).length
  }
}

function ready(): Thread {
  const thread = new Thread()
  thread.pulse.answered()
  return thread
}

describe('an engine that answers', () => {
  test('is asked every three seconds and never doubted', () => {
    const thread = ready().seconds(60, 'S')
    expect(thread.count('ask')).toBe(20)
    expect(thread.count('doubt') + thread.count('end')).toBe(0)
  })
})

describe.each([
  ['is stopped', 'T', {}],
  ['sleeps for ever', 'S', {}],
  ['runs for ever', 'R', { ran: 1000 }],
])('an engine that %s', (_, state, times) => {
  test('is doubted first, and given up within fifteen seconds', () => {
    const thread = ready()
    thread.answers = false
    thread.seconds(15, state, times)
    const { steps } = thread
    expect(steps.indexOf('ask')).toBeGreaterThanOrEqual(0)
    expect(steps.indexOf('doubt')).toBeGreaterThan(steps.indexOf('ask'))
    expect(steps.indexOf('end')).toBeGreaterThan(steps.indexOf('doubt'))
  })
})

describe.each([
  ['waits for a core', 'R', {}],
  ['gets a hundredth of a core', 'R', { ran: 10, queued: 990 }],
  ['had to wait for each turn', 'S', { ran: 5, queued: 995 }],
  ['waits for the disk', 'D', {}],
])('an engine that %s', (_, state, times) => {
  test('is waited for, and given up by nobody', () => {
    const thread = ready()
    thread.answers = false
    expect(thread.seconds(600, state, times).count('end')).toBe(0)
    thread.pulse.answered()
    expect(thread.seconds(2, 'S').steps.at(-1)).toBe('wait')
  })
})

test('a late answer ends the doubt', () => {
  const thread = ready()
  thread.answers = false
  thread.seconds(9, 'T')
  expect(thread.steps.at(-1)).toBe('doubt')
  thread.pulse.answered()
  thread.answers = true
  expect(thread.seconds(30, 'S').count('end')).toBe(0)
})

test('one that starts has two minutes', () => {
  const thread = new Thread()
  expect(thread.seconds(119, 'S').count('end') + thread.count('doubt')).toBe(0)
  expect(thread.seconds(5, 'S').count('end')).toBeGreaterThan(0)
})

test('where the kernel does not count who waits, patience is sixfold', () => {
  const thread = ready()
  thread.isCounted = false
  thread.answers = false
  expect(thread.seconds(60, 'S').count('end')).toBe(0)
  expect(thread.seconds(10, 'S').count('end')).toBeGreaterThan(0)
})

test('times that go back or jump count as one second at most', () => {
  const pulse = new Pulse()
  pulse.answered()
  const at = (ranMs: number): ThreadSample => ({ state: 'R', ranMs, queuedMs: 0 })
  for (const ranMs of [0, 0, 0, 1e9, 0, 2e9]) expect(pulse.look(at(ranMs))).not.toBe('end')
})

describe('what the kernel says of a thread', () => {
  test('is read, whatever the thread is called', () => {
    const behind = Array.from({ length: 40 }, (_, at) => String(at)).join(' ')
    const stat = `42 (a) R 1 (b) T ${behind}\n`
    expect(threadSample(stat, '2500000 7000000 12\n')).toEqual({
      state: 'T',
      ranMs: 2.5,
      queuedMs: 7,
    })
    expect(threadSample(stat, undefined)).toEqual({ state: 'T', ranMs: 210, queuedMs: undefined })
    expect(threadSample('', '')).toBe(undefined)
  })

  test('is there for this process', () => {
    const { pid } = process
    const read = (name: string) => readFileSync(`/proc/${pid}/task/${pid}/${name}`, 'latin1')
    const sample = threadSample(read('stat'), read('schedstat'))
    expect(sample?.state).toMatch(/^[RSD]$/)
    expect(sample?.ranMs).toBeGreaterThan(0)
  })
})
