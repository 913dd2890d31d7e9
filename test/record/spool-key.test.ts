import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSpoolKeys, spoolKeyId } from '../../src/record/spool-key.ts'

const [ONE, TWO] = [randomBytes(32), randomBytes(32)]

function fault(text: string): string {
  const read = readSpoolKeys(text)
  return 'fault' in read ? read.fault : ''
}

test('a key is 32 bytes in base64 or hexadecimal digits, and those of earlier times follow it', () => {
  const text = `# of today\n${ONE.toString('base64')}\r\n\n  ${TWO.toString('hex')}  \n`
  expect(readSpoolKeys(text)).toEqual({
    keys: [
      { id: spoolKeyId(ONE), key: ONE },
      { id: spoolKeyId(TWO), key: TWO },
    ],
  })
})

test('what is short, long, cut, or no key is refused by line, and never repeated', () => {
  const base64 = ONE.toString('base64')
  const wrong = [
    randomBytes(31).toString('base64'),
    randomBytes(33).toString('base64'),
    ONE.toString('hex').substring(1),
    base64.substring(1),
    `${base64}A`,
    base64.replace('=', ''),
    `${base64.substring(0, 20)} ${base64.substring(20)}`,
    'hunter2hunter2hunter2hunter2hunt',
  ]
  for (const word of wrong) {
    expect(fault(`${TWO.toString('base64')}\n${word}`)).toMatch(/^line 2 of the secret: expected/)
    expect(fault(word)).not.toContain(word)
  }
  expect(fault('')).toContain('holds no key')
  expect(fault('# nothing\n')).toContain('holds no key')
  expect(fault(Buffer.alloc(32).toString('base64'))).toContain('repeats one byte')
  expect(fault('f'.repeat(64))).toContain('repeats one byte')
  expect(fault(Array.from({ length: 65 }, () => base64).join('\n'))).toContain('more than 64')
})

test('the id of a key says which one it is, and nothing of it', () => {
  expect(spoolKeyId(ONE)).toHaveLength(8)
  expect(spoolKeyId(ONE)).not.toEqual(spoolKeyId(TWO))
  expect(ONE.includes(spoolKeyId(ONE))).toBe(false)
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = readSpoolKeys(text)
      if ('keys' in read) expect(read.keys.length).toBeGreaterThan(0)
    }),
  )
})
