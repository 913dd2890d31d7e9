/** The writer's side of the spool where its disk fails, and where it is encrypted. */
import fs, {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { SealedSpool, sealedFolder } from '../../src/record/sealed-spool.ts'
import { BLOCK_HEAD, readSegment, sealBlock } from '../../src/record/segment.ts'
import { openingOf } from '../../src/record/segment-cipher.ts'
import { Spool, type SpoolOptions } from '../../src/record/spool.ts'
import { makeRunKey, SpoolKeys } from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'

const bytes = Buffer.from('sixteen bytes and sixteen more .')
const KEY = { id: spoolKeyId(bytes), key: bytes }
const KEYS = new SpoolKeys([KEY])
const encrypt = makeRunKey(KEY)

let folder: string
let spools: { close(): void }[]
const real = fs.fdatasyncSync

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-spool-'))
  spools = []
})

afterEach(() => {
  disk('works')
  for (const spool of spools) spool.close()
  rmSync(folder, { recursive: true, force: true })
})

/** `forgets`: the next fdatasync says that it failed, and those behind it that all is well, as the kernel does. */
function disk(how: 'works' | 'forgets' | 'is gone', seen: number[] = []): void {
  let isTold = false
  fs.fdatasyncSync = (descriptor: number) => {
    seen.push(descriptor)
    if (how === 'works' || (how === 'forgets' && isTold)) return real(descriptor)
    isTold = true
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  }
  if (how === 'works' && seen.length === 0) fs.fdatasyncSync = real
  syncBuiltinESMExports()
}

function open(more: Partial<SpoolOptions> = {}): Spool {
  const spool = new Spool({
    folder,
    instance: ulid(),
    thread: 1,
    bytesMax: 1e9,
    strict: true,
    ratchet: true,
    announce: () => {},
    ...more,
  })
  spools.push(spool)
  return spool
}

function block(text: string, rows = 1): Buffer {
  const made = Buffer.concat([Buffer.alloc(BLOCK_HEAD), Buffer.from(text)])
  sealBlock(made, rows)
  return made
}

/** Of each segment, in their order: what its blocks hold. */
function texts(ending = ''): string[] {
  const names = readdirSync(folder).filter((name) => /\.(seg|open)$/.test(name))
  return names
    .sort()
    .filter((name) => name.endsWith(ending))
    .map((name) => {
      const opening = openingOf(readFileSync(join(folder, name)), KEYS)
      if ('locked' in opening) return 'locked'
      const read = readSegment(readFileSync(join(folder, name)), undefined, opening.opener)
      if (read === 'foreign') return 'foreign'
      expect(read.damaged).toBe(0)
      const { bytes, blocks } = read
      return blocks
        .map((to, at) => (at % 2 ? bytes.toString('utf8', blocks[at - 1], to) : ''))
        .join('')
    })
}

const lost = expect.objectContaining({ code: 'GW_RECORDING_LOST' })

test.each([undefined, encrypt])(
  'a segment that the disk did not take once gets nothing more, and what was refused stands once',
  (key) => {
    let failures = 0
    const spool = open({ encrypt: key, onSyncFailed: () => failures++ })
    spool.write(block('acknowledged'))
    disk('forgets')
    expect(() => spool.write(block('refused'))).toThrow(lost)
    expect(failures).toBe(1)
    // Ended with what was acknowledged, and cut there.
    expect(texts('.seg')).toEqual(['acknowledged'])
    expect(texts('.open')).toEqual([])
    const [ended] = readdirSync(folder).filter((name) => name.endsWith('.seg'))
    const { size, mtimeMs } = statSync(join(folder, ended!))
    spool.write(block('refused'))
    spool.write(block(', and more'))
    spool.close()
    expect(texts()).toEqual(['acknowledged', 'refused, and more'])
    expect(statSync(join(folder, ended!))).toMatchObject({ size, mtimeMs })
    expect(failures).toBe(1)
  },
)

test('a disk that takes nothing any more leaves no segment behind, and no descriptor', () => {
  disk('is gone')
  const spool = open()
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 20; i++) expect(() => spool.write(block('refused'))).toThrow(lost)
  expect(() => spool.write(block('x'.repeat(20 << 20)))).toThrow(lost)
  expect(readdirSync(folder).filter((name) => !name.endsWith('.ratchet'))).toEqual([])
  expect(readdirSync('/proc/self/fd').length).toBe(before)
  disk('works')
  spool.write(block('taken'))
  spool.close()
  expect(texts()).toEqual(['taken'])
})

test('without strict nothing waits for the disk', () => {
  const seen: number[] = []
  disk('works', [...seen])
  disk('is gone', seen)
  const spool = open({ strict: false })
  spool.write(block('written'))
  spool.close()
  expect(seen).toEqual([])
  expect(texts()).toEqual(['written'])
})

test('sealed originals likewise: a write that failed ends its segment', () => {
  let failures = 0
  const spool = new SealedSpool({
    spoolFolder: folder,
    instance: ulid(),
    thread: 1,
    bytesMax: 1e9,
    strict: true,
    onSyncFailed: () => failures++,
  })
  spools.push(spool)
  spool.write(Buffer.from('one '))
  disk('forgets')
  expect(() => spool.write(Buffer.from('two '))).toThrow(lost)
  spool.write(Buffer.from('two '))
  spool.close()
  const names = readdirSync(sealedFolder(folder)).sort()
  expect(failures).toBe(1)
  const ends = names.map((name) => readFileSync(join(sealedFolder(folder), name)).subarray(10))
  expect(ends.map(String)).toEqual(['one ', 'two '])
  disk('is gone')
  for (let i = 0; i < 5; i++) expect(() => spool.write(Buffer.from('three'))).toThrow(lost)
  expect(readdirSync(sealedFolder(folder))).toHaveLength(2)
})

const MARKER = 'a marker that stands nowhere'

/** Every byte of every file in the folder and below, as it is at this moment. */
function wholeFolder(): Buffer {
  const names = readdirSync(folder, { recursive: true }).map(String)
  const files = names.filter((name) => statSync(join(folder, name)).isFile())
  return Buffer.concat(files.map((name) => readFileSync(join(folder, name))))
}

test('encrypted, no byte of what is written stands in the folder: open, complete, large, cut off, refused', () => {
  const spool = open({ encrypt })
  const sealed = new SealedSpool({
    ...{ spoolFolder: folder, instance: ulid(), thread: 1, bytesMax: 1e9, strict: true, encrypt },
  })
  spools.push(sealed)
  const look = () => {
    const all = wholeFolder()
    for (const part of [MARKER, MARKER.substring(0, 9), MARKER.substring(9)])
      expect(all.includes(part)).toBe(false)
    return all.length
  }
  spool.write(block(MARKER.repeat(100)))
  sealed.write(Buffer.from(MARKER))
  // With all the room behind it.
  expect(look()).toBeGreaterThan(4 << 20)
  disk('forgets')
  expect(() => spool.write(block(MARKER))).toThrow(lost)
  look()
  spool.write(block(MARKER))
  spool.write(block(MARKER.repeat(700_000)))
  look()
  spool.write(block(`${MARKER}, last`))
  spool.close()
  sealed.close()
  look()
  expect(texts().map((text) => text.length)).toEqual([2800, 28, 19_600_000, 34])
  expect(texts().at(-1)).toBe(`${MARKER}, last`)
})

test('clear and encrypted segments, and those of other keys, lie beside each other', () => {
  const other = { id: spoolKeyId(Buffer.from(bytes).reverse()), key: Buffer.from(bytes).reverse() }
  for (const [text, key] of [
    ['clear', undefined],
    ['encrypted', encrypt],
    ['by another', makeRunKey(other)],
  ] as const) {
    const spool = open({ encrypt: key, instance: `I${text.length}` })
    spool.write(block(text))
    spool.close()
  }
  expect(texts().sort()).toEqual(['clear', 'encrypted', 'locked'])
  const both = new SpoolKeys([other, KEY])
  const names = readdirSync(folder).filter((name) => name.endsWith('.seg'))
  for (const name of names)
    expect(openingOf(readFileSync(join(folder, name)), both)).toHaveProperty('opener')
})

test('a copy of the folder at any moment is what a kill leaves: whole blocks, and nothing of it clear', () => {
  const spool = open({ encrypt, strict: false })
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  for (let i = 1; i <= 50; i++) {
    spool.write(block(`${MARKER} ${i};`))
    const [name] = readdirSync(folder).filter((one) => one.endsWith('.open'))
    copyFileSync(join(folder, name!), join(copy, name!))
    const left = readFileSync(join(copy, name!))
    const opening = openingOf(left, KEYS)
    const read = 'opener' in opening && readSegment(left, undefined, opening.opener)
    expect(read).toMatchObject({ rows: i, damaged: 0 })
    expect(left.includes(MARKER)).toBe(false)
  }
})
