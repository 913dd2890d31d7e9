/**
 * Pure. What of a new configuration can take effect while the gateway runs. The rest keeps its old value until
 * the next start, and is named, so that nobody believes in a change that did not happen.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config, ListenerConfig } from '../config/shape.ts'

export interface Reloadable {
  /** The new configuration with the old values where a start is needed. */
  readonly config: Config
  /** Paths of what was kept: `data`, `listeners`… Empty: all of it took effect. */
  readonly kept: readonly string[]
}

/** Bound, opened or spawned once at the start. */
const FIXED = ['data', 'workers', 'control', 'state', 'recorder'] as const

export function reloadable(old: Config, wanted: Config): Reloadable {
  const kept: string[] = []
  let config = wanted
  for (const name of FIXED) {
    if (isDeepStrictEqual(old[name], wanted[name])) continue
    kept.push(name)
    config = { ...config, [name]: old[name] }
  }
  // Sessions refer to listeners by index: the same ones, in the same order, or none of them change.
  if (!isDeepStrictEqual(old.listeners.map(place), wanted.listeners.map(place))) {
    kept.push('listeners')
    config = { ...config, listeners: old.listeners }
  }
  return { config, kept }
}

/** What binds a listener; its certificates and its `plaintext_from` may change. */
function place({ protocol, listen }: ListenerConfig): unknown {
  return { protocol, listen }
}
