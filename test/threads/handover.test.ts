import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Handover } from '../../src/threads/handover.ts'

function pair() {
  const main = Handover.ofSize(64)
  return { main, worker: new Handover(main.shared) }
}

test('either the worker takes the descriptor or main gets it back, never both', () => {
  const { main, worker } = pair()
  const first = main.give(5)!
  expect([worker.take(5, first), main.revoke(5, first)]).toEqual([true, false])
  const second = main.give(5)!
  expect([main.revoke(5, second), worker.take(5, second)]).toEqual([true, false])
})

test('a late claim for a number that was given again gets nothing', () => {
  const { main, worker } = pair()
  const old = main.give(7)!
  worker.take(7, old)
  const current = main.give(7)!
  expect(main.revoke(7, old)).toBe(false)
  expect(worker.take(7, current)).toBe(true)
})

test('a descriptor beyond the table is not given', () => {
  expect(pair().main.give(64)).toBeUndefined()
})

test('in any order of events each hand-over has one owner', () => {
  const event = fc.record({
    fd: fc.integer({ min: 0, max: 3 }),
    kind: fc.constantFrom('give', 'take', 'revoke'),
    back: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const { main, worker } = pair()
      const given = new Map<number, { ticket: number; owners: number; live: boolean }[]>()
      for (const { fd, kind, back } of events) {
        const list = given.get(fd) ?? []
        given.set(fd, list)
        if (kind === 'give') {
          // The kernel hands a number out again only after its owner has closed it.
          if (list.at(-1)?.live) continue
          list.push({ ticket: main.give(fd)!, owners: 0, live: true })
          continue
        }
        const one = list.at(-1 - back)
        if (one === undefined) continue
        const won = kind === 'take' ? worker.take(fd, one.ticket) : main.revoke(fd, one.ticket)
        if (won) one.owners++
        if (won) one.live = false
        expect(one.owners).toBeLessThanOrEqual(1)
        if (won) expect(one).toBe(list.at(-1))
      }
    }),
  )
})
