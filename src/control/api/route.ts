/** Pure. The shape of the API's parts, and finding the one that a request means. */
import type { ApiRole } from '../../config/shape.ts'
import type { Identity } from '../../identify/identity.ts'
import type { Answer } from '../answer.ts'
import type { Permission } from '../permit.ts'

export interface Caller {
  /** `operator` for the host's own token, else the subject. */
  readonly name: string
  readonly credentialId: string
  /** undefined: the host's operator. */
  readonly identity: Identity | undefined
  readonly api: readonly ApiRole[]
  readonly address: string
}

export interface Call {
  readonly caller: Caller
  /** What stood for `{id}` in the path; '' where the path has none. */
  readonly id: string
  readonly query: URLSearchParams
  readonly body: unknown
  /** Aborted when the caller has gone: nobody waits for the answer. */
  readonly gone?: AbortSignal
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** It keeps the record store busy: each caller has so many of them running and no more. */
  readonly isLong?: true
  /** With at most one `{id}`. */
  readonly path: string
  readonly needs: Permission
  readonly summary: string
  /** The handler records what it does, in more words than the path has; else the call is recorded before it. */
  readonly recordsItself?: true
  /** Fields of the query and what they say, for the description. */
  readonly query?: Readonly<Record<string, string>>
  /** JSON Schema of the body, for the description; the handler checks it. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly handle: (call: Call) => Promise<Answer>
}

export type Found =
  | { readonly route: Route; readonly id: string }
  /** The path exists; these methods do. */
  | { readonly allow: readonly string[] }
  | undefined

/** Ids of ours: nothing else comes through, so that a handler may put one into a record. */
const ID = /^[A-Za-z0-9_-]{1,64}$/

export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const allow: string[] = []
  for (const route of routes) {
    const id = matchPath(route.path, path)
    if (id === undefined) continue
    if (route.method === method) return { route, id }
    allow.push(route.method)
  }
  return allow.length > 0 ? { allow } : undefined
}

function matchPath(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split('{id}')
  if (after === undefined) return pattern === path ? '' : undefined
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined
  const id = path.substring(before.length, path.length - after.length)
  return ID.test(id) ? id : undefined
}
