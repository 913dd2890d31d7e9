/**
 * IO. The gateway as a process: starts it, obeys signals, reloads, and says with which code to exit.
 *
 *   SIGTERM  drain: sessions end when idle, all of them after 30 s     SIGHUP, or a changed file: reload
 *   SIGINT   the same within 5 s (Ctrl-C)                              a second SIGTERM or SIGINT: at once
 */
import { ERRORS, type ErrorCode } from './base/errors.ts'
import { logger } from './base/log.ts'
import type { LoadResult } from './config/load.ts'
import type { Config } from './config/shape.ts'
import { fatalFrame } from './protocols/postgres/write.ts'
import { type Gateway, type GatewayOptions, startGateway } from './threads/gateway.ts'
import type { Settings } from './threads/messages.ts'
import { watchFiles } from './threads/watch.ts'

export { StartError } from './threads/start-error.ts'

export interface ServeOptions {
  readonly settings: Settings
  /** Reads the files again; what it answers gets this policy version. */
  reload(policyVersion: number): LoadResult
  /** A taken port moves to a free one. */
  readonly freePorts?: boolean
  /** Other entry points than the product's, for tests of this file. */
  readonly entries?: GatewayOptions['entries']
  /** How long SIGTERM lets sessions finish. Default 30 s. */
  readonly drainMs?: number
  /** Everything listens. */
  onStarted?(gateway: Gateway): void | Promise<void>
}

const DRAIN_MS = { SIGTERM: 30_000, SIGINT: 5000 }
/** npm passes on the Ctrl-C that the terminal has sent to all of us: one key press, two signals. */
const SAME_SIGNAL_MS = 300
/** How long an end at once may take before the process kills itself. */
const AT_ONCE_MS = 3000
/** The code of a program that Ctrl-C has ended. */
const EXIT_AT_ONCE = 130

/** Runs until it was told to stop and has stopped; returns the exit code. Throws `StartError`. */
export async function serve(options: ServeOptions): Promise<number> {
  const log = logger('main')
  const { settings, freePorts, entries } = options
  const gateway = await startGateway({
    settings,
    ...(freePorts === undefined ? {} : { freePorts }),
    ...(entries === undefined ? {} : { entries }),
    refusalAtAccept,
    log,
  })
  const reload = reloader(gateway, options)
  const signals = obey(
    gateway,
    { ...DRAIN_MS, SIGTERM: options.drainMs ?? DRAIN_MS.SIGTERM },
    reload.now,
  )
  const watch = watchFiles(reload.paths, reload.now)
  try {
    await options.onStarted?.(gateway)
    await gateway.closed
  } finally {
    watch.close()
    signals.close()
    await gateway.drain(0)
  }
  log.info('stopped')
  return signals.exitCode()
}

function obey(
  gateway: Gateway,
  drainMs: Readonly<Record<'SIGTERM' | 'SIGINT', number>>,
  reload: () => void,
): { close(): void; exitCode(): number } {
  let first = 0
  let isAtOnce = false
  let killer: NodeJS.Timeout | undefined
  const end = (signal: 'SIGTERM' | 'SIGINT') => () => {
    if (first === 0) {
      first = Date.now()
      logger('main').info({ signal, ms: drainMs[signal] }, 'draining')
      void gateway.drain(drainMs[signal])
    } else if (Date.now() - first > SAME_SIGNAL_MS) {
      isAtOnce = true
      void gateway.abandon()
      // Not `exit`: Node would abort over the open control listener. Nothing is lost either way.
      killer ??= setTimeout(() => process.kill(process.pid, 'SIGKILL'), AT_ONCE_MS)
    }
  }
  const handlers = { SIGTERM: end('SIGTERM'), SIGINT: end('SIGINT'), SIGHUP: reload }
  for (const [name, handler] of Object.entries(handlers)) process.on(name, handler)
  return {
    exitCode: () => (isAtOnce ? EXIT_AT_ONCE : 0),
    close() {
      clearTimeout(killer)
      for (const [name, handler] of Object.entries(handlers)) process.off(name, handler)
    },
  }
}

/** A bad reload keeps what runs, and says so everywhere: the log here, metric and console in control. */
function reloader(
  gateway: Gateway,
  options: ServeOptions,
): { now(): void; paths(): readonly string[] } {
  const log = logger('main')
  let version = options.settings.policyVersion
  let paths = pathsOf(options.settings.config)
  return {
    paths: () => paths,
    now() {
      const result = options.reload(version + 1)
      if ('problems' in result) {
        for (const problem of result.problems) log.error(problem, 'reload refused')
        gateway.reloadProblems(
          result.problems.map(({ file, line, message }) => `${file}:${line} ${message}`),
        )
        return
      }
      for (const warning of result.warnings) log.warn(warning, 'reload')
      version++
      paths = pathsOf(result.settings.config)
      const kept = gateway.reload(result.settings)
      gateway.reloadProblems([])
      log.info({ policyVersion: version, kept }, 'reloaded')
    },
  }
}

/** Everything that a reload would read. */
function pathsOf(config: Config): readonly string[] {
  const files = config.path === undefined ? [] : [config.path]
  for (const { tls } of config.listeners) {
    if (tls === undefined) continue
    files.push(tls.cert)
    if ('file' in tls.key) files.push(tls.key.file)
  }
  return [...files, ...config.policies]
}

function refusalAtAccept(_protocol: string, code: ErrorCode): Uint8Array {
  return fatalFrame({ code, say: ERRORS[code].say })
}
