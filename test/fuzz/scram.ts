/**
 * IO (memory). Fuzz of how a target is logged in to: SCRAM's messages against a second reader, and whole logins against a
 * target that lies at any point of them. The vault and the control thread's answers are the real ones.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { expect } from 'vitest'
import { Handshake, PeerGone } from '../../src/accept/handshake.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { Places } from '../../src/control/places.ts'
import { answer } from '../../src/control/ports.ts'
import { preparePassword, ROUNDS_MAX, readServerFirst } from '../../src/dial/scram.ts'
import { Vault } from '../../src/dial/vault.ts'
import { authenticate, TooNew } from '../../src/protocols/postgres/authenticate.ts'
import { ControlPort } from '../../src/threads/control-port.ts'
import type { ControlRequest } from '../../src/threads/messages.ts'
import { framed } from '../contract/frames.ts'
import { MemoryWire } from '../contract/memory.ts'
import { type FuzzProperty, property } from './driver.ts'
import { grantWith } from './grants.ts'
import {
  cuts,
  edit,
  edited,
  editedFrames,
  hostileBytes,
  hostileText,
  NUMBERS,
  pieces,
} from './mutate.ts'

const PASSWORD = 'p4ncil-of-the-vault'
const MARK = 'WORDS-OF-THE-TARGET'
process.env.SLUICE_FUZZ_SCRAM = PASSWORD

const OURS = 'rOprNGfwEbeRWgbNEkqO'
const part = fc.oneof(
  fc.constantFrom(`r=${OURS}theirs`, `r=${OURS}`, `r=${OURS.substring(1)}x`, 'r=', 'm=x', 'R=x'),
  fc.constantFrom('s=W22ZaJ0SNY7soEsUEjb6gQ==', 's=', 's=a', 's=YQ=', 's=YQ==', 's=YWI', 's=Y Q='),
  fc.constantFrom('i=4096', 'i=1', 'i=0', 'i=-1', 'i=1e3', 'i=0x10', 'i= 1', 'i=04096', 'i=١'),
  fc.constantFrom(...NUMBERS).map((number) => `i=${number}`),
  fc.constantFrom('', 'x=y', 'e=other-error', 'v=x'),
  fc.nat(2000).map((size) => `r=${OURS}${'x'.repeat(size)}`),
  fc.nat(2000).map((size) => `s=${'QUFB'.repeat(size)}`),
  hostileText.map((bytes) => bytes.toString()),
)
const good = fc
  .tuple(
    fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
    fc.uint8Array(),
    fc.nat(ROUNDS_MAX + 9),
  )
  .map(([nonce, salt, rounds]) => [
    `r=${OURS}${nonce}`,
    `s=${Buffer.from(salt).toString('base64')}`,
    `i=${rounds}`,
  ])
const serverFirst = fc
  .tuple(fc.oneof(good, fc.array(part, { maxLength: 5 })), fc.array(part, { maxLength: 1 }))
  .chain(([parts, more]) =>
    fc.tuple(fc.constant([...parts, ...more].join(',')), fc.array(edit, { maxLength: 1 })),
  )
  .map(([text, edits]) => edits.reduce<Buffer>(edited, Buffer.from(text)).toString())

/** RFC 5802's `server-first-message` with PostgreSQL's and our limits, as one expression. */
function isServerFirst(text: string): boolean {
  const found = /^r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]*)(?:,|$)/.exec(text)
  if (found === null || text.length > 4096) return false
  const [, nonce = '', salt = '', rounds = ''] = found
  const bytes = Buffer.from(salt, 'base64')
  const isExact = bytes.length <= 1024 && salt.length % 4 === 0
  const isOurs = nonce.length > OURS.length && nonce.length <= 1024 && nonce.startsWith(OURS)
  return isExact && bytes.length > 0 && isOurs && BigInt(rounds) <= BigInt(ROUNDS_MAX)
}

type Move =
  | { readonly say: 'frame'; readonly bytes: Buffer }
  | { readonly say: 'scram-first' | 'scram-final' | 'ok' | 'error' | 'negotiate' | 'wait' }

interface Target {
  readonly moves: readonly Move[]
  readonly knows: boolean
  readonly edits: readonly (readonly [number, Parameters<typeof edited>[1]])[]
}

const authentication = (code: number, body: Uint8Array = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(4)
  head.writeInt32BE(code, 0)
  return framed('R', Buffer.concat([head, body]))
}
const offers = fc
  .subarray(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', '', MARK])
  .map((list) => authentication(10, Buffer.from(`${list.join('\0')}\0\0`)))
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.constantFrom<Move>(
    ...(['scram-first', 'scram-final', 'ok', 'error', 'negotiate', 'wait'] as const).map((say) => ({
      say,
    })),
  ),
  fc
    .oneof(
      offers,
      fc.constantFrom(3, 5, 0, 7, 9, 12, 11, -1, 6).map((code) => authentication(code)),
      fc.constant(authentication(5, Buffer.from('salt'))),
      fc
        .tuple(fc.constantFrom('R', 'E', 'N', 'v', 'S', 'K', 'Z', '?'), hostileBytes)
        .map(([kind, body]) => framed(kind, body)),
      hostileBytes,
    )
    .map((bytes) => ({ say: 'frame' as const, bytes })),
)
const scram: readonly Move[] = [
  { say: 'frame', bytes: authentication(10, Buffer.from('SCRAM-SHA-256\0\0')) },
  { say: 'scram-first' },
  { say: 'scram-final' },
  { say: 'ok' },
]
const moves = fc.oneof(
  fc.array(move, { maxLength: 6 }),
  fc
    .tuple(fc.nat(4), fc.array(move, { maxLength: 2 }))
    .map(([at, more]) => [...scram.slice(0, at), ...more, ...scram.slice(at)]),
  fc.constant(scram),
)
const target: fc.Arbitrary<Target> = fc.record({
  moves,
  knows: fc.boolean(),
  edits: fc.array(fc.tuple(fc.nat(5), edit), { maxLength: 1 }),
})

/** Plays a target: says its moves one by one, the ones of SCRAM as answers to what it was told. */
class Liar {
  readonly wire = new MemoryWire()
  readonly #target: Target
  readonly #sizes: readonly number[]
  #heard = Buffer.alloc(0)
  #nonce = ''
  #first = ''
  /** The whole of SCRAM was spoken as it should be, by one who knows the password, and nothing was changed. */
  isProven = false
  /** The gateway has made up its mind. */
  isOver = false
  #final = false

  constructor(one: Target, sizes: readonly number[]) {
    this.#target = one
    this.#sizes = sizes
  }

  async play(): Promise<void> {
    for (const [at, one] of this.#target.moves.entries()) {
      if (this.isOver) break
      await new Promise((resolve) => setImmediate(resolve))
      if (one.say === 'scram-first' || one.say === 'scram-final') await this.#listen()
      let bytes = this.#bytesOf(one)
      const changes = this.#target.edits.filter(([which]) => which === at)
      for (const [, change] of changes) bytes = Buffer.concat(editedFrames([bytes], change))
      if (one.say === 'scram-final') this.isProven ||= this.#final && changes.length === 0
      for (const piece of pieces(bytes, this.#sizes)) this.wire.receive(piece)
    }
    for (let turns = 0; turns < 3 && !this.isOver; turns++)
      await new Promise((resolve) => setImmediate(resolve))
    this.wire.close()
  }

  /** Waits a little for the gateway's next word: its password takes a thread to be salted. */
  async #listen(): Promise<void> {
    for (let turns = 0; turns < 20 && !this.isOver; turns++) {
      const now = Buffer.concat(this.wire.written)
      if (now.length > this.#heard.length) {
        this.#heard = now
        return
      }
      await new Promise((resolve) => setTimeout(resolve, turns < 6 ? 0 : 1))
    }
  }

  #bytesOf(one: Move): Buffer {
    switch (one.say) {
      case 'frame':
        return one.bytes
      case 'ok':
        return authentication(0)
      case 'error':
        return framed('E', Buffer.from(`SFATAL\0VFATAL\0C28P01\0M${MARK}\0D${MARK}\0\0`))
      case 'negotiate':
        return framed('v', Buffer.from([0, 3, 0, 0, 0, 0, 0, 0]))
      case 'wait':
        return Buffer.alloc(0)
      case 'scram-first': {
        const heard = this.#heard.toString('latin1')
        this.#nonce = /n=,r=([!-+\--~]+)$/.exec(heard)?.[1] ?? 'none'
        const salt = Buffer.from('0123456789abcdef').toString('base64')
        this.#first = `r=${this.#nonce}${randomBytes(6).toString('base64')},s=${salt},i=16`
        return authentication(11, Buffer.from(this.#first))
      }
      case 'scram-final':
        return authentication(12, Buffer.from(this.#signature()))
    }
  }

  #signature(): string {
    const password = this.#target.knows ? PASSWORD : 'a guess'
    const salted = pbkdf2Sync(password, '0123456789abcdef', 16, 32, 'sha256')
    const heard = this.#heard.toString('latin1')
    const final = /c=[A-Za-z0-9+/=]+,r=[!-+\--~]+(?=,p=)/.exec(heard)?.[0] ?? ''
    const message = `n=,r=${this.#nonce},${this.#first},${final}`
    const key = createHmac('sha256', salted).update('Server Key').digest()
    this.#final = this.#target.knows && final !== '' && this.#first !== ''
    return `v=${createHmac('sha256', key).update(message).digest('base64')}`
  }
}

const AUTH = ['scram-sha-256', 'md5', 'password', 'trust', 'scram-sha-256, md5', 'md5, password']

function controlOf(grant: ReturnType<typeof grantWith>): { port: ControlPort; close(): void } {
  const vault = new Vault(() => new Map([['shop', grant.connection]]))
  const places = new Places({ max: () => undefined, waitMs: 1 })
  const nobody = () => Promise.reject(new Error('nobody'))
  const parts = { vault, places, identify: nobody, sealKey: nobody }
  const { port1, port2 } = new MessageChannel()
  const port = new ControlPort(10_000)
  port.attach(port1)
  port2.on('message', (request: ControlRequest) => {
    void answer(request, parts, 1).then((message) => port2.postMessage(message))
  })
  return { port, close: () => port2.close() }
}
const lines = new Map<string, ReturnType<typeof controlOf>>()

export const SCRAM: readonly FuzzProperty[] = [
  property('scram: a first message is read as a second reader reads it', serverFirst, {
    runs: 500,
    holds: (text) => {
      const read = readServerFirst(text, OURS)
      expect([text, typeof read === 'object']).toEqual([text, isServerFirst(text)])
      if (typeof read === 'string') expect(read.length).toBeLessThan(60)
    },
  }),
  property(
    'scram: no target is believed that did not prove itself, and none learns the password',
    fc.tuple(target, cuts, fc.constantFrom(...AUTH), fc.constantFrom(0, 2)),
    {
      runs: 150,
      holds: async ([one, sizes, auth, minor]) => {
        const grant = grantWith({ auth, password: 'SLUICE_FUZZ_SCRAM' })
        if (!lines.has(auth)) lines.set(auth, controlOf(grant))
        const control = lines.get(auth)!.port
        const liar = new Liar(one, sizes)
        const client = new Handshake(liar.wire, 1 << 20)
        const login = { grant, control, minor, certificate: undefined }
        const outcome = authenticate(client, login).then(
          () => 'in' as const,
          (error: unknown) => error,
        )
        void outcome.finally(() => {
          liar.isOver = true
        })
        await liar.play()
        const ended = await outcome
        const heard = Buffer.concat(liar.wire.written)
        if (ended === 'in') {
          const asked = (code: number) =>
            one.moves.some(
              (each) =>
                each.say === 'frame' &&
                each.bytes.indexOf(authentication(code).subarray(5, 9), 5) === 5,
            )
          const isFree = auth === 'trust'
          const isWeak =
            (auth.includes('md5') && asked(5)) || (auth.includes('password') && asked(3))
          expect(isFree || isWeak || one.edits.length > 0 || liar.isProven).toBe(true)
          // Whoever edits anything but the proof may still be right.
          if (auth === 'scram-sha-256') expect(one.knows).toBe(true)
        } else if (ended instanceof GatewayError) {
          expect(ended.say).not.toContain(MARK)
        } else if (!(ended instanceof PeerGone || ended instanceof TooNew)) throw ended
        if (!auth.includes('password')) expect(heard.includes(PASSWORD)).toBe(false)
        for (const text of [PASSWORD, preparePassword(PASSWORD)])
          expect(heard.includes(createHash('md5').update(text).digest('hex'))).toBe(false)
      },
    },
  ),
  property('scram: a password is prepared once and for all', hostileText, {
    runs: 300,
    holds: (bytes) => {
      const password = bytes.toString()
      const prepared = preparePassword(password)
      if (prepared === password) return
      expect(prepared).toBe(prepared.normalize('NFKC'))
      expect(prepared).not.toMatch(/[\p{Cc}\p{Cs}\p{Co}]/u)
      expect(preparePassword(prepared)).toBe(prepared)
    },
  }),
]
