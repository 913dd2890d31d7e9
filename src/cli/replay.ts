/**
 * IO. `sluice sessions replay | follow`: a session in the terminal, with the pauses it had. Ctrl-C ends it at once, and
 * leaves the terminal as it was: nothing is ever switched.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseDuration } from '../config/units.ts'
import { clockOf, Renderer } from '../replay/render.ts'
import { CliError } from './exit.ts'
import type { Where } from './gateway.ts'
import { put } from './output.ts'
import { type Part, sessionOf, stepsOf } from './recording.ts'
import { printable } from './table.ts'

export interface ReplayFlags extends Where {
  readonly json?: boolean
  readonly speed?: string
  readonly from?: string
  readonly rows?: string
}

/** A longer pause is shown as a line, and lasts this long. */
const PAUSE_MS_MAX = 2_000
const SPEED_MAX = 10_000

export async function replaySession(id: string, flags: ReplayFlags): Promise<void> {
  const speed = numberOf('--speed', flags.speed, 1)
  if (speed > SPEED_MAX) throw new CliError(2, `--speed: expected a number up to ${SPEED_MAX}.`)
  await show(id, flags, { part: placeOf(flags.from), speed })
}

export async function followSession(id: string, flags: ReplayFlags): Promise<void> {
  await show(id, flags, { part: { follow: true }, speed: 0 })
}

/** `speed` 0: without pauses. */
async function show(
  id: string,
  flags: ReplayFlags,
  { part, speed }: { part: Part; speed: number },
): Promise<void> {
  const renderer = new Renderer({ rowsMax: numberOf('--rows', flags.rows, 100) })
  // Whatever is waited for: all that was put out is out.
  process.once('SIGINT', () => {
    put('\n')
    process.exit(0)
  })
  const session = await sessionOf(id, flags)
  const pace = new Pace(flags.json === true ? 0 : speed)
  const { connection, subject, started, status } = session
  const head = [session.session_id, session.protocol, connection, subject, started, status]
  if (flags.json !== true && !put(`${head.map(printable).join('  ')}\n`)) return
  for await (const { row, items } of stepsOf(session, flags, part)) {
    if (row !== undefined) await pace.until(row.at, renderer)
    for (const item of items) {
      const text = flags.json === true ? `${JSON.stringify(item)}\n` : renderer.item(item)
      if (!put(text)) return
    }
    // Who follows wants to see a row when it is there.
    if (part.follow === true && !put(renderer.flush())) return
  }
  put(renderer.end())
}

/** Waits as the session did. */
class Pace {
  readonly #speed: number
  #lastUs: number | undefined

  constructor(speed: number) {
    this.#speed = speed
  }

  async until(atUs: number, renderer: Renderer): Promise<void> {
    const pauseUs = atUs - (this.#lastUs ?? atUs)
    this.#lastUs = atUs
    if (this.#speed === 0 || pauseUs <= 0) return
    const ms = pauseUs / 1000 / this.#speed
    // What is on its way to the screen is seen before the pause, not after it.
    if (ms > 50) put(renderer.flush())
    if (ms > PAUSE_MS_MAX) put(`${' '.repeat(12)}… ${clockOf(pauseUs)} of nothing\n`)
    if (ms >= 1) await wait(Math.min(ms, PAUSE_MS_MAX))
  }
}

/** `12s` is a time of the session, `12` the number of an event. */
function placeOf(from: string | undefined): Part {
  if (from === undefined) return {}
  if (/^\d{1,15}$/.test(from)) return { from: Number(from) }
  const ms = parseDuration(from)
  if (ms === undefined) throw new CliError(2, '--from: expected a time such as 12s, or a number.')
  return { offset: ms * 1000 }
}

function numberOf(flag: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(given)) throw new CliError(2, `${flag}: expected a number.`)
  return Number(given)
}
