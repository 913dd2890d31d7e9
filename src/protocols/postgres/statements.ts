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

/**
 * Written out, because objects made by a spread have a shape each, and each look at one of them then is a search
 * (src/README.md).
 */
export function preparedOf(
  of: Pick<Prepared, 'name' | 'text' | 'statement' | 'bySql'>,
  stamp: Stamp,
): Prepared {
  return {
    name: of.name,
    text: of.text,
    statement: of.statement,
    namesKey: stamp.namesKey,
    guard: stamp.guard,
    bySql: of.bySql,
    judged: undefined,
    described: false,
    result: undefined,
  }
}

/** What an analysis hangs on besides its text. */
export type Stamp = Pick<Prepared, 'namesKey' | 'guard'>

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
  /** Its parameters were translated: pseudonyms became what they stand for (openings.ts). */
  opened?: boolean
  /** EXECUTE and FETCH: it began to run under `result`, whatever the name it runs has come to mean since. */
  fixed: boolean
  result: Described | undefined
}

export type Found<Value> = Value | undefined | 'unsettled'

/** What one name means: to the target, and once it has done what is on its way. */
class Slot<Value> {
  settled: Value | undefined
  asked: Value | undefined
  /** The object that went up, by which the target's answer is told: another may have taken its place in `asked` since. */
  sent: Value | undefined
  /** Segment in which `asked` went up. */
  segment = 0

  find(segment: number): Found<Value> {
    if (this.asked === undefined) return this.settled
    return this.segment === segment ? this.asked : 'unsettled'
  }
}

function unask(slot: Slot<unknown>): void {
  slot.asked = undefined
  slot.sent = undefined
}

/** One space of names. Keys are data of the client: kept in a map, never as properties. */
export class Names<Value> {
  readonly #slots = new Map<string, Slot<Value>>()
  /** Nearly every statement replaces the unnamed one: a map would be churned for nothing. */
  readonly #unnamed = new Slot<Value>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get isFull(): boolean {
    return this.#slots.size >= this.#entriesMax
  }

  /** The meaning of a name for a message of this segment; 'unsettled' until the target has answered. */
  find(name: string, segment: number): Found<Value> {
    return this.#at(name)?.find(segment)
  }

  ask(name: string, value: Value, segment: number): void {
    const slot = this.#make(name)
    slot.asked = value
    slot.sent = value
    slot.segment = segment
  }

  /** The target made it. */
  confirm(name: string, value: Value): void {
    const slot = this.#make(name)
    const isLast = slot.asked !== undefined && slot.sent === value
    slot.settled = isLast ? slot.asked : value
    if (isLast) unask(slot)
  }

  /** The target did not make it: the name means what it meant before. */
  forget(name: string, value: Value): void {
    const slot = this.#at(name)
    if (slot?.asked === undefined || slot.sent !== value) return
    unask(slot)
    if (slot.settled === undefined) this.#slots.delete(name)
  }

  /** Another object for the same meaning. */
  replace(name: string, value: Value, by: Value): void {
    const slot = this.#at(name)
    if (slot?.settled === value) slot.settled = by
    if (slot?.asked === value) slot.asked = by
  }

  delete(name: string): void {
    const slot = this.#at(name)
    if (slot !== undefined) this.#empty(name, slot)
  }

  /** Lets go of what the target has let go of. */
  keepOnly(keeps: (value: Value) => boolean): void {
    const { settled } = this.#unnamed
    if (settled !== undefined && !keeps(settled)) this.#unnamed.settled = undefined
    if (this.#slots.size === 0) return
    for (const [name, slot] of this.#slots) {
      if (slot.settled !== undefined && !keeps(slot.settled)) this.#empty(name, slot)
    }
  }

  clear(): void {
    this.keepOnly(() => false)
  }

  #at(name: string): Slot<Value> | undefined {
    return name === '' ? this.#unnamed : this.#slots.get(name)
  }

  #make(name: string): Slot<Value> {
    let slot = this.#at(name)
    if (slot === undefined) {
      slot = new Slot()
      this.#slots.set(name, slot)
    }
    return slot
  }

  /** What is on its way to the name stays. */
  #empty(name: string, slot: Slot<Value>): void {
    slot.settled = undefined
    if (slot.asked === undefined) this.#slots.delete(name)
  }
}
