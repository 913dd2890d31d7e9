/**
 * Pure. What a server reports of itself at a login. It is the same for nearly all sessions, so one of each
 * is kept for all of them: thirty texts and a map are 2 KB of an idle session.
 */
import { copy } from '../../base/bytes.ts'

export interface Reported {
  /** ParameterStatus frames as the target sent them. */
  readonly statuses: Buffer
  readonly parameters: ReadonlyMap<string, string>
}

/** A target may say what it likes: what is longer is kept by its session alone, and after so many others all are forgotten. */
const SHARED_BYTES_MAX = 4096
const SHARED_MAX = 256

const shared = new Map<string, Reported>()

/** `frames`: whole ParameterStatus messages. */
export function reported(frames: readonly Buffer[]): Reported {
  const statuses = Buffer.concat(frames)
  if (statuses.length > SHARED_BYTES_MAX) return read(frames, statuses)
  const key = statuses.toString('latin1')
  const known = shared.get(key)
  if (known !== undefined) return known
  const fresh = read(frames, statuses)
  // Names of applications are among it, and clients make them up.
  if (shared.size >= SHARED_MAX) shared.clear()
  shared.set(key, fresh)
  return fresh
}

function read(frames: readonly Buffer[], statuses: Buffer): Reported {
  const parameters = new Map<string, string>()
  for (const frame of frames) {
    const [name = '', value = ''] = frame.toString('utf8', 5, frame.length - 1).split('\0')
    parameters.set(name, value)
  }
  // Own memory: what is left of a pooled buffer would keep all of it.
  return { statuses: copy(statuses), parameters }
}
