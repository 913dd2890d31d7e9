/**
 * Pure. One TCP connection as IP packets, made up around bytes of which only the payload is known: handshake, sequence
 * numbers, acknowledgements, checksums. RFC 791, RFC 8200, RFC 9293.
 */

const TCP_HEAD = 20
const FIN = 1
const SYN = 2
const PUSH = 8
const ACK = 16
const PROTOCOL_TCP = 6

export interface Peer {
  /** 4 or 16 bytes, as many as the other one's. */
  readonly address: readonly number[]
  readonly port: number
}

export class TcpPackets {
  readonly #peers: readonly [client: Peer, server: Peer]
  /** Next sequence number of client and server. */
  readonly #next: [number, number] = [1000, 5000]

  constructor(client: Peer, server: Peer) {
    this.#peers = [client, server]
  }

  begin(): Buffer[] {
    return [this.#packet(0, SYN), this.#packet(1, SYN | ACK), this.#packet(0, ACK)]
  }

  /** At most 60,000 bytes. */
  data(from: 'client' | 'server', payload: Uint8Array): Buffer {
    return this.#packet(from === 'client' ? 0 : 1, PUSH | ACK, payload)
  }

  end(): Buffer[] {
    return [this.#packet(0, FIN | ACK), this.#packet(1, FIN | ACK), this.#packet(0, ACK)]
  }

  #packet(side: 0 | 1, flags: number, payload: Uint8Array = EMPTY): Buffer {
    const [from, to] = [this.#peers[side], this.#peers[side === 0 ? 1 : 0]]
    const head = from.address.length === 4 ? 20 : 40
    const size = TCP_HEAD + payload.length
    const packet = Buffer.alloc(head + size)
    if (head === 20) writeIp4(packet, from.address, to.address)
    else writeIp6(packet, from.address, to.address)
    packet.writeUInt16BE(from.port, head)
    packet.writeUInt16BE(to.port, head + 2)
    packet.writeUInt32BE(this.#next[side], head + 4)
    packet.writeUInt32BE((flags & ACK) === 0 ? 0 : this.#next[side === 0 ? 1 : 0], head + 8)
    packet[head + 12] = (TCP_HEAD / 4) << 4
    packet[head + 13] = flags
    packet.writeUInt16BE(65_535, head + 14)
    packet.set(payload, head + TCP_HEAD)
    const addresses = Buffer.from([...from.address, ...to.address])
    const sum = add(add(PROTOCOL_TCP + size, addresses, 0), packet, head)
    packet.writeUInt16BE(folded(sum), head + 16)
    const counts = payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)
    this.#next[side] = (this.#next[side] + counts) >>> 0
    return packet
  }
}

const EMPTY = new Uint8Array(0)

function writeIp4(packet: Buffer, from: readonly number[], to: readonly number[]): void {
  packet[0] = 0x45
  packet.writeUInt16BE(packet.length, 2)
  // Do not fragment.
  packet.writeUInt16BE(0x4000, 6)
  packet[8] = 64
  packet[9] = PROTOCOL_TCP
  packet.set([...from, ...to], 12)
  packet.writeUInt16BE(folded(add(0, packet.subarray(0, 20), 0)), 10)
}

function writeIp6(packet: Buffer, from: readonly number[], to: readonly number[]): void {
  packet[0] = 0x60
  packet.writeUInt16BE(packet.length - 40, 4)
  packet[6] = PROTOCOL_TCP
  packet[7] = 64
  packet.set([...from, ...to], 8)
}

/** Sum of 16-bit words; stays far below 2^53 for what fits a packet. */
function add(sum: number, bytes: Buffer, from: number): number {
  let total = sum
  const even = bytes.length - ((bytes.length - from) & 1)
  for (let at = from; at < even; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!
  return even < bytes.length ? total + (bytes[even]! << 8) : total
}

function folded(sum: number): number {
  let rest = sum
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000)
  return ~rest & 0xffff
}
