/**
 * Pure. How long records are kept, what a legal hold keeps beyond that, and both as conditions of SQL.
 *
 * A row goes when it is older than its connection's time; rows of the control API stay for the longest of all times, since
 * they say what was removed. Nothing that is held goes.
 */
import type { Config } from '../config/shape.ts'

export interface Retention {
  /** Whole days, for every connection without its own. */
  readonly days: number
  readonly connections: Readonly<Record<string, number>>
}

/** What a hold or an erasure is about: one session, or all of a job or a subject. */
export const SCOPES = ['session', 'job', 'subject'] as const
export interface Scope {
  readonly kind: (typeof SCOPES)[number]
  readonly name: string
}

export function retentionOf({ recorder, connections }: Config): Retention {
  const own = [...connections.values()].flatMap(({ name, retentionDays }) =>
    retentionDays === undefined ? [] : [[name, retentionDays] as const],
  )
  return { days: recorder.retentionDays, connections: Object.fromEntries(own) }
}

export const DAY_MICROSECONDS = 86_400_000_000

export function longestDays({ days, connections }: Retention): number {
  return Math.max(days, ...Object.values(connections))
}

/** As it stands in a signed head: a number, or with connections of their own a mapping with '' for all others. */
export function signedRetention({ days, connections }: Retention): number | Record<string, number> {
  const own = Object.entries(connections).sort(([a], [b]) => (a < b ? -1 : 1))
  return own.length === 0 ? days : Object.fromEntries([['', days], ...own])
}

/** Rows of these scopes. */
export function inScopes(scopes: readonly Scope[]): string {
  const parts = SCOPES.flatMap((kind) => {
    const names = scopes.filter((one) => one.kind === kind).map(({ name }) => quoted(name))
    return names.length === 0 ? [] : [`${COLUMN[kind]} IN (${names.join(', ')})`]
  })
  return parts.length === 0 ? '0' : `(${parts.join(' OR ')})`
}

const COLUMN = { session: 'session_id', job: 'job', subject: 'subject' } as const

export interface Expiry {
  readonly retention: Retention
  readonly holds: readonly Scope[]
  /** Microseconds. */
  readonly now: number
  /** Rows of the control API go before this, and everything else that is not held has gone before this. */
  readonly horizon: number
}

/** Rows that are past their time and not held. */
export function expiredRows({ retention, holds, now, horizon }: Expiry): string {
  const before = (days: number) => now - days * DAY_MICROSECONDS
  const own = Object.entries(retention.connections).map(
    ([name, days]) => `connection = ${quoted(name)}, ${before(days)}`,
  )
  const times = [`protocol = 'control', ${horizon}`, ...own, `${before(retention.days)}`]
  const shortest = Math.min(retention.days, ...Object.values(retention.connections))
  return (
    // The first lets whole parts be passed over.
    `ts < fromUnixTimestamp64Micro(${before(shortest)}) ` +
    `AND toUnixTimestamp64Micro(ts) < multiIf(${times.join(', ')}) AND NOT ${inScopes(holds)}`
  )
}

export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
