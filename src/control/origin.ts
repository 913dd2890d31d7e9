/**
 * Pure. Whether a request was meant for this listener, so that no web page reaches it by DNS rebinding or from another
 * origin: the Host must name the loopback or `control.public_url`, and an Origin, where there is one, the same.
 *
 * A name that an attacker resolves to 127.0.0.1 is still that name in the Host header; that is what this looks at.
 */
import { isLoopback } from '../base/cidr.ts'

export interface Sent {
  readonly host: string | undefined
  readonly origin: string | undefined
}

/** undefined: go on. Otherwise a sentence that says what to change. */
export function misdirected(sent: Sent, publicUrl: string | undefined): string | undefined {
  const hosts = publicUrl === undefined ? [] : [new URL(publicUrl).host]
  if (sent.host === undefined || !isOurs(sent.host, hosts))
    return 'The Host header names neither the loopback nor control.public_url.'
  if (sent.origin === undefined) return undefined
  // `null`, which a sandboxed frame sends, is no URL and falls out here.
  const origin = /^https?:\/\/([^/]+)$/.exec(sent.origin)
  return origin !== null && isOurs(origin[1]!, hosts)
    ? undefined
    : 'Requests from other origins are not served.'
}

/** `host`: name or address, with or without port; IPv6 in brackets. */
function isOurs(host: string, publicHosts: readonly string[]): boolean {
  const lower = host.toLowerCase()
  if (publicHosts.includes(lower)) return true
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(lower)
  return parts !== null && isLoopback(parts[1] ?? parts[2]!)
}
