/**
 * IO. Programs that a test starts: their output is kept, their end is awaited, and none outlives the test process.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** Most of an output that is kept; the start of a longer one is dropped. */
const KEPT_MAX = 1 << 20

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  /** Standard output and error so far. */
  output(): string
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  /** Resolves when the output matches. Rejects, with the output, when the program ends or the time is over. */
  until(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  /** Sends the signal and waits for the end; SIGKILL after `graceMs`. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>
}

export function start(program: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const watchers = new Set<() => void>()
  let kept = ''
  let over = false
  running.add(child)
  const keep = (chunk: Buffer): void => {
    kept = (kept + chunk.toString()).slice(-KEPT_MAX)
    for (const look of watchers) look()
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const ended = new Promise<number | string>((resolve) => {
    const end = (code: number | null, signal: string | null): void => {
      running.delete(child)
      over = true
      resolve(code ?? signal ?? 'unknown')
      for (const look of watchers) look()
    }
    child.once('close', end)
    child.once('error', (error) => {
      kept += String(error)
      end(null, 'not started')
    })
  })

  function until(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer)
        watchers.delete(look)
        act()
      }
      const fail = (why: string): void =>
        finish(() =>
          reject(new Error(`${program}: ${why} before ${pattern}:\n${kept.slice(-4000)}`)),
        )
      const look = (): void => {
        const found = pattern.exec(kept)
        if (found !== null) finish(() => resolve(found))
        else if (over) fail('ended')
      }
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs)
      watchers.add(look)
      look()
    })
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 30_000): Promise<void> {
    if (over) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
  }

  return { pid: child.pid ?? 0, process: child, output: () => kept, ended, until, stop }
}

/** Runs a program to its end. Never rejects for a non-zero code: look at it. */
export async function run(
  program: string,
  args: readonly string[],
  options: SpawnOptions & { input?: string; timeoutMs?: number } = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const { input, timeoutMs = 90_000, ...rest } = options
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...rest })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  // A program that does not read its input ends with EPIPE here; its exit code tells.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input ?? '')
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(String(error)))
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'))
  })
  clearTimeout(timer)
  running.delete(child)
  return { code, stdout, stderr }
}
