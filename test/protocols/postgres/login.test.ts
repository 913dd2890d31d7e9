import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Handshake } from '../../../src/accept/handshake.ts'
import { hello } from '../../../src/protocols/postgres/login.ts'
import * as write from '../../../src/protocols/postgres/write.ts'
import type { Claim, Door } from '../../../src/protocols/protocol.ts'
import { MemoryWire } from '../../contract/memory.ts'

interface Said {
  readonly claim: Promise<Claim | undefined>
  readonly wire: MemoryWire
  readonly cancels: unknown[]
}

/** A client that says all of this, piece by piece, and then goes away. */
function says(pieces: readonly Buffer[], address = '127.0.0.1'): Said {
  const wire = new MemoryWire()
  const cancels: unknown[] = []
  const door: Door = {
    peer: address,
    tls: undefined,
    plaintextFrom: ['127.0.0.0/8'],
    cancel: async (pid, secret) => {
      cancels.push([pid, Buffer.from(secret).toString('hex')])
    },
  }
  const claim = hello(new Handshake(wire, 32 << 10), door)
  const send = async () => {
    for (const piece of pieces) {
      wire.receive(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    wire.close()
  }
  void send()
  return { claim, wire, cancels }
}

const startup = (parameters: Record<string, string>) =>
  write.startup(new Map(Object.entries(parameters)))
const packet = (...words: number[]) => {
  const bytes = Buffer.alloc(4 + words.length * 4)
  bytes.writeInt32BE(bytes.length, 0)
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, 4 + i * 4)
  return bytes
}
const code = (expected: string) => expect.objectContaining({ code: expected })
const HELLO = startup({
  user: 'ada',
  database: 'orders/archive',
  application_name: 'job=j1; run=r',
})
const PASSWORD = write.password('slc_1_secret')

describe('a claim', () => {
  test('says connection, database, credential and job, and who the client says it is', async () => {
    const { claim, wire } = says([HELLO, PASSWORD])
    expect(await claim).toMatchObject({
      connection: 'orders',
      database: 'archive',
      credential: 'slc_1_secret',
      claimedUser: 'ada',
      claimedJob: { id: 'j1', run: 'r', agent: '' },
    })
    expect(Buffer.concat(wire.written)).toEqual(write.CLEARTEXT_PASSWORD)
  })

  test('is the same however its bytes are cut', async () => {
    const all = Buffer.concat([HELLO, PASSWORD])
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: all.length - 1 }), async (at) => {
        const { claim } = says([all.subarray(0, at), all.subarray(at)])
        expect(await claim).toMatchObject({ connection: 'orders', database: 'archive' })
      }),
      { numRuns: 20 },
    )
  })

  test('needs a database, and plaintext is judged before a password is asked for', async () => {
    await expect(says([startup({ user: 'a' }), PASSWORD]).claim).rejects.toEqual(
      code('GW_NOT_ALLOWED'),
    )
    const far = says([HELLO, PASSWORD], '10.1.1.1')
    await expect(far.claim).rejects.toEqual(code('GW_PLAINTEXT'))
    expect(far.wire.written).toEqual([])
  })
})

describe('encryption', () => {
  const SSL = packet(80877103)
  const GSS = packet(80877104)

  test('what the listener does not serve is declined once, and the client goes on in clear', async () => {
    const { claim, wire } = says([SSL, GSS, HELLO, PASSWORD])
    expect(await claim).toBeDefined()
    expect(Buffer.concat(wire.written).toString('latin1', 0, 2)).toBe('NN')
  })

  test('bytes behind a request for it end the session', async () => {
    for (const asked of [SSL, GSS]) {
      const { claim, wire } = says([Buffer.concat([asked, HELLO])])
      await expect(claim).rejects.toEqual(code('GW_MALFORMED'))
      expect(wire.written).toEqual([])
    }
  })

  test('direct TLS on a listener without it ends the session', async () => {
    const { claim, wire } = says([Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])])
    await expect(claim).rejects.toEqual(code('GW_MALFORMED'))
    expect(wire.written).toEqual([])
  })

  test('asking twice ends the session', async () => {
    await expect(says([SSL, SSL]).claim).rejects.toEqual(code('GW_MALFORMED'))
  })
})

test('a cancel with a key as long as ours is passed on, another one is dropped, and nothing more is said', async () => {
  const long = [1, 2, 3, 4, 5, 6, 7, 8]
  for (const [key, hex] of [
    [[0xdeadbeef], 'deadbeef'],
    [long, long.map((word) => `0000000${word}`).join('')],
  ] as const) {
    const { claim, cancels, wire } = says([packet(80877102, 7, ...key)])
    expect(await claim).toBeUndefined()
    expect(cancels).toEqual([[7, hex]])
    expect(wire.written).toEqual([])
  }
  for (const key of [[], [1, 2], new Array(64).fill(7)]) {
    const { claim, cancels } = says([packet(80877102, 7, ...key)])
    expect(await claim).toBeUndefined()
    expect(cancels).toEqual([])
  }
})

test('protocol 3.2 gets long cancel keys, an older one gets short ones', async () => {
  const asks = async (minor: number) => {
    const packed = startup({ user: 'a', database: 'd' })
    packed.writeUInt16BE(minor, 6)
    const { claim, wire } = says([packed, PASSWORD])
    return { keyBytes: (await claim)?.cancelKeyBytes, first: wire.written[0] }
  }
  expect(await asks(0)).toEqual({ keyBytes: 4, first: write.CLEARTEXT_PASSWORD })
  expect(await asks(2)).toEqual({ keyBytes: 32, first: write.CLEARTEXT_PASSWORD })
  expect(await asks(9)).toEqual({ keyBytes: 32, first: write.negotiateProtocolVersion(2, []) })
})

test('unknown options are said to be unknown, other versions refused', async () => {
  const { claim, wire } = says([startup({ user: 'a', database: 'd', '_pq_.x': '1' }), PASSWORD])
  expect(await claim).toBeDefined()
  expect(wire.written[0]).toEqual(write.negotiateProtocolVersion(0, ['_pq_.x']))
  await expect(says([packet(4 << 16, 0)]).claim).rejects.toEqual(code('GW_UNSUPPORTED'))
  await expect(says([packet(2 << 16, 0)]).claim).rejects.toEqual(code('GW_MALFORMED'))
})

test('lengths that cannot be end the session before anything of that length is kept', async () => {
  for (const size of [0, 3, 7, 10_001, 0x7fffffff, 0xffffffff]) {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(size, 0)
    await expect(says([head]).claim).rejects.toEqual(code('GW_MALFORMED'))
  }
  const long = Buffer.from([0x70, 0, 1, 0, 0])
  await expect(says([HELLO, long]).claim).rejects.toEqual(code('GW_MALFORMED'))
  await expect(says([HELLO, write.query('SELECT 1')]).claim).rejects.toEqual(code('GW_MALFORMED'))
})

test('noise is refused with an error of ours, never another one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (noise) => {
      const { claim } = says([Buffer.from(noise)])
      await claim.catch((error: Error) => {
        expect(['GatewayError', 'PeerGone', 'Error']).toContain(error.constructor.name)
        expect(error.constructor.name).not.toBe('Error')
      })
    }),
  )
})
