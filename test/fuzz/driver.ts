/**
 * IO (clock, processes). Tries properties for as long as asked, one after the other in turns, each turn with a new seed.
 *
 * A try that throws is a finding; so is one that burns more than `CPU_MS_MAX` of processor time. One that never comes back
 * is ended with the whole process by a thread of its own, which says which property and seed it was.
 */
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'

export interface FuzzProperty {
  readonly name: string
  /** Weight of one try: properties that cost more are tried less often in a quick run. */
  readonly runs: number
  assert(parameters: fc.Parameters<unknown>): Promise<void>
  tried: number
}

const CPU_MS_MAX = 5000
const HANG_CPU_MS = 60_000
const TURN_MS = 10_000

/** Shared with the thread that watches: tries so far, property, seed. */
const beats = new Int32Array(new SharedArrayBuffer(12))

/** Time that was spent trying: steps of at most a second, so that a stopped process does not count as a busy one. */
const clock = {
  spent: 0,
  last: performance.now(),
  tick(): void {
    const now = performance.now()
    this.spent += Math.min(now - this.last, 1000)
    this.last = now
  },
}

export function property<T>(
  name: string,
  value: fc.Arbitrary<T>,
  options: {
    readonly runs?: number
    /** Counterexamples of earlier runs: tried first, each time. */
    readonly found?: readonly T[]
    readonly holds: (value: T) => void | Promise<void>
  },
): FuzzProperty {
  const tried = fc.asyncProperty(value, async (one) => {
    Atomics.add(beats, 0, 1)
    clock.tick()
    self.tried += 1
    const before = process.cpuUsage()
    await options.holds(one)
    const { user, system } = process.cpuUsage(before)
    if (user + system > CPU_MS_MAX * 1000) throw new Error(`took ${(user + system) / 1000} ms`)
  })
  const self: FuzzProperty = {
    name,
    runs: options.runs ?? 100,
    tried: 0,
    assert: (parameters) => {
      const examples = (options.found ?? []).map((one): [T] => [one])
      return fc.assert(tried, { ...(parameters as fc.Parameters<[T]>), examples })
    },
  }
  return self
}

/** In turns until the time is over; what was found, in words. A property that fails is not tried again. */
export async function fuzz(
  properties: readonly FuzzProperty[],
  options: { readonly minutes: number; readonly say: (line: string) => void },
): Promise<string[]> {
  const watch = watcher(properties.map(({ name }) => name))
  const found = new Map<FuzzProperty, string>()
  const until = clock.spent + options.minutes * 60_000
  let said = clock.spent
  while (clock.spent < until && found.size < properties.length) {
    for (const [at, one] of properties.entries()) {
      if (found.has(one)) continue
      const seed = Math.trunc(Math.random() * 0x7fffffff)
      Atomics.store(beats, 1, at)
      Atomics.store(beats, 2, seed)
      const turn = { seed, numRuns: 1e9, markInterruptAsFailure: false }
      await one.assert({ ...turn, interruptAfterTimeLimit: TURN_MS }).catch((error: Error) => {
        found.set(one, `${one.name}, seed ${seed}: ${String(error.stack).substring(0, 5000)}`)
        options.say(found.get(one)!)
      })
      // Properties that never wait would keep timers, and what else there is, from their turn.
      await new Promise((resolve) => setTimeout(resolve))
    }
    if (clock.spent - said >= 5 * 60_000 || clock.spent >= until) {
      said = clock.spent
      options.say(`${Math.ceil((until - said) / 60_000)} minutes left; ${told(properties)}`)
    }
  }
  await watch.terminate()
  return [...found.values()]
}

function told(properties: readonly FuzzProperty[]): string {
  const { rss } = process.memoryUsage()
  const tries = properties.map(({ name, tried }) => `${name}: ${tried}`).join(', ')
  return `rss ${Math.round(rss / (1 << 20))} MiB, cpu ${Math.round(process.cpuUsage().user / 1e6)} s; ${tries}`
}

/** Ends this process when it computes for a minute without finishing a try. */
function watcher(names: readonly string[]): Worker {
  const code = `
    const { workerData: { beats, names, max } } = require('node:worker_threads')
    const sleep = new Int32Array(new SharedArrayBuffer(4))
    const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
    let last = -1, since = 0
    for (;;) {
      Atomics.wait(sleep, 0, 0, 1000)
      if (Atomics.load(beats, 0) !== last) { last = Atomics.load(beats, 0); since = spent() }
      else if (spent() - since > max) {
        require('node:fs').writeSync(2, 'HANGS: ' + names[beats[1]] + ', seed ' + beats[2] + '\\n')
        process.kill(process.pid, 'SIGKILL')
      }
    }`
  return new Worker(code, { eval: true, workerData: { beats, names, max: HANG_CPU_MS } })
}
