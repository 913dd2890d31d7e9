import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Handshake, PeerGone } from '../../src/accept/handshake.ts'
import { takeProxyHeader } from '../../src/accept/proxy.ts'
import { readProxyV1, readProxyV2 } from '../../src/accept/proxy-header.ts'
import type { Wire, WireSink } from '../../src/accept/wire.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

function v2(hex: string, size?: number): Buffer {
  const [head, body] = [
    Buffer.from(hex.substring(0, 4), 'hex'),
    Buffer.from(hex.substring(4), 'hex'),
  ]
  const length = Buffer.alloc(2)
  length.writeUInt16BE(size ?? body.length)
  return Buffer.concat([SIGNATURE, head, length, body])
}

describe('version 1', () => {
  test('names the client', () => {
    const read = (line: string) => readProxyV1(line)
    expect(read('PROXY TCP4 192.0.2.7 198.51.100.1 56324 5432')).toEqual({ address: '192.0.2.7' })
    expect(read('PROXY TCP6 2001:DB8:0::7 ::1 1 65535')).toEqual({ address: '2001:db8::7' })
    // One client has one name, however it came to the proxy.
    expect(read('PROXY TCP6 ::ffff:192.0.2.7 ::1 0 1')).toEqual({ address: '192.0.2.7' })
  })

  test('may speak of nobody', () => {
    expect(readProxyV1('PROXY UNKNOWN')).toEqual({ address: undefined })
    expect(readProxyV1('PROXY UNKNOWN ffff::1 ffff::2 1 2')).toEqual({ address: undefined })
  })

  test('of any other form is malformed', () => {
    for (const line of [
      'PROXY TCP4 192.0.2.7 198.51.100.1 56324',
      'PROXY TCP4 192.0.2.7 198.51.100.1 56324 5432 1',
      'PROXY TCP4  192.0.2.7 198.51.100.1 56324 5432',
      'PROXY TCP4 192.0.2.07 198.51.100.1 1 2',
      'PROXY TCP4 192.0.2.7 198.51.100.1 65536 2',
      'PROXY TCP4 192.0.2.7 198.51.100.1 -1 2',
      'PROXY TCP4 192.0.2.7 198.51.100.1 01 2',
      'PROXY TCP4 ::1 ::2 1 2',
      'PROXY TCP6 192.0.2.7 198.51.100.1 1 2',
      'PROXY TCP6 fe80::1%eth0 ::1 1 2',
      'PROXY UDP4 192.0.2.7 198.51.100.1 1 2',
      'PROXY UNKNOWNS',
      'PROXY ',
    ])
      expect(readProxyV1(line), line).toBe('malformed')
  })
})

describe('version 2', () => {
  const read = (bytes: Buffer) => readProxyV2(bytes.subarray(12, 16), bytes.subarray(16))

  test('names the client, whatever options follow', () => {
    expect(read(v2('2111c0000207c633640100010002'))).toEqual({ address: '192.0.2.7' })
    expect(read(v2('2111c0000207c633640100010002040001ff'))).toEqual({ address: '192.0.2.7' })
    const address = '20010db8000000000000000000000007'
    expect(read(v2(`2121${address}${address}00010002`))).toEqual({ address: '2001:db8::7' })
  })

  test('may speak for itself, or of a Unix socket', () => {
    for (const bytes of [v2('2000'), v2('2011c0000207c633640100010002'), v2('2100'), v2('2131')])
      expect(read(bytes)).toEqual({ address: undefined })
  })

  test('of any other form is malformed', () => {
    for (const hex of [
      '1111c0000207c633640100010002', // another version
      '2211c0000207c633640100010002', // another command
      '2141c0000207c633640100010002', // another family
      '2112c0000207c633640100010002', // datagrams
      '2111c0000207c6336401000100', // cut
      '2121c0000207c633640100010002', // too short for IPv6
    ])
      expect(read(v2(hex)), hex).toBe('malformed')
  })
})

/** A wire that hands over what a test gives it. */
class Given implements Wire {
  readonly isSecure = false
  readonly isClosed = false
  readonly isFull = false
  readonly unsentBytes = 0
  readonly heldBytes = 0
  sink: WireSink | undefined
  listen(sink: WireSink): void {
    this.sink = sink
  }
  pause(): void {}
  resume(): void {}
  write(): void {}
  end(): void {}
  destroy(): void {}
  secure(): never {
    throw new Error('no TLS here')
  }
}

async function taken(bytes: Buffer, cuts: readonly number[] = []): Promise<unknown> {
  const wire = new Given()
  const client = new Handshake(wire, 32 << 10)
  const address = takeProxyHeader(client)
  let at = 0
  for (const next of [...cuts, bytes.length]) {
    if (next > at) wire.sink?.bytes(bytes, at, next)
    at = Math.max(at, next)
    await Promise.resolve()
  }
  wire.sink?.end()
  return { address: await address, rest: client.rest().toString('latin1') }
}

describe('on a wire', () => {
  const V1 = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nhello')
  const V2 = Buffer.concat([v2('2111c0000207c633640100010002'), Buffer.from('hello')])

  test('nothing of what follows is taken, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(V1, V2),
        fc.array(fc.nat(44)).map((cuts) => cuts.sort((a, b) => a - b)),
        async (bytes, cuts) => {
          const inside = cuts.filter((cut) => cut < bytes.length)
          expect(await taken(bytes, inside)).toEqual({ address: '192.0.2.7', rest: 'hello' })
        },
      ),
      { numRuns: 100 },
    )
  })

  test('what is none is refused, and what is endless is not waited for', async () => {
    for (const bytes of [
      Buffer.from('0000000d04d2162f00000000', 'hex'),
      Buffer.from(`PROXY TCP4 ${' '.repeat(200)}`),
      Buffer.from('PROXY TCP4 x y 1 2\r\n'),
      v2('2111', 4097),
    ])
      await expect(taken(bytes)).rejects.toMatchObject({ code: 'GW_MALFORMED' })
    await expect(taken(Buffer.from('PROXY TCP4 192.0'))).rejects.toThrow(PeerGone)
  })
})
