/**
 * IO. The only door to koffi: the calls on descriptors that Node does not offer. Linux.
 *
 * Used in main alone; workers receive descriptors as numbers and wrap them in `net.Socket`.
 */
import { closeSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import koffi from 'koffi'

const F_DUPFD_CLOEXEC = 1030
const LOCK_EX_NB = 2 | 4
const EWOULDBLOCK = 11

const libc = koffi.load(null)
const fcntl = libc.func('int fcntl(int fd, int command, ...)')
const flock = libc.func('int flock(int fd, int operation)')

/**
 * A second descriptor for the socket's connection; destroying the socket then closes only its own. Closed on
 * exec, so that no child process keeps a client's connection open. `undefined` when the socket has none any
 * more or the process may open no more.
 */
export function duplicate(socket: Socket): number | undefined {
  const fd = descriptorOf(socket)
  if (fd === undefined) return undefined
  const copy: unknown = fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0)
  return typeof copy === 'number' && copy >= 0 ? copy : undefined
}

/** Closes a descriptor that main owns. Never throws: a failed close has released the number on Linux too. */
export function closeDescriptor(fd: number): void {
  try {
    closeSync(fd)
  } catch {}
}

/**
 * Takes the advisory lock of an open file without waiting; the kernel gives it back when the process ends,
 * however it ends. False when another process holds it.
 */
export function lockFile(fd: number): boolean {
  if (flock(fd, LOCK_EX_NB) === 0) return true
  const code = koffi.errno()
  if (code === EWOULDBLOCK) return false
  throw new Error(`flock failed with errno ${code}`)
}

/** How many descriptors this process may have open at once (RLIMIT_NOFILE; Node has raised soft to hard). */
export function descriptorsMax(): number {
  const line = /^Max open files\s+(\d+|unlimited)/m.exec(
    readFileSync('/proc/self/limits', 'latin1'),
  )
  const text = line?.[1] ?? '1024'
  return text === 'unlimited' ? 1 << 20 : Number(text)
}

/** The handle's descriptor is not in Node's types, but has been there since 0.x and cluster relies on it. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = '_handle' in socket ? socket._handle : undefined
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined
}
