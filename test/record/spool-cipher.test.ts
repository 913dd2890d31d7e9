import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  CIPHER_FRAME_BYTES,
  CIPHER_HEAD_BYTES,
  FrameDecryptor,
  FrameEncryptor,
  makeRunKey,
  SpoolKeys,
} from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'

const HEADER = Buffer.from('a header')
const NOTHING = Buffer.alloc(0)

function aKey() {
  const key = randomBytes(32)
  return { id: spoolKeyId(key), key }
}

const KEY = aKey()

function frame(cipher: FrameEncryptor, clear: string, spoken = 'spoken'): Buffer {
  const into = Buffer.alloc(clear.length + CIPHER_FRAME_BYTES)
  cipher.encrypt(Buffer.from(clear), Buffer.from(spoken), into)
  return into
}

function reader(header: Buffer, keys = [KEY]): FrameDecryptor {
  const unlocked = new SpoolKeys(keys).unlock(header)
  if (!('key' in unlocked)) throw new Error(JSON.stringify(unlocked))
  return new FrameDecryptor(unlocked.key)
}

test('what was encrypted is read, one behind the other, whatever the room that there is for it', () => {
  const cipher = new FrameEncryptor(makeRunKey(KEY), HEADER)
  const open = reader(cipher.header)
  const texts = ['one', '', 'x'.repeat(200_000), 'four']
  for (const text of texts) expect(open.open(Buffer.from('spoken'), frame(cipher, text))).toBe(true)
  expect(open.clear.toString('latin1', 0, open.end)).toBe(texts.join(''))
  expect(open.missing).toBe(0)
})

test('the same text is never the same bytes: not in a segment, not in two, not in two runs', () => {
  const run = makeRunKey(KEY)
  const writers = [run, run, makeRunKey(KEY)].map((one) => new FrameEncryptor(one, HEADER))
  const bodies = writers.flatMap((one) => [frame(one, 'the same'), frame(one, 'the same')])
  const seen = bodies.map((one) => one.subarray(4, -16).toString('hex'))
  expect(new Set(seen).size).toBe(6)
  // What failed to be written has used up its number.
  expect(bodies.map((one) => one.readUInt32BE(0))).toEqual([0, 1, 0, 1, 0, 1])
  expect(new Set(writers.map((one) => one.header.toString('hex'))).size).toBe(3)
})

test('a frame of another place, another segment, or with other words before it is not opened', () => {
  const run = makeRunKey(KEY)
  const [one, other] = [new FrameEncryptor(run, HEADER), new FrameEncryptor(run, HEADER)]
  const frames = ['a', 'b', 'c'].map((text) => frame(one, text))
  const spoken = Buffer.from('spoken')
  const open = reader(one.header)
  expect(open.open(Buffer.from('broken'), frames[0]!)).toBe(false)
  expect(open.open(spoken, frame(other, 'a'))).toBe(false)
  expect(open.open(spoken, frames[0]!)).toBe(true)
  expect(open.open(spoken, frames[0]!)).toBe(false)
  expect(open.open(spoken, frames[2]!)).toBe(true)
  expect(open.missing).toBe(1)
  expect(open.open(spoken, frames[1]!)).toBe(false)
  expect(open.open(spoken, Buffer.alloc(3))).toBe(false)
  expect(open.clear.toString('latin1', 0, open.end)).toBe('ac')
})

test('a changed bit of the header, wherever it is, opens nothing', () => {
  const cipher = new FrameEncryptor(makeRunKey(KEY), HEADER)
  const written = frame(cipher, 'secret')
  expect(cipher.header).toHaveLength(HEADER.length + CIPHER_HEAD_BYTES)
  for (let at = 0; at < cipher.header.length; at++) {
    const header = Buffer.from(cipher.header)
    header[at]! ^= 1
    const unlocked = new SpoolKeys([KEY]).unlock(header)
    const opens =
      'key' in unlocked && new FrameDecryptor(unlocked.key).open(Buffer.from('spoken'), written)
    expect(opens).toBe(false)
  }
})

test('keys of earlier times open what they have written; without them it is locked, and says by which', () => {
  const former = aKey()
  const { header } = new FrameEncryptor(makeRunKey(former), HEADER)
  expect(new SpoolKeys([KEY, former]).unlock(header)).toHaveProperty('key')
  expect(new SpoolKeys([KEY]).unlock(header)).toEqual({ locked: former.id.toString('hex') })
  expect(new SpoolKeys().unlock(header)).toEqual({ locked: former.id.toString('hex') })
  // Another key under the same id, which nobody can make: it opens nothing all the same.
  expect(new SpoolKeys([{ ...KEY, id: former.id }]).unlock(header)).toEqual({ forged: true })
})

test('neither key stands in what is written', () => {
  const run = makeRunKey(KEY)
  const cipher = new FrameEncryptor(run, HEADER)
  const bytes = Buffer.concat([cipher.header, frame(cipher, 'secret'), NOTHING])
  for (const key of [KEY.key, Buffer.from(run.key)]) {
    expect(bytes.includes(key)).toBe(false)
    expect(bytes.includes(key.subarray(0, 8))).toBe(false)
  }
})
