/**
 * Attacks on what lies in the spool and is not signed yet: found by the ratchet, or said to be an unsigned tail; and on evidence
 * of gateways that share a store.
 */
import { createCipheriv } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { CANONICAL_COLUMNS } from '../../src/record/canonical.ts'
import { Chain } from '../../src/record/chain.ts'
import { Evidence } from '../../src/record/evidence.ts'
import { Tree } from '../../src/record/merkle.ts'
import { headText, newSigningKey, signKey, signText } from '../../src/record/proof.ts'
import { CONTENT_COLUMNS } from '../../src/record/row-binary.ts'
import { BLOCK_HEAD, readSegment, sealBlock } from '../../src/record/segment.ts'
import { Verifier } from '../../src/replay/verifier.mjs'
import { Place, until } from '../record/running.ts'
import { ALL, Attacks, record } from './attacks.ts'

test('what another gateway has not copied yet is no finding, what it never copied is one', () => {
  const made = Date.now() * 1000
  const say = (ago: number, ours = 'B') => {
    const verifier = new Verifier()
    const columns = { columns: CANONICAL_COLUMNS, contents: CONTENT_COLUMNS.length, canonical: 1 }
    verifier.line({ sluice: 'evidence', version: 1, scope: ALL, made, ...columns })
    for (const [chain, at] of [
      ['A', made - ago - 5_000_000],
      ['B', made],
    ] as const) {
      const key = newSigningKey()
      const place = {
        chain,
        number: 0,
        size: 0,
        root: new Tree().root,
        instance: `run of ${chain}`,
      }
      const head = {
        ...place,
        at,
        kind: 'run',
        previous: '',
        retention: 1,
        key: key.id,
      } as const
      const text = headText(head)
      const signed = { text, signature: signText(text, key), peaks: [] }
      verifier.line({ keys: [signKey(key, key, { chain, at: 1 })] })
      if (chain === ours) verifier.line({ known: [{ source: 'gateway', ...signed }] })
      verifier.line({ chain, from: null })
      verifier.line({ heads: [signed] })
    }
    const stray = { session: 's', first: 1, last: 2, rows: 2, at: made - ago }
    verifier.line({ strays: [{ ...stray, instance: 'run of A' }] })
    verifier.line({ end: true })
    return verifier.finish().findings.map(({ kind }) => kind)
  }
  expect(say(10_000_000)).toEqual([])
  expect(say(100_000_000)).toEqual(['unsigned'])
})

/** With a checksum that fits. */
function edit(path: string): void {
  const bytes = readFileSync(path)
  const content = contentOf(bytes)
  // Behind the header, whose length the instance's name says.
  const block = bytes.subarray(20 + bytes.readUInt16BE(18), content.blocks[1])
  block.write('CUSTOMERS', block.indexOf('customers'), 'latin1')
  sealBlock(block, block.readUInt32BE(8))
  writeFileSync(path, bytes)
}

/** Edited, and sealed anew with the key that lay beside it. */
function forge(path: string): void {
  edit(path)
  const stolen = readFileSync(path.replace(/-\d+\.seg$/, '.ratchet'), 'latin1')
  const key = Buffer.from(stolen.trim().split(' ')[1]!, 'hex')
  const bytes = readFileSync(path)
  const [seal] = contentOf(bytes).seals
  const said = seal!.bytes
  const cipher = createCipheriv('aes-256-gcm', key, said.subarray(4, 16))
  cipher.setAAD(said.subarray(0, 16)).setAAD(seal!.covers).final()
  cipher.getAuthTag().copy(said, 16)
  const start = said.byteOffset - bytes.byteOffset - BLOCK_HEAD
  sealBlock(bytes.subarray(start, start + BLOCK_HEAD + said.length), 0)
  writeFileSync(path, bytes)
}

/** Everything after the first block is gone, as if it had never been written. */
function cut(path: string): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, contentOf(bytes).blocks[1]))
}

function contentOf(bytes: Buffer) {
  const content = readSegment(bytes)
  if (content === 'foreign') throw new Error('no segment')
  return content
}

test('what a killed gateway left in its spool is an unsigned tail, changed or cut', async () => {
  const [dead, next] = [new Place(), new Place()]
  const changes: readonly (readonly [(path: string) => void, boolean])[] = [
    [() => {}, true],
    [edit, true],
    [edit, false],
    [forge, true],
    [cut, true],
  ]
  try {
    const left = changes.map(([, ratchet], thread) => {
      const recorder = dead.recorder({ thread, ratchet })
      const session = record(dead, recorder, 3, false)
      recorder.close()
      return {
        session,
        path: `${dead.instance}-${String(thread).padStart(4, '0')}-0000000001.seg`,
      }
    })
    // Killed: what lay there at that moment is all that the next run finds.
    mkdirSync(next.spool, { recursive: true })
    for (const name of readdirSync(dead.spool))
      copyFileSync(join(dead.spool, name), join(next.spool, name))
    for (const [index, { path }] of left.entries()) changes[index]![0](join(next.spool, path))
    const later = await Attacks.on(next)
    await until(() => readdirSync(next.spool).every((name) => !/\.(open|seg)$/.test(name)), 60_000)
    await later.ship.copyChain()
    const client = await later.ship.store.reader()
    const found = await later.lines(new Evidence(client, 'sluice', later.own), ALL)
    const report = later.judge(found)
    expect(report.status).toBe('broken')
    const of = (at: number) =>
      report.findings.filter(({ session }) => session === left[at]!.session)
    const tail = { kind: 'unsigned', first: 1, last: 6 }
    const holds = expect.stringContaining('the ratchet holds')
    const nothing = expect.stringContaining('nothing says')
    expect(of(0)).toMatchObject([{ ...tail, say: holds }])
    expect(of(1)).toMatchObject([{ kind: 'changed-tail', first: 1, last: 6 }])
    expect(of(2)).toMatchObject([{ ...tail, say: nothing }])
    // Whoever has the key can forge what was not signed: it is not said to be intact.
    expect(of(3)).toMatchObject([{ ...tail, say: holds }])
    expect(of(4)).toMatchObject([{ ...tail, say: nothing }])
  } finally {
    await next.close()
    await dead.close()
  }
}, 180_000)

test('what a killed gateway had covered and not signed is an unsigned tail: its log could be changed', async () => {
  const at = new Place()
  try {
    const recorder = at.recorder({ ratchet: true })
    const session = record(at, recorder, 2)
    recorder.close()
    const now = Date.now() * 1000 - 1_000_000
    const chain = Chain.open({
      ...{ folder: join(at.folder, 'chain'), spoolFolder: at.spool, gateway: 'test' },
      ...{ instance: at.instance, retention: { days: 400, connections: {} }, ratchet: true },
      ...{ clock: { microseconds: () => now, elapsed: () => now }, say: () => {} },
    })
    chain.tick()
    expect([chain.size, chain.head?.size]).toEqual([1, 0])
    chain.abandon()
    at.instance = ulid()
    const attacks = await Attacks.on(at)
    await until(() => readdirSync(at.spool).every((name) => !name.endsWith('.seg')), 60_000)
    await attacks.heads()
    const said = expect.stringContaining('signed only by a later run')
    for (const scope of [ALL, { type: 'session', session } as const]) {
      const { status, findings } = await attacks.after([], { scope })
      expect(findings).toMatchObject([{ kind: 'unsigned', session, first: 1, last: 5, say: said }])
      expect(status).toBe('unsigned tail')
    }
  } finally {
    await at.close()
  }
}, 180_000)

test('a segment that is replayed under another number is found', async () => {
  const at = new Place()
  const attacks = await Attacks.on(at)
  try {
    const session = record(at, at.recorder({ thread: 9, ratchet: true }), 1)
    const open = readdirSync(at.spool).find((name) => name.includes('-0009-'))!
    const copy = join(at.folder, 'stolen')
    copyFileSync(join(at.spool, open), copy)
    await until(() => !readdirSync(at.spool).some((name) => /-0009-.*\.(open|seg)$/.test(name)))
    writeFileSync(join(at.spool, `${at.instance}-0009-0000000077.seg`), readFileSync(copy))
    await until(() => !readdirSync(at.spool).some((name) => name.endsWith('77.seg')))
    await attacks.ship.copyChain()
    const { findings } = await attacks.after([])
    expect(findings.map((one) => one.session)).toContain(session)
    expect(findings.map(({ kind }) => kind)).toContain('added')
  } finally {
    await at.close()
  }
}, 180_000)
