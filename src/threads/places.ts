/**
 * IO (the line to control). The places that sessions of this worker hold at connections with `max_sessions`; who gets
 * one, and when, is decided in the control thread (control/places.ts).
 */
import { GatewayError } from '../base/errors.ts'
import type { ConnectionConfig } from '../config/shape.ts'
import type { ControlPort } from './control-port.ts'

export class WorkerPlaces {
  readonly #control: ControlPort
  readonly #held = new Map<string, number>()

  constructor(control: ControlPort) {
    this.#control = control
  }

  /** The answer gives the place back; call it once. Rejects with GW_TOO_MANY_SESSIONS. */
  async take({ name, maxSessions }: ConnectionConfig): Promise<() => void> {
    if (maxSessions === undefined) return () => {}
    try {
      await this.#control.ask({ type: 'place', connection: name }, 'place')
    } catch (error) {
      throw GatewayError.from(error).code === 'GW_TOO_MANY_SESSIONS' ? tooMany(name) : error
    }
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1)
    return () => {
      this.#held.set(name, this.#held.get(name)! - 1)
      this.#control.tell({ type: 'place-left', connection: name })
    }
  }

  /** For a control thread that may have forgotten. */
  tell(): void {
    if (this.#held.size > 0)
      this.#control.tell({ type: 'places', held: Object.fromEntries(this.#held) })
  }
}

function tooMany(name: string): GatewayError {
  return new GatewayError('GW_TOO_MANY_SESSIONS', `no place at ${name} in time`, {
    say: `There are as many sessions as connections.${name}.max_sessions allows, and none ended in time.`,
  })
}
