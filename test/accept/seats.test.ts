import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { AddressSeats } from '../../src/accept/seats.ts'

const seats = (count: number) => AddressSeats.ofSize(count, [12_345, -678])

test('an address has no more than the limit, in whichever thread it is counted', () => {
  const main = seats(10)
  const workers = [new AddressSeats(main.shared), new AddressSeats(main.shared)]
  const taken = Array.from({ length: 5 }, (_, at) => {
    const seat = main.assign()!
    return { seat, isIn: workers[at % 2]!.take(seat, `2001:db8::${at}`, 3) }
  })
  expect(taken.map(({ isIn }) => isIn)).toEqual([true, true, true, false, false])
  expect(workers[0]!.take(main.assign()!, '2001:db8:0:1::1', 3)).toBe(true)
  main.leave(taken[0]!.seat)
  expect(workers[1]!.take(main.assign()!, '2001:db8::1', 3)).toBe(true)
})

test('a seat that nobody took, whose worker died, or that was refused counts for nothing', () => {
  const main = seats(2)
  const worker = new AddressSeats(main.shared)
  for (let round = 0; round < 10; round++) {
    const [one, two] = [main.assign()!, main.assign()!]
    expect(main.assign()).toBe(undefined)
    expect(worker.take(one, 'a', 1)).toBe(true)
    expect(worker.take(two, 'a', 1)).toBe(false)
    main.leave(one)
    main.leave(two)
  }
})

test('whatever comes and goes, nobody is over the limit and nothing is left behind', () => {
  const step = fc.record({ address: fc.constantFrom('a', 'b', 'c', 'd'), leave: fc.nat(5) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const main = seats(100)
      const open: { seat: number; address: string; isIn: boolean }[] = []
      for (const { address, leave } of steps) {
        const seat = main.assign()!
        open.push({ seat, address, isIn: main.take(seat, address, 3) })
        const inside = open.filter((one) => one.address === address && one.isIn)
        expect(inside.length).toBeLessThanOrEqual(3)
        expect(inside.length).toBeGreaterThan(0)
        const gone = open.splice(leave, 1)[0]
        if (gone !== undefined) main.leave(gone.seat)
      }
      for (const { seat } of open) main.leave(seat)
      const cells = new Int32Array(main.shared).subarray(2)
      expect(cells.every((cell) => cell === 0)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('two workers at once never exceed the limit', () => {
  const seats = AddressSeats.ofSize(4, [1, 2])
  const { add } = Atomics
  let calls = 0
  const other: boolean[] = []
  vi.spyOn(Atomics, 'add').mockImplementation(((cells: Int32Array, at: number, count: number) => {
    calls += 1
    // The other worker runs whole between our two additions.
    if (calls === 2) other.push(new AddressSeats(seats.shared).take(1, '192.0.2.1', 1))
    return add(cells, at, count)
  }) as typeof Atomics.add)
  const mine = seats.take(0, '192.0.2.1', 1)
  vi.restoreAllMocks()
  expect([mine, ...other].filter(Boolean).length).toBeLessThanOrEqual(1)
})
