import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Received } from '../../src/replay/postgres-received.ts'
import { columns, READY, tag, values } from './rows.ts'

const [T, D, C] = [columns([{ name: 'a' }]), values(['1']), tag('SELECT 1')]
const NOTED = columns([{ name: 'a', format: 1 }], '*')

test('what only the record holds is left out, however it is cut', () => {
  const recorded = Buffer.concat([T, D, C, READY, NOTED, D, C, NOTED, C, READY])
  const wanted = Buffer.concat([T, D, C, READY, D, C, C, READY])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), (size) => {
      const received = new Received()
      const out: Buffer[] = []
      for (let at = 0; at < recorded.length; at += size)
        out.push(...received.push(recorded.subarray(at, at + size)))
      expect(Buffer.concat(out)).toEqual(wanted)
    }),
  )
})

test('behind a result that was cut the next one begins anew', () => {
  const received = new Received()
  received.push(NOTED.subarray(0, 9))
  received.end()
  expect(Buffer.concat(received.push(C))).toEqual(C)
})
