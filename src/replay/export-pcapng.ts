/**
 * Pure. A PostgreSQL session as pcapng, for Wireshark: what the client received, byte for byte as it was recorded, and
 * its statements, in TCP and IP that never were.
 *
 * Of what the client sent only masked texts and parameters are recorded. Each of its packets is made from these, as a
 * Query or as Parse, Bind and Execute, and its comment says so: names of statements, formats, types, Syncs and the data
 * of COPY are not known. The target's address is one that documentation uses; its port is the one that dissectors know.
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html
 */
import { ByteSink } from '../base/bytes.ts'
import { addressBytes } from '../base/cidr.ts'
import { Received } from './postgres-received.ts'
import type { RecordedRow } from './recorded.ts'
import { TcpPackets } from './tcp-packets.ts'
import { bytesOf, endsResult } from './timeline.ts'

/** The packet's data is IP, version 4 or 6. */
const LINKTYPE_RAW = 101
const SECTION = 0x0a0d0d0a
const INTERFACE = 1
const PACKET = 6
const OPT_COMMENT = 1
const PORT_POSTGRES = 5432
const PORT_CLIENT = 49_152
const PACKET_BYTES_MAX = 32_000
/** RFC 5737, RFC 3849. */
const TARGET4 = [192, 0, 2, 1]
const TARGET6 = [0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 1]

const NOTE =
  'Made by Sluice from its record. What the target sent is what the client received, masked. What the client sent is ' +
  'made from masked statements and parameters; TCP, IP and the address of the target are made up.'
const CLIENT_NOTE =
  'Made from the masked statement in the record: not the bytes that the client sent.'

export class Pcapng {
  readonly #packets: TcpPackets
  readonly #received = new Received()
  #lastUs = 0

  constructor(clientIp: string) {
    const address = addressBytes(clientIp) ?? [127, 0, 0, 1]
    const target = address.length === 4 ? TARGET4 : TARGET6
    this.#packets = new TcpPackets(
      { address, port: PORT_CLIENT },
      { address: target, port: PORT_POSTGRES },
    )
  }

  head(startedUs: number): Buffer {
    this.#lastUs = startedUs
    const section = Buffer.alloc(16)
    section.writeUInt32LE(0x1a2b3c4d, 0)
    section.writeUInt16LE(1, 4)
    // The section's length is not known.
    section.writeBigInt64LE(-1n, 8)
    const link = Buffer.alloc(8)
    link.writeUInt16LE(LINKTYPE_RAW, 0)
    return Buffer.concat([
      block(SECTION, Buffer.concat([section, comment(NOTE)])),
      block(INTERFACE, link),
      ...this.#packets.begin().map((packet) => this.#enhanced(packet, startedUs)),
    ])
  }

  row(row: RecordedRow): Buffer {
    this.#lastUs = row.at
    if (row.kind === 'action') return this.#client(row)
    const chunks = this.#received.push(bytesOf(row))
    if (endsResult(row)) this.#received.end()
    const bytes = Buffer.concat(chunks)
    const packets: Buffer[] = []
    for (let at = 0; at < bytes.length; at += PACKET_BYTES_MAX) {
      const part = bytes.subarray(at, Math.min(at + PACKET_BYTES_MAX, bytes.length))
      packets.push(this.#enhanced(this.#packets.data('server', part), row.at))
    }
    return Buffer.concat(packets)
  }

  end(): Buffer {
    return Buffer.concat(this.#packets.end().map((one) => this.#enhanced(one, this.#lastUs)))
  }

  #client(row: RecordedRow): Buffer {
    const bytes = messagesOf(row)
    const packets: Buffer[] = []
    for (let at = 0; at < bytes.length; at += PACKET_BYTES_MAX) {
      const part = bytes.subarray(at, Math.min(at + PACKET_BYTES_MAX, bytes.length))
      packets.push(this.#enhanced(this.#packets.data('client', part), row.at, CLIENT_NOTE))
    }
    return Buffer.concat(packets)
  }

  #enhanced(packet: Buffer, us: number, note?: string): Buffer {
    const head = Buffer.alloc(20)
    head.writeUInt32LE(Math.floor(us / 0x100000000), 4)
    head.writeUInt32LE(us % 0x100000000, 8)
    head.writeUInt32LE(packet.length, 12)
    head.writeUInt32LE(packet.length, 16)
    return block(
      PACKET,
      Buffer.concat([head, padded(packet), ...(note === undefined ? [] : [comment(note)])]),
    )
  }
}

/** A Query has no parameters, and as many bytes as its text and what is around it. */
function messagesOf({ statement, params, bytes_up }: RecordedRow): Buffer {
  const sink = new ByteSink(64)
  const text = statement.replaceAll('\0', '')
  if (params.length === 0 && bytes_up === Buffer.byteLength(text) + 6) {
    message(sink, 'Q', () => sink.zeroTerminated(text))
    return sink.view()
  }
  message(sink, 'P', () => {
    sink.u8(0)
    sink.zeroTerminated(text)
    sink.u16(0)
  })
  message(sink, 'B', () => {
    sink.u16(0)
    sink.u16(0)
    const count = Math.min(params.length, 0xffff)
    sink.u16(count)
    for (const param of params.slice(0, count)) {
      const bytes = Buffer.from(param)
      sink.i32(bytes.length)
      sink.append(bytes)
    }
    sink.u16(0)
  })
  message(sink, 'E', () => {
    sink.u8(0)
    sink.i32(0)
  })
  return sink.view()
}

function message(sink: ByteSink, kind: string, body: () => void): void {
  const start = sink.size
  sink.u8(kind.charCodeAt(0))
  sink.i32(0)
  body()
  sink.bytes.writeInt32BE(sink.size - start - 1, start + 1)
}

function block(type: number, body: Buffer): Buffer {
  const size = body.length + 12
  const out = Buffer.alloc(size)
  out.writeUInt32LE(type, 0)
  out.writeUInt32LE(size, 4)
  body.copy(out, 8)
  out.writeUInt32LE(size, size - 4)
  return out
}

/** One comment, and the end of options. */
function comment(text: string): Buffer {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(4)
  head.writeUInt16LE(OPT_COMMENT, 0)
  head.writeUInt16LE(bytes.length, 2)
  return Buffer.concat([head, padded(bytes), Buffer.alloc(4)])
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)])
}
