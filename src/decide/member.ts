/**
 * Pure. Who is a member of a role, and which connections a role or a policy speaks of: the two small languages of
 * `members` and `connections`.
 *
 *   human:<issuer>:<subject>   workload:<issuer>:<subject>   subject:<name>   group:<name>      `*` is a wildcard
 *   <name>   label:<key>=<value>   *
 */
import type { ConnectionConfig } from '../config/shape.ts'
import { parseName } from '../config/units.ts'
import type { Identity } from '../identify/identity.ts'
import { matchesWildcard } from './wildcard.ts'

/** Name of the issuer of gateway tokens, which alone `subject:` speaks of. */
export const GATEWAY_ISSUER = 'gateway'

/** undefined: a pattern of the language. Else the sentence that says what was expected. */
export function memberFault(pattern: string): string | undefined {
  return parseMember(pattern) === undefined
    ? 'expected human:<issuer>:<subject>, workload:<issuer>:<subject>, subject:<name> or group:<name>'
    : undefined
}

/** False for what is no pattern: it makes nobody a member. */
export function isMember(pattern: string, identity: Identity): boolean {
  const member = parseMember(pattern)
  if (member === undefined) return false
  if (member.by === 'group')
    return identity.groups.some((group) => matchesWildcard(member.name, group))
  if (member.by === 'subject')
    return identity.issuer === GATEWAY_ISSUER && matchesWildcard(member.name, identity.subject)
  return (
    identity.kind === member.by &&
    matchesWildcard(member.issuer, identity.issuer) &&
    matchesWildcard(member.name, identity.subject)
  )
}

/** undefined: `*`, a label or a name. Else the sentence that says what was expected. */
export function scopeFault(pattern: string): string | undefined {
  if (pattern === '*' || parseName(pattern) !== undefined) return undefined
  return /^label:[^=*]+=[^*]*$/.test(pattern)
    ? undefined
    : 'expected the name of a connection, label:<key>=<value>, or * alone'
}

/** Whether one of the patterns speaks of the connection. */
export function covers(patterns: readonly string[], connection: ConnectionConfig): boolean {
  return patterns.some((pattern) => {
    if (pattern === '*' || pattern === connection.name) return true
    if (!pattern.startsWith('label:')) return false
    const equals = pattern.indexOf('=')
    const key = pattern.substring('label:'.length, equals)
    const value = pattern.substring(equals + 1)
    return equals > 0 && Object.hasOwn(connection.labels, key) && connection.labels[key] === value
  })
}

type Member =
  | { readonly by: 'group' | 'subject'; readonly name: string }
  | { readonly by: 'human' | 'workload'; readonly issuer: string; readonly name: string }

/** Subjects may hold colons (`repo:org/name:ref`), issuers may not. */
function parseMember(pattern: string): Member | undefined {
  const match = /^(?:(group|subject):(.+)|(human|workload):([^:]+):(.+))$/s.exec(pattern)
  if (match === null) return undefined
  if (match[1] === 'group' || match[1] === 'subject') return { by: match[1], name: match[2]! }
  const by = match[3] === 'human' ? 'human' : 'workload'
  return { by, issuer: match[4]!, name: match[5]! }
}
