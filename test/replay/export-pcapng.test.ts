import { expect, test } from 'vitest'
import { Pcapng } from '../../src/replay/export-pcapng.ts'
import { answered, asked, columns, READY, row, tag, values } from './rows.ts'

interface Block {
  readonly type: number
  readonly body: Buffer
}

function blocks(bytes: Buffer): Block[] {
  const found: Block[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4)
    expect(size % 4).toBe(0)
    expect(bytes.readUInt32LE(at + size - 4)).toBe(size)
    found.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + size - 4) })
    at += size
  }
  return found
}

function packet({ body }: Block) {
  const us = body.readUInt32LE(4) * 0x100000000 + body.readUInt32LE(8)
  const size = body.readUInt32LE(12)
  const ip = body.subarray(20, 20 + size)
  const tcp = ip.subarray(ip[0]! >> 4 === 4 ? 20 : 40)
  const comment = body.subarray(20 + Math.ceil(size / 4) * 4)
  const from = tcp.readUInt16BE(0) === 5432 ? 'server' : 'client'
  return { us, from, payload: tcp.subarray(20), comment: comment.toString('utf8') }
}

function captured(ip: string, ...rows: readonly ReturnType<typeof row>[]) {
  const capture = new Pcapng(ip)
  const bytes = Buffer.concat([
    capture.head(1_700_000_000_000_000),
    ...rows.map((one) => capture.row(one)),
    capture.end(),
  ])
  const [section, link, ...packets] = blocks(bytes)
  expect(section).toMatchObject({ type: 0x0a0d0d0a })
  expect(section!.body.readUInt32LE(0)).toBe(0x1a2b3c4d)
  expect([link!.type, link!.body.readUInt16LE(0)]).toEqual([1, 101])
  expect(packets.every(({ type }) => type === 6)).toBe(true)
  return packets.map(packet)
}

const RESULT = Buffer.concat([
  columns([{ name: 'a' }]),
  values(['x'.repeat(70_000)]),
  tag('SELECT 1'),
])

test.each(['10.1.2.3', '2001:db8::7', 'nonsense'])(
  'what the client received goes by in packets (%s)',
  (ip) => {
    const noted = columns([{ name: 'a' }], '*')
    const packets = captured(
      ip,
      row(1, { kind: 'login' }),
      asked(2, 'SELECT 1', { bytes_up: 14 }),
      row(3, {
        kind: 'response',
        action: 2,
        bytes: Buffer.concat([noted, RESULT.subarray(0, 100)]),
      }),
      answered(4, 2, RESULT.subarray(100)),
      row(5, { kind: 'response', action: 2, bytes: READY }),
    )
    const server = packets.filter(({ from }) => from === 'server').map(({ payload }) => payload)
    expect(Buffer.concat(server)).toEqual(Buffer.concat([RESULT, READY]))
    const asks = packets.find(({ from, payload }) => from === 'client' && payload.length > 0)!
    expect(asks.payload).toEqual(Buffer.from('Q\0\0\0\rSELECT 1\0'))
    expect(asks.us).toBe(1_700_000_002_000_000)
    expect(asks.comment).toContain('not the bytes that the client sent')
  },
)

test('what was no simple query becomes Parse, Bind and Execute', () => {
  const packets = captured('127.0.0.1', asked(2, 'SELECT $1', { params: ['ä', '2'], bytes_up: 40 }))
  const { payload } = packets.find(({ from, payload }) => from === 'client' && payload.length > 0)!
  const text = payload.toString('latin1')
  expect([text[0], text.includes('SELECT $1\0')]).toEqual(['P', true])
  expect(text).toContain(
    'B\0\0\0\x17\0\0\0\0\0\x02\0\0\0\x02\xc3\xa4\0\0\0\x012\0\0E\0\0\0\t\0\0\0\0\0',
  )
})

test('a statement longer than a packet is cut into several', () => {
  const packets = captured('127.0.0.1', asked(2, 'x'.repeat(70_000), { bytes_up: 70_006 }))
  const client = packets.filter(({ from }) => from === 'client').map(({ payload }) => payload)
  expect(Buffer.concat(client).length).toBe(70_006)
})
