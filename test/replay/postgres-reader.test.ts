import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PostgresReader } from '../../src/replay/postgres-reader.ts'
import { columns, error, frame, READY, tag, values } from './rows.ts'

const read = (...frames: readonly Buffer[]) => new PostgresReader().push(Buffer.concat(frames))

test('a result is its columns, rows and end', () => {
  const four = Buffer.from([0, 0, 0, 4])
  const described = columns([{ name: 'id', oid: 23, format: 1 }, { name: 'email' }], '*')
  expect(
    read(described, values([four, '****']), values([null, '']), tag('SELECT 2'), READY),
  ).toEqual([
    {
      type: 'columns',
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'email', type: 'text' },
      ],
    },
    { type: 'row', values: ['4', '****'] },
    { type: 'row', values: [null, ''] },
    { type: 'complete', tag: 'SELECT 2' },
    { type: 'ready', transaction: 'I' },
  ])
})

test('bytes that are no text are hex, and rows that nobody described are read', () => {
  const invalid = Buffer.from([0xff, 0x00])
  expect(read(values([invalid, 'ok']))).toEqual([{ type: 'row', values: [{ hex: 'ff00' }, 'ok'] }])
})

test('errors, notices, COPY and what comes by itself', () => {
  const notification = frame('A', Buffer.concat([Buffer.alloc(4), Buffer.from('news\0hello\0')]))
  expect(
    read(
      ...[error('42501', 'no', '{}'), frame('H', '\0\0\0'), frame('d', 'a\tb\n'), frame('c')],
      ...[notification, frame('S', 'TimeZone\0UTC\0'), frame('I'), frame('s')],
    ),
  ).toEqual([
    { type: 'error', fields: { S: 'ERROR', V: 'ERROR', C: '42501', M: 'no', D: '{}' } },
    { type: 'copy', direction: 'out' },
    { type: 'data', data: 'a\tb\n' },
    { type: 'notification', channel: 'news', text: 'hello' },
    { type: 'parameter', name: 'TimeZone', value: 'UTC' },
    { type: 'complete', tag: '' },
    { type: 'complete', tag: 'PORTAL SUSPENDED' },
  ])
})

test('a huge value is cut with a mark, also one that is cut in a character', () => {
  const [piece] = read(columns([{ name: 'a' }]), values([`x${'é'.repeat(5 << 20)}`])).slice(1)
  expect(piece).toMatchObject({ type: 'row', values: [{ cut: (10 << 20) + 1 - (1 << 20) }] })
})

test('what is no message is told once, and reading goes on behind the result', () => {
  const reader = new PostgresReader()
  expect(reader.push(Buffer.from([0x44, 0x80, 0, 0, 0, 1]))).toEqual([{ type: 'torn', bytes: 6 }])
  expect(reader.push(READY)).toEqual([])
  expect(reader.end()).toEqual([])
  expect(reader.push(READY)).toHaveLength(1)
  reader.push(READY.subarray(0, 3))
  expect(reader.end()).toEqual([{ type: 'torn', bytes: 3 }])
})

test('no bytes throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...'TD*VHdENCIsZASG'),
      (body, kind) => {
        const reader = new PostgresReader()
        reader.push(
          Buffer.concat([frame(kind, Buffer.from(body)), values(['1']), Buffer.from(body)]),
        )
        reader.end()
      },
    ),
  )
})
