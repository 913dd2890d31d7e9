/**
 * IO (files). The time by which retention deletes. What is deleted does not come back, so a clock that stands years ahead must not
 * decide it at once: the believed time runs with the time that the gateway runs, at most FASTER times as fast until it has met
 * the clock, and never ahead of it.
 *
 *   kept from the last run, or the newest head of it ──▶ + time this gateway has run × FASTER ──▶ no later than the clock
 *
 * A gateway that stood still for a month keeps its records a few days longer. One whose clock is wrong says so, and deletes a few
 * days too much for each day on which nobody hears it.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

/** Also for gateways that run for a third of the day. */
const FASTER = 4
/** Behind the clock by more than this is said. */
const BEHIND_MAX = 86_400_000_000

export interface BelievedTimeOptions {
  readonly path: string
  /** When the newest head of former runs was signed; undefined: there was none. */
  readonly former: number | undefined
  /** What the machine says now, in microseconds since 1970. */
  readonly wall: () => number
  /** Monotonic, in microseconds. */
  readonly elapsed: () => number
  readonly say: (level: 'warn', text: string) => void
}

export class BelievedTime {
  readonly #options: BelievedTimeOptions
  #believed: number
  #ranUntil: number
  #isSaid = false

  constructor(options: BelievedTimeOptions) {
    this.#options = options
    const { path, former, wall, elapsed } = options
    this.#believed = kept(path) ?? former ?? wall()
    this.#ranUntil = elapsed()
  }

  /** Microseconds since 1970. Throws where it cannot be kept: then nothing may be deleted. */
  now(): number {
    const { path, wall, elapsed, say } = this.#options
    const ran = elapsed() - this.#ranUntil
    const now = wall()
    // A clock that was set back for a while must not cost what it had reached.
    this.#believed = Math.max(this.#believed, Math.min(now, this.#believed + ran * FASTER))
    this.#ranUntil += ran
    keep(path, this.#believed)
    const behind = now - this.#believed
    if (behind > BEHIND_MAX && !this.#isSaid) say('warn', text(this.#believed, behind))
    this.#isSaid = behind > BEHIND_MAX
    return Math.min(now, this.#believed)
  }
}

function text(believed: number, behind: number): string {
  const days = (microseconds: number) => Math.ceil(microseconds / BEHIND_MAX)
  return (
    `retention deletes as if it were ${new Date(believed / 1000).toISOString()}: the clock is ${days(behind)} days ahead of what this ` +
    `gateway has seen. Is it right? Then retention has caught up when the gateway has run for ${days(behind / (FASTER - 1))} days`
  )
}

/** undefined: there is none that can be read. */
function kept(path: string): number | undefined {
  try {
    const at = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(at) && at > 0 ? at : undefined
  } catch {
    return undefined
  }
}

function keep(path: string, at: number): void {
  const descriptor = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(descriptor, String(Math.trunc(at)))
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${path}.new`, path)
}
