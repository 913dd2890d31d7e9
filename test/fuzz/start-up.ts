/**
 * IO (memory). Fuzz of what a client says before its session: start-up packets, requests for encryption, cancels, the
 * password; and of what of it goes on to the target. Against a second reader of the packets, written for this test.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { Handshake, PeerGone } from '../../src/accept/handshake.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { hello } from '../../src/protocols/postgres/login.ts'
import { readStartup } from '../../src/protocols/postgres/read.ts'
import { judgeParameter } from '../../src/protocols/postgres/sql/parameters.ts'
import { startupParameters } from '../../src/protocols/postgres/startup-parameters.ts'
import * as write from '../../src/protocols/postgres/write.ts'
import { MemoryWire } from '../contract/memory.ts'
import { type FuzzProperty, property } from './driver.ts'
import { CLAIM, grantWith } from './grants.ts'
import { cuts, type Edit, edit, edited, hostileText, NUMBERS, pieces } from './mutate.ts'

const KEPT_BYTES_MAX = 32 << 10
const zero = Buffer.from([0])

function packet(body: Buffer, length = body.length + 4): Buffer {
  const head = Buffer.alloc(4)
  head.writeInt32BE(length, 0)
  return Buffer.concat([head, body])
}
function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value, 0)
  return bytes
}

const NAMES = [
  ...['user', 'database', 'application_name', 'options', 'replication', 'client_encoding'],
  ...['User', 'DATABASE', 'search_path', 'DateStyle', 'datestyle', 'TimeZone', 'role', 'ROLE'],
  ...['session_authorization', 'is_superuser', 'statement_timeout', 'row_security', '_pq_.x'],
  ...['standard_conforming_strings', 'Application_Name', 'sluice.identity', 'SLUICE.Identity'],
  ...['default_transaction_read_only', 'client_min_messages', '__proto__', 'constructor', ''],
].map((name) => Buffer.from(name))
const VALUES = [
  ...['app', 'orders', 'orders/archive', 'a/b/c', 'job=1; run=2', 'on', 'off', 'true', 'database'],
  ...['UTF8', 'latin1', '-c role=postgres', '--search-path=x', '-c a\\ b=c', '-crole=x', '-c', ''],
  ...['-c user=postgres', '--replication=1', '-c sluice.identity=root', '-c client_encoding=SJIS'],
  ...[
    '-c application_name=root',
    '-c SLUICE.identity=root',
    '-c "role"=x',
    '-c\trole=x',
    '"$user"',
  ],
  ...['pg_temp', '-c is_superuser=on -c x', '\\', '-c search_path=a,b', '-cDateStyle=ISO'],
].map((value) => Buffer.from(value))

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, hostileText)
const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...VALUES) }, hostileText)
const pairs = fc.array(fc.tuple(name, value), { maxLength: 8 })

const VERSIONS = [0x30000, 0x30000, 0x30002, 0x30009, 0x20000, 0x40000, 0x3ffff, 1234 << 16, 0]
const startup = fc
  .tuple(fc.constantFrom(...VERSIONS), pairs, fc.boolean())
  .map(([version, list, target]) => {
    const said = target
      ? [[Buffer.from('database'), Buffer.from('orders')] as const, ...list]
      : list
    const texts = said.flatMap((pair) => [pair[0], zero, pair[1], zero])
    return packet(Buffer.concat([word(version), ...texts, zero]))
  })
const request = fc
  .tuple(
    fc.constantFrom(80877102, 80877102, 80877103, 80877104, 80877105),
    fc.array(fc.nat(0xffffff).map(word), { maxLength: 70 }),
  )
  .map(([code, words]) => packet(Buffer.concat([word(code), ...words])))
const password = fc
  .oneof(hostileText, fc.constant(Buffer.alloc(20_000, 0x61)))
  .map((text) => Buffer.concat([Buffer.from('p'), packet(Buffer.concat([text, zero]))]))
const strange = fc
  .tuple(fc.constantFrom(...NUMBERS), hostileText)
  .map(([length, text]) => packet(text, length | 0))

const talk = fc
  .tuple(
    fc.array(fc.oneof(request, strange), { maxLength: 2 }),
    startup,
    fc.oneof({ weight: 5, arbitrary: password }, startup),
    fc.array(edit, { maxLength: 2 }),
  )
  .map(([first, start, last, edits]) => {
    const own = first.length > 0 && edits.length % 2 === 1 ? first : []
    return edits.reduce<Buffer>(edited, Buffer.concat([...own, start, last]))
  })
const asks = fc
  .tuple(fc.array(request, { minLength: 1, maxLength: 3 }), startup, password)
  .map(([first, start, last]) => [...first, start, last])

/** What came of what a client said: who it claims to be, that it went, or the error it is told. */
async function said(chunks: readonly Buffer[]) {
  const wire = new MemoryWire()
  const client = new Handshake(wire, KEPT_BYTES_MAX)
  const cancels: string[] = []
  const cancel = async (pid: number, key: Uint8Array): Promise<void> => {
    cancels.push(`${pid} ${Buffer.from(key).toString('hex')}`)
  }
  const door = { peer: '127.0.0.1', tls: undefined, plaintextFrom: ['127.0.0.0/8'], cancel }
  const outcome = hello(client, door).then(
    (claim) => claim ?? 'cancel',
    (error: unknown) => {
      if (error instanceof PeerGone) return 'gone'
      if (error instanceof GatewayError) return error.code
      throw error
    },
  )
  let over = false
  const done = outcome.finally(() => {
    over = true
  })
  for (const chunk of chunks) {
    if (over) break
    wire.receive(chunk)
    if (client.keptBytes > KEPT_BYTES_MAX) throw new Error('keeps too much')
    await Promise.resolve()
    await Promise.resolve()
  }
  await new Promise((resolve) => setImmediate(resolve))
  wire.close()
  await done
  return { outcome: await outcome, answers: Buffer.concat(wire.written), cancels }
}

/** What the login may say before it knows who is there. */
function isAnswer(bytes: Buffer): boolean {
  let rest = bytes
  while (rest.length > 0 && rest[0] === 0x4e) rest = rest.subarray(1)
  if (rest.length > 0 && rest[0] === 0x76) rest = rest.subarray(1 + rest.readInt32BE(1))
  return rest.length === 0 || rest.equals(write.CLEARTEXT_PASSWORD)
}

/** The pairs of a start-up packet, by hand. undefined: not one that PostgreSQL takes. */
function pairsOf(bytes: Buffer): Map<string, string> | undefined {
  const texts = bytes.toString('latin1', 8).split('\0')
  // `name 0 value 0 … 0`: the last zero leaves two empty texts, one of them the end of the list.
  if (texts.pop() !== '' || texts.pop() !== '' || texts.length % 2 === 1) return undefined
  const map = new Map<string, string>()
  const decode = (text: string | undefined) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(text ?? '', 'latin1'))
  for (let at = 0; at < texts.length; at += 2) {
    if (texts[at] === '' || map.has(decode(texts[at]))) return undefined
    map.set(decode(texts[at]), decode(texts[at + 1]))
  }
  return map
}

const packed = fc
  .tuple(startup, fc.array(edit, { maxLength: 2 }))
  .map(([bytes, edits]) => edits.reduce<Buffer>((now, one: Edit) => edited(now, one), bytes))

const IDENTITY_PARAMETERS = [undefined, 'application_name', 'sluice.identity'] as const
const ALLOWED = ['read', 'read, write, admin'] as const

export const START_UP: readonly FuzzProperty[] = [
  property('start-up: means the same however it is cut', fc.tuple(talk, cuts, cuts), {
    runs: 150,
    holds: async ([bytes, one, other]) => {
      const [a, b] = [await said(pieces(bytes, one)), await said(pieces(bytes, other))]
      expect(isAnswer(a.answers)).toBe(true)
      // Where encryption is asked for, what stands behind the request in one chunk decides.
      if (bytes.includes(word(80877103)) || bytes.includes(word(80877104))) return
      expect(a.outcome).toEqual(b.outcome)
      expect(a.cancels).toEqual(b.cancels)
    },
  }),
  property('start-up: bytes behind a request for encryption end it', asks, {
    holds: async (parts) => {
      const { outcome, answers } = await said([Buffer.concat(parts)])
      const code = parts[0]!.readUInt32BE(4)
      const isAsked = parts[0]!.length === 8 && (code === 80877103 || code === 80877104)
      if (!isAsked) return
      expect(outcome).toBe('GW_MALFORMED')
      expect(answers.length).toBe(0)
    },
  }),
  property('start-up: a packet is read as a second reader reads it', packed, {
    runs: 500,
    holds: (bytes) => {
      const read = readStartup(bytes)
      const pairs = bytes.length < 9 ? undefined : pairsOf(bytes)
      expect(read && [...read.parameters]).toEqual(pairs && [...pairs])
    },
  }),
  property(
    'start-up: what goes to the target is what may be set',
    fc.tuple(pairs, fc.constantFrom(...IDENTITY_PARAMETERS), fc.constantFrom(...ALLOWED)),
    {
      runs: 300,
      holds: ([list, identityParameter, allow]) => {
        const grant = grantWith({ identityParameter, allow })
        // A packet ends where a name would be empty.
        const named = list.filter(([a]) => a.length > 0)
        const parameters = new Map(named.map(([a, b]) => [a.toString(), b.toString()]))
        let sent: ReadonlyMap<string, string>
        try {
          sent = startupParameters({ ...CLAIM, parameters }, grant)
        } catch (error) {
          expect((error as GatewayError).code).toBe('GW_CLASS_DENIED')
          return
        }
        // As PostgreSQL reads the packet: its own words exactly, parameters in any case, the last one counts.
        const target = readStartup(write.startup(sent))!.parameters
        expect([target.get('user'), target.get('database')]).toEqual(['app', 'shop'])
        expect(target.get('options')).toBeUndefined()
        if (!grant.allow.has('admin')) expect(target.get('replication')).toBeUndefined()
        const last = new Map<string, string>()
        for (const [key, set] of target) last.set(key.toLowerCase(), set)
        if (identityParameter !== undefined) {
          const kept = [...target.keys()].filter((key) => key.toLowerCase() === identityParameter)
          expect([kept, last.get(identityParameter)]).toEqual([[identityParameter], 'ci'])
        }
        if (grant.allow.has('admin')) return
        for (const [key, set] of target) {
          const own = ['user', 'database', 'client_encoding', identityParameter]
          if (own.includes(key)) continue
          const judged = judgeParameter(key, set, { identityParameter, startup: true })
          expect([key, set, judged]).toEqual([key, set, 'harmless'])
        }
      },
    },
  ),
]
