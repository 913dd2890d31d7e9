/**
 * IO. The only door to koffi: the few calls of the C library that Node does not offer. Linux.
 *
 * Loaded once per thread that needs it. Every call here is quick; none blocks on a peer.
 */
import { getSystemErrorName } from 'node:util'
import koffi from 'koffi'

const F_DUPFD_CLOEXEC = 1030
const LOCK_EX_NB = 2 | 4
const EWOULDBLOCK = 11
const PROT_READ_WRITE = 1 | 2
const MAP_SHARED = 1
const MAP_PRIVATE = 2
const MAP_FIXED = 0x10
const MAP_ANONYMOUS = 0x20
const IPPROTO_TCP = 6
const TCP_CONGESTION = 13
const TIOCOUTQ = 0x5411
const POLLERR = 0x8
const POLLHUP = 0x10
const POLLRDHUP = 0x2000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const SCHED_OTHER = 0
const SCHED_IDLE = 5
/** Linux 5.14; older ones say EINVAL, and pages then come one by one. */
const MADV_POPULATE_WRITE = 23
/** Pages are made ready in steps of this many bytes: one call in place of 64 page faults. */
const READY_BYTES = 256 << 10

const libc = koffi.load(null)
const fcntl = libc.func('int fcntl(int fd, int command, ...)')
const flock = libc.func('int flock(int fd, int operation)')
const schedSetscheduler = libc.func('int sched_setscheduler(int tid, int policy, const int *param)')
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, const char *value, uint32_t size)',
)
const poll = libc.func('int poll(_Inout_ uint8_t *asked, unsigned long count, int waitMs)')
const ioctl = libc.func('int ioctl(int fd, unsigned long request, _Out_ int *value)')
// The address as a number: to hand a Buffer over costs more than the call.
const send = libc.func('int64_t send(int fd, uintptr_t bytes, size_t length, int flags)')
const posixFallocate = libc.func('int posix_fallocate(int fd, int64_t offset, int64_t length)')
const madvise = libc.func('int madvise(uintptr_t address, size_t length, int advice)')
const mmap = libc.func(
  'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
)

/** A second descriptor of the same open file, closed on exec; undefined when there can be none. */
export function duplicateDescriptor(fd: number): number | undefined {
  const copy: unknown = fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0)
  return typeof copy === 'number' && copy >= 0 ? copy : undefined
}

/**
 * Takes the advisory lock of an open file without waiting; the kernel gives it back when the process ends,
 * however it ends. False when another process holds it.
 */
export function lockFile(fd: number): boolean {
  if (flock(fd, LOCK_EX_NB) === 0) return true
  const code = koffi.errno()
  if (code === EWOULDBLOCK) return false
  throw failure('flock', code)
}

/** Names the congestion control of a TCP socket; false where the kernel has none of this name. */
export function setCongestionControl(fd: number, name: string): boolean {
  return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, name.length) === 0
}

let lastSent: Buffer | undefined
let lastAddress = 0

/**
 * Bytes of [start, end) that the socket took without waiting; 0 where it took none for now. Throws what the kernel
 * says otherwise, as Node's own errors. Half the cost of `fs.writeSync`, which is a file's.
 */
export function sendNow(fd: number, bytes: Buffer, start: number, end: number): number {
  if (bytes !== lastSent) {
    // Asking makes the memory of a small Buffer stay where it is.
    lastAddress = Number(koffi.address(bytes))
    lastSent = bytes
  }
  const sent: number = send(fd, lastAddress + start, end - start, MSG_DONTWAIT | MSG_NOSIGNAL)
  if (sent >= 0) return sent
  const code = koffi.errno()
  if (code === EWOULDBLOCK) return 0
  throw failure('send', code)
}

/** Bytes of a `struct pollfd`: the descriptor, what is asked, what is answered. */
const POLL_BYTES = 8

/** Of each socket whether its peer will send no more or has reset it, though nobody has read what it said before. */
export function haveLeft(fds: readonly number[]): boolean[] {
  const asked = Buffer.alloc(fds.length * POLL_BYTES)
  fds.forEach((fd, at) => {
    asked.writeInt32LE(fd, at * POLL_BYTES)
    asked.writeInt16LE(POLLRDHUP, at * POLL_BYTES + 4)
  })
  // Where it fails nobody has left: the next look comes.
  poll(asked, fds.length, 0)
  return fds.map((_, at) => {
    const found = asked.readUInt16LE(at * POLL_BYTES + 6)
    return (found & (POLLRDHUP | POLLHUP | POLLERR)) !== 0
  })
}

/** What a socket was given to send and its peer has not taken, in the kernel's hands; 0 where that cannot be said. */
export function unsentBytes(fd: number): number {
  const value = [0]
  return ioctl(fd, TIOCOUTQ, value) === 0 ? value[0]! : 0
}

/** A thread takes only time that no other wants (SCHED_IDLE), or its share again. Throws where that is not allowed. */
export function scheduleIdle(tid: number, idle: boolean): void {
  if (schedSetscheduler(tid, idle ? SCHED_IDLE : SCHED_OTHER, [0]) === 0) return
  throw failure('sched_setscheduler', koffi.errno())
}

/**
 * A place in memory at which one file after the other can be seen. What is written into `bytes` is in the kernel's
 * hands at once, without a call: it survives the end of the process as a completed `write` does.
 *
 * The place itself stays for the life of the process, so `bytes` is valid for ever; while no file is there, it is
 * ordinary memory.
 */
export class FileWindow {
  readonly bytes: Buffer
  readonly #address: unknown
  readonly #start: bigint
  /** Bytes whose pages are there. */
  #ready = 0

  constructor(size: number) {
    const address: unknown = mmap(null, size, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    this.#address = checked(address)
    this.#start = koffi.address(this.#address as Parameters<typeof koffi.address>[0])
    this.bytes = Buffer.from(koffi.view(this.#address as Parameters<typeof koffi.view>[0], size))
  }

  /**
   * Shows the first bytes of a file, which grows to the window's size with all its blocks reserved: a store into the
   * window can then not fail for want of room. Throws when there is none.
   */
  show(fd: number): void {
    const size = this.bytes.length
    const code: unknown = posixFallocate(fd, 0, size)
    if (code !== 0) throw failure('posix_fallocate', Number(code))
    checked(mmap(this.#address, size, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, fd, 0))
    this.#ready = 0
  }

  /** Call before bytes up to `end` are written: brings the pages in beforehand, many at a time. Only for speed. */
  reach(end: number): void {
    if (end <= this.#ready) return
    const size = Math.min(READY_BYTES, this.bytes.length - this.#ready)
    madvise(this.#start + BigInt(this.#ready), size, MADV_POPULATE_WRITE)
    this.#ready += size
  }

  /** Lets go of the file, which may be cut or closed afterwards. */
  hide(): void {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
    checked(mmap(this.#address, this.bytes.length, PROT_READ_WRITE, flags, -1, 0))
  }
}

/** With the system's name of the error as `code`, as Node's own have it. */
function failure(call: string, errno: number): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${call} failed: ${code}`), { code })
}

/** MAP_FAILED is -1. */
function checked(address: unknown): unknown {
  const value = koffi.address(address as Parameters<typeof koffi.address>[0])
  if (value === 0n || value === 0xffff_ffff_ffff_ffffn || value === -1n) {
    throw failure('mmap', koffi.errno())
  }
  return address
}
