/**
 * IO (processes). How the engine's threads share a full machine with the sessions: they take what is left (SCHED_IDLE),
 * until somebody waits for them.
 *
 * Nothing is lost by waiting: what was forwarded is in the spool, and the spool has room. Beside that
 * all of them are nice, which is all that is left where the kernel does not let a thread be called back.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import os from 'node:os'
import { scheduleIdle } from '../base/libc.ts'

const NICE = 10
const CAP_SYS_NICE = 1n << 23n
/** The first user namespace's number, fixed in the kernel: a capability held in another one does not count for this. */
const FIRST_USER_NAMESPACE = 'user:[4026531837]'

/** Whether a thread that was put aside can be called back: without the capability it would stay there for ever. */
export function mayDefer(): boolean {
  try {
    if (readlinkSync('/proc/self/ns/user') !== FIRST_USER_NAMESPACE) return false
    const [, capabilities] =
      /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return (BigInt(`0x${capabilities ?? '0'}`) & CAP_SYS_NICE) !== 0n
  } catch {
    return false
  }
}

/** More looks than this are in vain: it starts threads faster than they can be set. */
const LOOKS_MAX = 50

/**
 * Sets all threads of a process; those that they start later are as those that start them. Never throws.
 *
 * A thread that starts while the others are set may be the child of one that was not yet: so it looks again until it
 * finds nobody new. `list` answers the threads that there are now.
 */
export function defer(pid: number, deferred: boolean, list = threadsOf): void {
  const set = new Set<string>()
  for (let look = 0; look < LOOKS_MAX; look++) {
    const fresh = list(pid).filter((thread) => !set.has(thread))
    if (fresh.length === 0) return
    for (const thread of fresh) {
      set.add(thread)
      try {
        scheduleIdle(Number(thread), deferred)
        os.setPriority(Number(thread), NICE)
      } catch {
        // That thread has ended, or the kernel does not let us: only a courtesy.
      }
    }
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    // It has ended; the next one is set when it is there.
    return []
  }
}
