/**
 * IO (timers). Peers that are not read for now, looked at once a second: of a socket that nobody reads Node does not tell that its
 * peer has left.
 *
 * One timer and one call of the kernel for all of a thread, and none where everybody is read.
 */
import { haveLeft } from '../base/libc.ts'

export interface Unread {
  /** Of its socket; -1 when it is read again, or closed. */
  readonly unreadDescriptor: number
  /** It is still not read. Whether its peer has closed or reset the connection. */
  stillUnread(hasLeft: boolean): void
}

const LOOK_MS = 1_000

const watched = new Set<Unread>()
let timer: NodeJS.Timeout | undefined

/** Until it is read again or closed. */
export function watchUnread(one: Unread): void {
  watched.add(one)
  timer ??= setInterval(look, LOOK_MS).unref()
}

function look(): void {
  const descriptors: number[] = []
  for (const one of watched) {
    const descriptor = one.unreadDescriptor
    if (descriptor < 0) watched.delete(one)
    else descriptors.push(descriptor)
  }
  if (watched.size === 0) {
    clearInterval(timer)
    timer = undefined
    return
  }
  const left = haveLeft(descriptors)
  // Who is told may end itself or others.
  const all = [...watched]
  for (let at = 0; at < all.length; at++) all[at]!.stillUnread(left[at]!)
}
