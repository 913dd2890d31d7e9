import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ErrorMasks,
  maskError,
  maskNotification,
} from '../../../src/protocols/postgres/mask-error.ts'
import { setOf } from '../../lib/detector-examples.ts'

const SECRET = 'alice@mail.example'

function frame(kind: string, fields: Record<string, string>): Buffer {
  const parts = Object.entries(fields).map(([type, text]) => `${type}${text}\0`)
  const body = Buffer.from(`${parts.join('')}\0`)
  const head = Buffer.alloc(5)
  head.write(kind)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function masks(more: Partial<ErrorMasks> = {}): ErrorMasks {
  return { columns: true, detectors: undefined, key: Buffer.alloc(32), tally: new Map(), ...more }
}

function masked(fields: Record<string, string>, how = masks()): Record<string, string> {
  const before = frame('E', { S: 'ERROR', V: 'ERROR', ...fields })
  const result = maskError(before, how)
  expect(result).not.toBe('malformed')
  const after = result === 'same' || result === 'malformed' ? before : result
  expect(after.readInt32BE(1)).toBe(after.length - 1)
  expect(after[after.length - 1]).toBe(0)
  const texts = after.subarray(5, -1).toString().split('\0').filter(Boolean)
  return Object.fromEntries(texts.map((text) => [text[0], text.substring(1)]))
}

test('a message that carries names only stays, its detail does not', () => {
  const after = masked({
    C: '23505',
    M: 'duplicate key value violates unique constraint "u"',
    D: `Key (email)=(${SECRET}) already exists.`,
    s: 'public',
    t: 'users',
    n: 'u',
  })
  expect(after).toMatchObject({
    C: '23505',
    M: 'duplicate key value violates unique constraint "u"',
    D: '****',
    s: 'public',
    t: 'users',
    n: 'u',
  })
})

test('of a value that is too long for a B-tree the names of table and index stay, its size does not', () => {
  const names = { s: 'public', t: 'users', n: 'users_note' }
  const M = 'index row size 4816 exceeds btree version 4 maximum 2704 for index "users_note"'
  const after = masked({ C: '54000', M, ...names })
  expect(after).toMatchObject(names)
  expect(after.M).toMatch(/^\*{4} \(hidden/)
})

test('a message that may quote a value is replaced, in whatever language it is', () => {
  const text = `ungültige Eingabesyntax für Typ integer: »${SECRET}«`
  const after = masked({ C: '22P02', M: text, H: SECRET })
  expect(after.M).toMatch(/^\*{4} \(hidden/)
  expect(after.H).toBe('****')
  expect(after.C).toBe('22P02')
})

test('what was found in the text of the client itself stays', () => {
  const fields = {
    C: '42703',
    M: 'column "emial" does not exist',
    H: 'Perhaps you meant to reference the column "users.email".',
    P: '8',
  }
  expect(masked(fields)).toMatchObject(fields)
  const { P: _, ...atRunTime } = { ...fields, C: '42P01', M: `relation "${SECRET}" does not exist` }
  expect(JSON.stringify(masked(atRunTime))).not.toContain(SECRET)
})

test('of the record it is hidden where it quotes a literal, which may be meant for a masked column', () => {
  const M = `invalid input syntax for type integer: "${SECRET}"`
  const record = masks({ quotes: true })
  for (const C of ['22P02', '22007', '42601']) {
    expect(masked({ C, M, P: '45' }).M).toBe(M)
    expect(masked({ C, M, P: '45' }, record).M).toMatch(/^\*{4} \(hidden/)
  }
  const names = { C: '42703', M: 'column "x" does not exist', P: '8' }
  expect(masked(names, record).M).toBe(names.M)
})

test('what code raised is hidden whole, whatever code it gives itself', () => {
  const raised: Record<string, string>[] = [
    { C: 'P0001', M: SECRET },
    { C: '23505', M: SECRET, W: `PL/pgSQL function f("${SECRET}") line 3 at RAISE`, t: SECRET },
    { C: '42P01', M: SECRET, P: '3', q: SECRET },
    { C: '00000', M: SECRET },
    { C: '00000', M: 'names come with no notice of the server', s: SECRET, t: SECRET },
    { C: '42P07', M: 'nor with a refusal', c: SECRET, d: SECRET, n: SECRET },
    { M: SECRET },
    { C: '23505', M: 'x', Z: SECRET },
  ]
  for (const fields of raised) expect(JSON.stringify(masked(fields))).not.toContain(SECRET)
})

test('a code that is given twice counts as none', () => {
  const twice = Buffer.from(frame('E', { C: '23505', c: 'x', M: SECRET }))
  twice[twice.indexOf('c'.charCodeAt(0), 5)] = 'C'.charCodeAt(0)
  expect(maskError(twice, masks()).toString('latin1')).not.toContain(SECRET)
})

test('with detectors alone only what they find is hidden', () => {
  const tally = new Map<string, number>()
  const how = masks({ columns: false, detectors: setOf('email'), tally })
  const after = masked({ C: '23505', M: 'duplicate', D: `Key (email)=(${SECRET})`, W: SECRET }, how)
  expect(after).toMatchObject({ M: 'duplicate', D: 'Key (email)=(****)', W: '****' })
  expect(tally.get('email')).toBe(2)
  const clean = frame('N', { C: '00000', M: 'nothing' })
  expect(maskError(clean, how)).toBe('same')
})

test('without masks nothing changes', () => {
  expect(maskError(frame('E', { C: 'P0001', M: SECRET }), masks({ columns: false }))).toBe('same')
})

test('frames that do not add up are malformed, and noise never fails', () => {
  const whole = frame('E', { C: '23505', M: 'x' })
  for (let end = 5; end < whole.length; end++) {
    expect(maskError(whole.subarray(0, end), masks())).toBe('malformed')
  }
  expect(maskError(Buffer.concat([whole, Buffer.of(0)]), masks())).toBe('malformed')
  fc.assert(
    fc.property(fc.uint8Array(), (noise) => {
      maskError(Buffer.concat([Buffer.from('E0000'), noise]), masks())
      maskNotification(Buffer.concat([Buffer.from('A0000'), noise]))
    }),
  )
})

test('the payload of a notification is redacted, its channel and sender stay', () => {
  const notification = (payload: string): Buffer => {
    const body = Buffer.from(`\0\0\0\u0007channel\0${payload}\0`)
    const head = Buffer.from('A\0\0\0\0')
    head.writeInt32BE(body.length + 4, 1)
    return Buffer.concat([head, body])
  }
  expect(maskNotification(notification(SECRET))).toEqual(notification('****'))
  expect(maskNotification(notification(''))).toBe('same')
  expect(maskNotification(notification(SECRET).subarray(0, -1))).toBe('malformed')
})

test.each([
  ['a second code', [['C', `Key (email)=(${SECRET}) already exists.`]]],
  ['a position', [['p', SECRET]]],
  ['a severity', [['S', SECRET]]],
  ['a place in the source', [['F', `Key (email)=(${SECRET}) already exists.`]]],
] as const)('a text under the letter of %s hides, whatever it claims to be', (_, more) => {
  const fields = [['S', 'ERROR'], ['C', '23505'], ['M', 'no'], ...more]
  const body = Buffer.from(`${fields.map(([type, text]) => `${type}${text}\0`).join('')}\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(body.length + 4, 1)
  const after = maskError(Buffer.concat([head, body]), masks())
  expect(after).toBeInstanceOf(Buffer)
  expect(String(after)).not.toContain(SECRET)
})

test('a severity in any language, a position and a place in the source stay', () => {
  const fields = {
    S: 'ОШИБКА',
    C: '42601',
    P: '15',
    F: 'src/scan.l',
    L: '1188',
    R: 'scanner_yyerror',
  }
  expect(masked(fields)).toMatchObject(fields)
})
