/**
 * IO. What Node does not offer for descriptors. Linux.
 *
 * Used in main alone; workers receive descriptors as numbers and wrap them in `net.Socket`.
 */
import { closeSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { duplicateDescriptor } from '../base/libc.ts'

export { lockFile } from '../base/libc.ts'

/**
 * A second descriptor for the socket's connection; destroying the socket then closes only its own. Closed on
 * exec, so that no child process keeps a client's connection open. `undefined` when the socket has none any
 * more or the process may open no more.
 */
export function duplicate(socket: Socket): number | undefined {
  const fd = descriptorOf(socket)
  return fd === undefined ? undefined : duplicateDescriptor(fd)
}

/** Closes a descriptor that main owns. Never throws: a failed close has released the number on Linux too. */
export function closeDescriptor(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // The number is free all the same; a second try could close somebody else's.
  }
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
