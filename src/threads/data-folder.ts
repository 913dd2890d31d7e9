/**
 * IO. The data folder of one running gateway: made, locked, and with the key that records are made with.
 *
 * The lock is the kernel's (flock on `lock`), so it ends with the process however that ends; the number inside
 * is for people. Two gateways on one folder would ship each other's spool.
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { closeDescriptor, lockFile } from '../accept/descriptor.ts'
import { ulid } from '../base/id.ts'
import { StartError } from './start-error.ts'

const KEY_BYTES = 32

export interface DataFolder {
  readonly spoolFolder: string
  /** Key of `statement_hash`. */
  readonly recordKey: Uint8Array
  /** Names this gateway among others on one record store; made at the first start. */
  readonly gatewayId: string
  /** Others may read the folder's names; files in it are closed to them all the same. */
  readonly isOpenToOthers: boolean
  /** Gives the lock back. */
  close(): void
}

/** Throws `StartError` when the folder cannot be used or another gateway uses it. */
export function openDataFolder(path: string): DataFolder {
  makeFolder(path)
  const mode = statSync(path).mode
  if ((mode & 0o022) !== 0) {
    throw new StartError(
      `The data folder ${path} can be written to by others; run: chmod 700 ${path}`,
    )
  }
  const lock = takeLock(path)
  try {
    const [spoolFolder, keys] = [join(path, 'spool'), join(path, 'keys')]
    makeFolder(spoolFolder)
    makeFolder(keys)
    const recordKey = keyFrom(join(keys, 'record.key'))
    const gatewayId = nameFrom(join(path, 'gateway-id'))
    const isOpenToOthers = (mode & 0o055) !== 0
    return { spoolFolder, recordKey, gatewayId, isOpenToOthers, close: () => closeDescriptor(lock) }
  } catch (error) {
    closeDescriptor(lock)
    throw error
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new StartError(`The folder ${path} cannot be made.`, error)
  }
}

function takeLock(folder: string): number {
  const path = join(folder, 'lock')
  const fd = openLock(path)
  if (!lockFile(fd)) {
    const pid = readFileSync(path, 'latin1').trim()
    closeSync(fd)
    throw new StartError(
      `The data folder ${folder} is in use by the gateway with process id ${pid}.`,
    )
  }
  ftruncateSync(fd)
  writeSync(fd, `${process.pid}\n`)
  return fd
}

function openLock(path: string): number {
  try {
    return openSync(path, 'a+', 0o600)
  } catch (error) {
    throw new StartError(`The file ${path} cannot be written.`, error)
  }
}

/** Made once, under the lock. A key of another size is never replaced: records refer to it. */
function keyFrom(path: string): Uint8Array {
  const found = readIfThere(path)
  if (found === undefined) return makeKey(path)
  if (found.length !== KEY_BYTES) {
    throw new StartError(
      `The key ${path} is damaged: ${found.length} bytes instead of ${KEY_BYTES}.`,
    )
  }
  return found
}

function makeKey(path: string): Uint8Array {
  const key = randomBytes(KEY_BYTES)
  writeWhole(path, key)
  return new Uint8Array(key)
}

function nameFrom(path: string): string {
  const found = Buffer.from(readIfThere(path) ?? [])
    .toString('latin1')
    .trim()
  if (/^[0-9A-Z]{26}$/.test(found)) return found
  const made = ulid()
  writeWhole(path, Buffer.from(`${made}\n`))
  return made
}

/** All of it or nothing, on the disk when this returns. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const draft = `${path}.new`
  const fd = openSync(draft, 'w', 0o600)
  writeSync(fd, bytes)
  fsyncSync(fd)
  closeSync(fd)
  renameSync(draft, path)
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new StartError(`The file ${path} cannot be read.`, error)
  }
}
