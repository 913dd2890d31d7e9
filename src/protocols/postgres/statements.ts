/**
 * Pure. What the target holds by name for a session: prepared statements and portals. SQL names (PREPARE, DECLARE)
 * and protocol names (Parse, Bind) are one space, as in PostgreSQL.
 *
 * A name that was asked for may still fail at the target, and then keeps its former meaning. So a new one counts at
 * once for what follows in the same segment (the messages up to the next Sync, which the target skips together if
 * it fails), and is *unsettled* for later segments until the target has confirmed it.
 */
import type { Guard } from '../../decide/policy.ts'
import type { Field } from '../../mask/plan.ts'
import type { Judged } from './judge.ts'
import type { Statement } from './sql/analysis.ts'

export interface Prepared {
  readonly name: string
  /** The exact text; for SQL PREPARE, of the whole PREPARE statement. */
  readonly text: string
  /** undefined: an empty text. Under other names or another policy it is analysed anew (meanings.ts). */
  readonly statement: Statement | undefined
  readonly namesKey: string
  readonly guard: Guard
  /** True: made by PREPARE or DECLARE, so `statement` is the body, whose text stands inside another one. */
  readonly bySql: boolean
  judged: Judged | undefined
  /** The client asked for the description of the statement, so its fields are on their way at least. */
  described: boolean
  result: Described | undefined
}

/** Result columns as the target described them. */
export interface Described {
  /** The RowDescription itself, to notice cheaply that another one is the same, and for the record. */
  readonly frame: Buffer
  readonly fields: readonly Field[]
}

export interface Portal {
  readonly name: string
  prepared: Prepared
  readonly resultFormats: readonly number[]
  readonly params: readonly string[]
  readonly bytesUp: number
  /** It may live on when its transaction ends (DECLARE … WITH HOLD). */
  readonly outlives: boolean
  judged: Judged | undefined
  /** The description of the portal itself was asked for since it was bound. */
  described: boolean
  /** EXECUTE and FETCH: it began to run under `result`, whatever the name it runs has come to mean since. */
  fixed: boolean
  result: Described | undefined
}

interface Asked<Value> {
  readonly value: Value
  readonly segment: number
}

export type Found<Value> = Value | undefined | 'unsettled'

/** One space of names. Keys are data of the client: kept in maps, never as properties. */
export class Names<Value> {
  readonly #settled = new Map<string, Value>()
  readonly #asked = new Map<string, Asked<Value>>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get isFull(): boolean {
    return this.#settled.size + this.#asked.size >= this.#entriesMax
  }

  /** The meaning of a name for a message of this segment; 'unsettled' until the target has answered. */
  find(name: string, segment: number): Found<Value> {
    const asked = this.#asked.get(name)
    if (asked === undefined) return this.#settled.get(name)
    return asked.segment === segment ? asked.value : 'unsettled'
  }

  ask(name: string, value: Value, segment: number): void {
    this.#asked.set(name, { value, segment })
  }

  /** The target made it. */
  confirm(name: string, value: Value): void {
    this.#settled.set(name, value)
    this.forget(name, value)
  }

  /** The target did not make it: the name means what it meant before. */
  forget(name: string, value: Value): void {
    if (this.#asked.get(name)?.value === value) this.#asked.delete(name)
  }

  /** Another object for the same meaning. */
  replace(name: string, value: Value, by: Value): void {
    if (this.#settled.get(name) === value) this.#settled.set(name, by)
    const asked = this.#asked.get(name)
    if (asked?.value === value) this.#asked.set(name, { ...asked, value: by })
  }

  delete(name: string): void {
    this.#settled.delete(name)
  }

  /** Lets go of what the target has let go of. */
  keepOnly(keeps: (value: Value) => boolean): void {
    if (this.#settled.size === 0) return
    for (const [name, value] of this.#settled) if (!keeps(value)) this.#settled.delete(name)
  }

  clear(): void {
    this.#settled.clear()
  }
}
