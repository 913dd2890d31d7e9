import { expect, test } from 'vitest'
import { Cancellations } from '../../src/threads/cancellations.ts'
import type { Broadcast } from '../../src/threads/messages.ts'

const KEY = { protocol: 'postgres', pid: 7, secret: Buffer.from('abcd') }

/** Two workers on one channel; the session of pid 7 is on the second and takes its time. */
function workers(owner: 'first' | 'second' | 'nobody') {
  let reached = () => {}
  const session = {
    cancel: (pid: number) =>
      pid === 7 ? new Promise<void>((resolve) => (reached = resolve)) : undefined,
  }
  const told: Broadcast[] = []
  const make = (name: string, others: () => Cancellations): Cancellations =>
    new Cancellations({
      sessions: name === owner ? [session] : [],
      tell: (message) => {
        told.push(message)
        queueMicrotask(() => {
          if (message.type === 'cancel') others().asked(message)
          if (message.type === 'cancelled') others().done(message.id)
        })
      },
    })
  const first: Cancellations = make('first', () => second)
  const second: Cancellations = make('second', () => first)
  return { first, told, reached: () => reached() }
}

test.each(['first', 'second'] as const)(
  'waits until the target has it, owned by the %s worker',
  async (owner) => {
    const { first, told, reached } = workers(owner)
    let isDone = false
    const asked = first.ask(KEY).then(() => (isDone = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isDone).toBe(false)
    reached()
    await asked
    expect(told.length).toBe(owner === 'first' ? 0 : 2)
  },
)

test('a key that nobody owns is not waited for long', async () => {
  const { first } = workers('nobody')
  const began = performance.now()
  await first.ask(KEY)
  expect(performance.now() - began).toBeGreaterThan(900)
  expect(performance.now() - began).toBeLessThan(5000)
})
