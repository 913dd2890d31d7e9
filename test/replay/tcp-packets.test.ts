import { expect, test } from 'vitest'
import { TcpPackets } from '../../src/replay/tcp-packets.ts'

/** Ones' complement sum; 0xffff where a checksum is right. */
function sum(...parts: readonly Uint8Array[]): number {
  let total = 0
  for (const part of parts)
    for (let at = 0; at < part.length; at += 2) total += (part[at]! << 8) | (part[at + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}

function checked(packet: Buffer): { flags: number; seq: number; ack: number; payload: Buffer } {
  const is4 = packet[0]! >> 4 === 4
  const head = is4 ? 20 : 40
  const tcp = packet.subarray(head)
  if (is4) {
    expect(sum(packet.subarray(0, 20))).toBe(0xffff)
    expect(packet.readUInt16BE(2)).toBe(packet.length)
  } else expect(packet.readUInt16BE(4)).toBe(tcp.length)
  const addresses = is4 ? packet.subarray(12, 20) : packet.subarray(8, 40)
  const pseudo = Buffer.from([0, 6, tcp.length >> 8, tcp.length & 255])
  expect(sum(addresses, pseudo, tcp)).toBe(0xffff)
  const [seq, ack] = [tcp.readUInt32BE(4), tcp.readUInt32BE(8)]
  return { flags: tcp[13]!, seq, ack, payload: tcp.subarray(20) }
}

const V4 = [127, 0, 0, 1]
const V6 = [0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 7]

test.each([V4, V6])('packets have right checksums and follow each other', (...address) => {
  const tcp = new TcpPackets({ address, port: 49_152 }, { address, port: 5432 })
  const [syn, synAck] = tcp.begin().map(checked)
  expect([syn!.flags, synAck!.flags]).toEqual([2, 18])
  expect(synAck!.ack).toBe(syn!.seq + 1)
  const odd = checked(tcp.data('client', Buffer.from('odd')))
  expect([odd.seq, odd.payload.toString()]).toEqual([syn!.seq + 1, 'odd'])
  const long = checked(tcp.data('server', Buffer.alloc(60_000, 0xff)))
  expect([long.seq, long.ack]).toEqual([synAck!.seq + 1, odd.seq + 3])
  const [fin] = tcp.end().map(checked)
  expect([fin!.flags, fin!.seq, fin!.ack]).toEqual([17, odd.seq + 3, long.seq + 60_000])
})
