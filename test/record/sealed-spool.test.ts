import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { SEALED_HEADER } from '../../src/record/sealed-segment.ts'
import { sealedFolder } from '../../src/record/sealed-spool.ts'

const dist = fileURLToPath(new URL('../../dist/src', import.meta.url))
const folders: string[] = []
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Writes once, tells how it went, asks for room, and writes the same again. */
const WRITER = `
const { SealedSpool } = await import('${dist}/record/sealed-spool.js')
const [, spoolFolder, strict] = process.argv
const spool = new SealedSpool({ spoolFolder, instance: 'I', thread: 1, bytesMax: 1e6, strict: strict === 'true' })
const bytes = Buffer.from('what stands for records')
try {
  spool.write(bytes)
} catch (error) {
  process.send({ code: error.code, cause: error.cause?.code })
}
const waiting = setInterval(() => {}, 1000)
process.once('message', () => {
  clearInterval(waiting)
  spool.write(bytes)
  spool.close()
  process.disconnect()
})
`

test.each([false, true])(
  'a segment whose beginning cannot be written is none; strict: %s',
  async (strict) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-sealed-'))
    folders.push(folder)
    const node = [process.execPath, '--input-type=module', '-e', WRITER, folder, String(strict)]
    const limited = spawn('prlimit', ['--fsize=2:unlimited', ...node], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    children.push(limited)
    const report = await new Promise((resolve, reject) => {
      limited.once('message', resolve)
      limited.once('exit', (code) => reject(new Error(`ended with ${code}`)))
    })
    expect(report).toEqual({ code: 'GW_RECORDING_LOST', cause: 'EFBIG' })
    expect(readdirSync(sealedFolder(folder))).toEqual([])
    expect(spawnSync('prlimit', [`--pid=${limited.pid}`, '--fsize=unlimited']).status).toBe(0)
    limited.send('go on')
    await new Promise((resolve) => limited.once('exit', resolve))
    const names = readdirSync(sealedFolder(folder))
    expect(names).toHaveLength(1)
    const written = readFileSync(join(sealedFolder(folder), names[0]!))
    expect(written).toEqual(Buffer.concat([SEALED_HEADER, Buffer.from('what stands for records')]))
  },
)
