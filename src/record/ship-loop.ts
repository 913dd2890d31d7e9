/**
 * IO (time). When the ship thread ships: at once when it is told that a segment is complete, and else twice a second; what threads
 * that have died left behind, now and then. Says when the store is behind.
 */
import { BroadcastChannel } from 'node:worker_threads'
import type { SpareMemory } from '../base/spare-memory.ts'
import type { Broadcast } from '../threads/messages.ts'
import type { Shipper } from './ship.ts'

/** Without a broadcast the folder is looked at this often. */
const POLL_MS = 500
const ORPHANS_MS = 5000
/** The oldest record may wait this long while sessions want the machine; then the store gets its share of it. */
const LAG_SECONDS_MAX = 3
const LOOK_MS = 1000
/** Memory that nobody has used again for this long is let go of. */
const REST_LOOKS = 10

export interface ShipLoopParts {
  readonly shipper: Pick<Shipper, 'round' | 'recoverOrphans' | 'waiting'>
  readonly store: { isBehind: boolean }
  readonly spare: SpareMemory
}

export class ShipLoop {
  readonly #shipper: ShipLoopParts['shipper']
  readonly #store: ShipLoopParts['store']
  readonly #look: NodeJS.Timeout
  readonly #channel = new BroadcastChannel('sluice')
  readonly #ended: Promise<void>
  #wake: () => void = () => {}
  #called = false
  #deadline = Number.POSITIVE_INFINITY
  #stopping = false
  #orphansAt = 0
  #isBehind = false

  constructor({ shipper, store, spare }: ShipLoopParts) {
    this.#shipper = shipper
    this.#store = store
    let looks = 0
    this.#look = setInterval(() => {
      this.#lookBehind()
      if (++looks % REST_LOOKS === 0) spare.rest()
    }, LOOK_MS)
    this.#look.unref()
    this.#channel.onmessage = (event) => {
      if ((event as { data: Broadcast }).data.type !== 'segment') return
      this.#called = true
      this.#wake()
    }
    this.#ended = this.#run()
  }

  async stop(deadline: number): Promise<void> {
    this.#deadline = deadline
    this.#stopping = true
    this.#lookBehind()
    this.#wake()
    await this.#ended
    clearInterval(this.#look)
    this.#channel.close()
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#called = false
      if (performance.now() - this.#orphansAt > ORPHANS_MS) {
        this.#orphansAt = performance.now()
        await this.#shipper.recoverOrphans()
      }
      const pauseMs = await this.#shipper.round(this.#deadline)
      if (this.#stopping) {
        if (this.#shipper.waiting.segments === 0 || Date.now() > this.#deadline) return
      }
      // A failing store is not asked earlier because more has come.
      if (pauseMs > 0) await this.#pause(pauseMs, false)
      else await this.#pause(POLL_MS, true)
    }
  }

  /** Once behind, the store keeps its share until it has caught up. */
  #lookBehind(): void {
    const { lagSeconds, segments } = this.#shipper.waiting
    this.#isBehind = this.#isBehind ? segments > 1 : lagSeconds > LAG_SECONDS_MAX
    this.#store.isBehind = this.#isBehind || this.#stopping
  }

  #pause(ms: number, wakes: boolean): Promise<void> {
    if (wakes && (this.#called || this.#stopping)) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      if (!wakes) return
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
