import fc from 'fast-check'
import { serialize } from 'pg-protocol'
import { describe, expect, test } from 'vitest'
import * as read from '../../../src/protocols/postgres/read.ts'
import * as write from '../../../src/protocols/postgres/write.ts'
import { dataRow } from '../../lib/mask-frames.ts'

const whole = <T>(reader: (bytes: Buffer, start: number, end: number) => T, frame: Buffer): T =>
  reader(frame, 0, frame.length)
const asText = fc.string().map((text) => text.replaceAll('\0', ''))
const asName = fc.string({ unit: 'binary-ascii' }).map((text) => text.replaceAll('\0', ''))

const READERS = [
  read.readQuery,
  read.readText,
  read.readParse,
  read.readBind,
  read.readTarget,
  read.readExecute,
  read.readRowDescription,
  read.readFields,
  read.readTextRow,
]

describe('noise', () => {
  test('no reader throws, whatever stands behind a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 9 }), (noise, start) => {
        const bytes = Buffer.from(noise)
        for (const reader of READERS) reader(bytes, Math.min(start, bytes.length), bytes.length)
        read.readStartup(bytes)
      }),
      { numRuns: 500 },
    )
  })

  test('no frame with something cut off or added is read', () => {
    const frames: [(typeof READERS)[number], Buffer][] = [
      [read.readQuery, serialize.query('SELECT 1') as Buffer],
      [read.readText, serialize.query('SELECT 1') as Buffer],
      [read.readParse, serialize.parse({ name: 's', text: 't', types: [23] }) as Buffer],
      [read.readBind, serialize.bind({ portal: 'p', statement: 's', values: ['1'] }) as Buffer],
      [read.readTarget, serialize.describe({ type: 'S', name: 's' }) as Buffer],
      [read.readExecute, serialize.execute({ portal: 'p', rows: 1 }) as Buffer],
      [read.readTextRow, dataRow(['a', null])],
    ]
    for (const [reader, frame] of frames) {
      expect(whole<unknown>(reader, frame)).toBeDefined()
      for (let end = 5; end < frame.length; end++) expect(reader(frame, 0, end)).toBeUndefined()
      expect(whole<unknown>(reader, Buffer.concat([frame, Buffer.from([1])]))).toBeUndefined()
    }
  })
})

describe('what pg-protocol writes is read back', () => {
  test('Query', () => {
    fc.assert(
      fc.property(asText, (text) => {
        const frame = serialize.query(text) as Buffer
        expect(whole(read.readText, frame)).toBe(frame.toString('utf8', 5, frame.length - 1))
      }),
    )
  })

  test('Parse', () => {
    fc.assert(
      fc.property(asName, asText, fc.array(fc.nat()), (name, text, types) => {
        const frame = serialize.parse({ name, text, types }) as Buffer
        const body = whole(read.readParse, frame)
        expect(body?.statement).toBe(name.substring(0, 63))
        expect(frame.toString('utf8', body!.textStart, body!.textEnd)).toBe(body?.text)
      }),
    )
  })

  test('Bind', () => {
    const value = fc.option(
      fc.oneof(
        asText,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
    )
    fc.assert(
      fc.property(asName, fc.array(value), fc.boolean(), (portal, values, binary) => {
        const frame = serialize.bind({ portal, statement: 's', values, binary }) as Buffer
        const body = whole(read.readBind, frame)!
        expect([body.portal, body.statement]).toEqual([portal.substring(0, 63), 's'])
        expect(body.resultFormats).toEqual([binary ? 1 : 0])
        values.forEach((one, i) => {
          const [start, size] = [body.values[2 * i]!, body.values[2 * i + 1]!]
          if (one === null) expect(size).toBe(-1)
          else expect(frame.subarray(start, start + size)).toEqual(Buffer.from(one))
        })
      }),
    )
  })

  test('Describe, Close and Execute', () => {
    fc.assert(
      fc.property(asName, fc.nat(), (name, rows) => {
        const cut = name.substring(0, 63)
        const describe = serialize.describe({ type: 'P', name }) as Buffer
        const close = serialize.close({ type: 'S', name }) as Buffer
        const execute = serialize.execute({ portal: name, rows }) as Buffer
        expect(whole(read.readTarget, describe)).toEqual({ of: 'portal', name: cut })
        expect(whole(read.readTarget, close)).toEqual({ of: 'statement', name: cut })
        expect(whole(read.readExecute, execute)).toEqual({ portal: cut, rowsMax: rows | 0 })
      }),
    )
  })
})

describe('names', () => {
  test('two that PostgreSQL takes for one are one', () => {
    const name = (last: string) => serialize.describe({ type: 'S', name: 'a'.repeat(63) + last })
    const first = whole(read.readTarget, name('1') as Buffer)
    expect(first).toEqual(whole(read.readTarget, name('2') as Buffer))
  })

  test('one that is not ASCII is not read, because encodings may spell it in two ways', () => {
    expect(whole(read.readTarget, serialize.close({ type: 'P', name: 'é' }) as Buffer)).toBe(
      undefined,
    )
    expect(whole(read.readParse, serialize.parse({ name: 'é', text: '' }) as Buffer)).toBe(
      undefined,
    )
  })
})

describe('start-up', () => {
  test('parameters are read, and none may stand twice', () => {
    const packet = write.startup(
      new Map([
        ['user', 'a'],
        ['database', 'é'],
      ]),
    )
    expect([...read.readStartup(packet)!.parameters]).toEqual([
      ['user', 'a'],
      ['database', 'é'],
    ])
    expect(read.readStartup(packet.subarray(0, packet.length - 1))).toBeUndefined()
    const body = Buffer.from('user\0a\0user\0b\0\0')
    expect(read.readStartup(Buffer.concat([Buffer.alloc(8), body]))).toBeUndefined()
  })
})

test('formats follow the rule of Bind: none is text, one is for all', () => {
  expect([read.formatAt([], 3), read.formatAt([1], 3), read.formatAt([0, 1], 1)]).toEqual([0, 1, 1])
  expect(read.formatAt([0, 1], 7)).toBe(0)
})

test('the rows of a tag are its last number', () => {
  const rows = (tag: string) => {
    const frame = Buffer.concat([Buffer.from('C\0\0\0\0'), Buffer.from(`${tag}\0`)])
    return read.readRows(frame, 0, frame.length)
  }
  const tags = ['INSERT 0 5', 'SELECT 3', 'BEGIN', 'COPY x', '', '5', 'MOVE 12345678901234567890']
  expect(tags.map(rows)).toEqual([5, 3, 0, 0, 0, 0, 0])
  const open = Buffer.from('C\0\0\0\0SELECT 3')
  expect(read.readRows(open, 0, open.length)).toBeUndefined()
})
