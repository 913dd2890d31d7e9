/** Pure. Why the gateway does not start, in words for the person who started it. Holds no secret. */

export class StartError extends Error {
  constructor(say: string, cause?: unknown) {
    super(say, cause === undefined ? undefined : { cause })
    this.name = 'StartError'
  }
}

/**
 * What a log may know of an error that ended a thread: kind, code and where, but not its message, which may
 * quote a statement or a value (as those of JSON.parse do).
 */
export function crashFacts(error: unknown): { kind: string; code?: string; at?: string[] } {
  if (!(error instanceof Error)) return { kind: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const at = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { kind: error.name, ...code, at: at.map((line) => line.trim()) }
}
