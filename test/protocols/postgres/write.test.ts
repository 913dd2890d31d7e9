import fc from 'fast-check'
import { Parser } from 'pg-protocol/dist/parser.js'
import { expect, test } from 'vitest'
import { ERRORS, type ErrorCode } from '../../../src/base/errors.ts'
import { framer } from '../../../src/protocols/postgres/frame.ts'
import { readFields, readStartup, readText } from '../../../src/protocols/postgres/read.ts'
import * as write from '../../../src/protocols/postgres/write.ts'

/** How an independent reader sees frames. */
function parsed(frame: Buffer): Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = []
  new Parser().parse(frame, (message) => messages.push(message as never))
  return messages
}

const field = fc.string({ minLength: 1 })

test('an error is read back as it was written, by us and by pg-protocol', () => {
  fc.assert(
    fc.property(field, field, field, (message, detail, hint) => {
      const frame = write.errorFrame({
        severity: 'ERROR',
        sqlstate: '42501',
        message,
        detail,
        hint,
      })
      const [error] = parsed(frame)
      expect(error).toMatchObject({ name: 'error', code: '42501' })
      const fields = readFields(frame, 0, frame.length)!
      const plain = (text: string) => Buffer.from(text.replaceAll('\0', '')).toString()
      expect(fields.get('M') ?? '').toBe(plain(message))
      expect([fields.get('D') ?? '', fields.get('H') ?? '']).toEqual([plain(detail), plain(hint)])
    }),
  )
})

test('no text of a refusal can end its field or begin another', () => {
  const frame = write.errorFrame({ severity: 'ERROR', sqlstate: '42501', message: 'a\0C00000\0b' })
  expect(readFields(frame, 0, frame.length)?.get('C')).toBe('42501')
})

test('every error of the gateway has an SQLSTATE and ends the session with its own words', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const frame = write.fatalFrame({ code, say: 'A sentence.' })
    const fields = readFields(frame, 0, frame.length)!
    expect(fields.get('C')).toMatch(/^[0-9A-Z]{5}$/)
    expect([fields.get('S'), fields.get('V'), fields.get('M')]).toEqual([
      'FATAL',
      'FATAL',
      'A sentence.',
    ])
    expect(JSON.parse(fields.get('D')!)).toHaveProperty('sluice.verdict')
  }
})

test('a refusal says the same to people and machines', () => {
  const frame = write.refusalFrame(
    { verdict: 'deny', kind: 'denied', rule: 'p/r', say: 'No.', hint: 'Ask.', position: 7 },
    3,
  )
  const fields = readFields(frame, 0, frame.length)!
  expect(Object.fromEntries(fields)).toMatchObject({ C: '42501', M: 'No.', H: 'Ask.', P: '7' })
  expect(JSON.parse(fields.get('D')!).sluice).toMatchObject({
    verdict: 'denied',
    rule: 'p/r',
    policy: 3,
    say: 'No.',
  })
})

test('notices are notices', () => {
  const frame = write.errorFrame({ severity: 'NOTICE', sqlstate: '00000', message: 'x' })
  expect(parsed(frame)[0]).toMatchObject({ name: 'notice' })
})

test('the frames of a welcome are what pg-protocol expects', () => {
  const key = write.backendKeyData(7, Buffer.from([0, 0, 0, 9]))
  const frames = Buffer.concat([write.AUTHENTICATION_OK, key, write.readyForQuery(0x49)])
  expect(parsed(frames)).toMatchObject([
    { name: 'authenticationOk' },
    { name: 'backendKeyData', processID: 7, secretKey: 9 },
    { name: 'readyForQuery', status: 'I' },
  ])
})

test('every frame is as long as it says', () => {
  const frames = [
    write.query('SELECT 1'),
    write.parse('s', 'SELECT 1'),
    write.describe('P', 'p'),
    write.copyFail('x'),
    write.password('x'),
    write.saslInitial('SCRAM-SHA-256', 'x'),
    write.saslFinal('x'),
    write.negotiateProtocolVersion(0, ['_pq_.x']),
    write.CLEARTEXT_PASSWORD,
    write.TERMINATE,
    write.SYNC,
  ]
  for (const frame of frames) expect(framer.size(frame, 0, frame.length)).toBe(frame.length)
  expect(readText(frames[0]!, 0, frames[0]!.length)).toBe('SELECT 1')
})

test('start-up packets say their protocol', () => {
  const read = readStartup(write.startup(new Map([['user', 'app']])))
  expect(read).toMatchObject({ major: 3, minor: 0 })
  expect(readStartup(write.startup(new Map(), 2))).toMatchObject({ major: 3, minor: 2 })
  expect(write.sslRequest().readInt32BE(4)).toBe(80877103)
})

test('a cancel request is as long as its key', () => {
  for (const size of [4, 32, 256]) {
    const frame = write.cancel(7, Buffer.alloc(size, 9))
    expect([frame.length, frame.readInt32BE(0)]).toEqual([12 + size, 12 + size])
    expect([frame.readInt32BE(4), frame.readInt32BE(8)]).toEqual([80877102, 7])
    expect(frame.subarray(12)).toEqual(Buffer.alloc(size, 9))
  }
})
