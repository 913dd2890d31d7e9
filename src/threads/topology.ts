/**
 * IO (the environment). Which threads there are, which file each runs, and what each may see of this process.
 *
 *   main ─┬─ control   control.ts   identity, vault, API; the only thread that sees the environment's secrets
 *         ├─ ship      ship.ts      spool → ClickHouse
 *         └─ session ×N session.ts  connections; each may own one parse.ts for long texts
 */
import { fileURLToPath } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'

export type ThreadName = 'session' | 'control' | 'ship' | 'parse'

/** The compiled entry point of a thread or child process. Threads run compiled code only. */
export function entryOf(name: ThreadName): string {
  const root = import.meta.url.endsWith('.ts') ? '../../dist' : '../..'
  return fileURLToPath(new URL(`${root}/workers/${name}.js`, import.meta.url))
}

/**
 * Environment of a thread that parses what clients and targets send: nothing there is worth stealing, but `also`,
 * the names of what it needs.
 */
export function bareEnvironment(
  also: readonly string[] = [],
  source: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const bare: NodeJS.ProcessEnv = {}
  for (const name of ['PATH', 'TZ', 'SLUICE_LOG', ...also]) {
    if (source[name] !== undefined) bare[name] = source[name]
  }
  return bare
}

const SESSION_HEAP_MB = 2048

/** A worker that would grow beyond this ends, alone, rather than the machine. `SLUICE_WORKER_HEAP_MB` lowers it for tests. */
export function sessionLimits(source: NodeJS.ProcessEnv = process.env): ResourceLimits {
  const wanted = Number(source.SLUICE_WORKER_HEAP_MB)
  const isUsable = Number.isInteger(wanted) && wanted >= 16
  return { maxOldGenerationSizeMb: isUsable ? wanted : SESSION_HEAP_MB }
}
