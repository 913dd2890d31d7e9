/**
 * Pure. How much of something each caller has running at a time: who asks more is refused, so that others find room. Nothing is
 * kept of who has nothing running.
 */
export class AtOnce {
  readonly #max: number
  readonly #running = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** undefined: as many are running already. Else settles as `task` does. */
  run<T>(caller: string, task: () => Promise<T>): Promise<T> | undefined {
    const running = this.#running.get(caller) ?? 0
    if (running >= this.#max) return undefined
    this.#running.set(caller, running + 1)
    return task().finally(() => {
      const left = this.#running.get(caller)! - 1
      if (left > 0) this.#running.set(caller, left)
      else this.#running.delete(caller)
    })
  }
}
