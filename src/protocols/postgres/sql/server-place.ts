/**
 * Pure. Which server a connection leads to: a name or an address may come to stand for another one (DNS, a virtual address) while
 * connections to the former go on, and what names mean on one of them means nothing on the other.
 *
 * Asked with every login, of a backend that has looked nothing up yet: two functions, no cast and no operator.
 */

/** For json_build_object, whose times are ISO 8601 whatever DateStyle is. */
export const PLACE = `'at', pg_catalog.inet_server_addr(),
  'start', pg_catalog.pg_postmaster_start_time()`

/** No server says more. */
const LETTERS_MAX = 64
/** A session's time zone may be off by seconds, which JavaScript does not read. */
const MOMENT = /^(\d{4,}-[\dT:.-]+)([+-])(\d+):(\d\d)(?::(\d\d))?$/

/** Equal: the same run of the same server. undefined: it is no answer to PLACE. */
export function placeOf({ at, start }: { at?: unknown; start?: unknown }): string | undefined {
  if (typeof start !== 'string' || start.length > LETTERS_MAX) return undefined
  if (at !== null && (typeof at !== 'string' || at.length > LETTERS_MAX)) return undefined
  const ms = millisecondsOf(start)
  return ms === undefined ? undefined : `${at} ${ms}`
}

function millisecondsOf(start: string): number | undefined {
  const [, moment, sign, hours, minutes, seconds = 0] = MOMENT.exec(start) ?? []
  const off = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  const ms = Date.parse(`${moment}Z`) - (sign === '-' ? -off : off)
  return Number.isNaN(ms) ? undefined : ms
}

/** As `placeOf`, of a text that holds JSON. */
export function placeIn(json: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(json)
    return typeof answer === 'object' && answer !== null ? placeOf(answer) : undefined
  } catch {
    return undefined
  }
}
