import { expect, test } from 'vitest'
import { reported } from '../../../src/protocols/postgres/reported.ts'

function status(name: string, value: string): Buffer {
  const body = Buffer.from(`${name}\0${value}\0`)
  const head = Buffer.alloc(5, 'S')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

test('frames stand as they came, and each parameter has its last value', () => {
  const frames = [status('a', '1'), status('b', 'zwei ä'), status('a', '3')]
  const { statuses, parameters } = reported(frames)
  expect(statuses).toEqual(Buffer.concat(frames))
  expect([...parameters]).toEqual([
    ['a', '3'],
    ['b', 'zwei ä'],
  ])
})

test('servers that say the same share it, and one that says anything else has its own', () => {
  const one = reported([status('server_version', '15.4')])
  expect(reported([status('server_version', '15.4')])).toBe(one)
  const other = reported([status('server_version', '15.5')])
  expect(other).not.toBe(one)
  expect(other.parameters.get('server_version')).toBe('15.5')
})

test('what a target says without end is kept by nobody else', () => {
  const long = [status('long', 'x'.repeat(5000))]
  expect(reported(long)).not.toBe(reported(long))
  const first = reported([status('varied', 'first')])
  for (let at = 0; at < 400; at++) reported([status('varied', String(at))])
  const again = reported([status('varied', 'first')])
  expect(again).not.toBe(first)
  expect(again).toEqual(first)
})
