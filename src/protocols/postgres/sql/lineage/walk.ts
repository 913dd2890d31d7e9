/**
 * Pure. The state of one walk over a statement: what it found of masked columns, and the judgement of each place in
 * which one stands (semantics §5). Walkers of one family reach those of another through it, so that files do not import
 * each other in a ring.
 */

import type { ColumnMask, OutputMask } from '../../../../mask/plan.ts'
import { stronger, type Transform } from '../../../../mask/transform-spec.ts'
import type { Relation } from '../catalogue.ts'
import type { Node, SelectStmt } from '../parse.ts'
import { isAscii, oidOf } from './kinds.ts'
import { OpensFound } from './opens.ts'
import type { Level, Outputs } from './scope.ts'
import type { How, Source, Value } from './value.ts'

/** `value`: what comes out hangs on it. `predicate`: it decides which rows, groups, order or branch come out. */
export type Use = 'value' | 'predicate'

/** What becomes of a query's outputs: sent to the client, used inside the statement, stored in a relation. */
export type Role = 'top' | 'inner' | 'stored'

/** A query under a name. Outputs are worked out when they are first asked for. */
export interface Cte {
  outputs(): Outputs
}

/** What is visible at one place of a statement. */
export interface Place {
  readonly level: Level | undefined
  readonly ctes: ReadonlyMap<string, Cte>
}

export const NOWHERE: Place = { level: undefined, ctes: new Map() }

export interface Refusal {
  readonly reason: string
  readonly hint: string
}

export interface World {
  relationOf(schema: string | undefined, name: string): Relation | undefined
  relation(oid: number): Relation | undefined
  mask(relation: number, column: number): ColumnMask | undefined
  maskedRelations(): Iterable<number>
  /** Every function of that name that the session can mean is the built-in one, or no better match for built-in types. */
  isBuiltInFunction(schema: string | undefined, name: string): boolean
  isBuiltInType(schema: string | undefined, name: string): boolean
  /** As in Names. */
  readonly sending: 'fails' | 'cuts' | undefined
}

export interface Walkers {
  value(walk: Walk, node: Node | undefined, at: { place: Place; use: Use }): Value
  select(walk: Walk, select: SelectStmt, at: { place: Place; role: Role }): Outputs
  /** Any statement inside another: CTEs that change data, the body of PREPARE. */
  statement(walk: Walk, stmt: Node, at: { place: Place; role: Role }): Outputs
}

const STEPS_MAX = 200_000
const HINT_VALUE =
  'Select the column by itself, or through functions such as upper, length, ||, coalesce, count, min, max, ' +
  'array_agg and row_to_json: what they make of it comes back masked. Leave it out of all others.'
const HINT_PSEUDONYM =
  'Compare it with = or IN with pseudonyms that were read from it, as parameters or, in a SELECT, as plain literals. ' +
  'Numbers, dates and short texts have none that lead back.'
const HINT_PREDICATE = 'Filter, join, group and sort by columns that are not masked.'

export class Walk {
  touches = false
  /** A masked value decides something, or more than itself is made of it: literals beside it may be guesses of it. */
  meets = false
  refusal: Refusal | undefined
  readonly rules = new Set<string>()
  /** Columns that decide which rows come out. */
  readonly deciding = new Map<string, Source>()
  /** Constants that stand for pseudonyms. */
  readonly opens = new OpensFound()
  readonly world: World
  readonly #walkers: Walkers
  #steps = 0

  constructor(world: World, walkers: Walkers) {
    this.world = world
    this.#walkers = walkers
  }

  value(node: Node | undefined, place: Place, use: Use = 'value'): Value {
    return this.#walkers.value(this, node, { place, use })
  }

  select(select: SelectStmt, place: Place, role: Role): Outputs {
    return this.#walkers.select(this, select, { place, role })
  }

  statement(stmt: Node, place: Place, role: Role): Outputs {
    return this.#walkers.statement(this, stmt, { place, role })
  }

  /** Several expressions that only decide something. */
  decide(nodes: readonly (Node | undefined)[] | Node | undefined, place: Place): void {
    if (nodes === undefined) return
    for (const node of Array.isArray(nodes) ? (nodes as readonly Node[]) : [nodes as Node])
      if (node !== undefined) this.value(node, place, 'predicate')
  }

  /** Counts work; a statement that needs too much of it is refused. False: leave it. */
  step(): boolean {
    this.#steps++
    if (this.#steps <= STEPS_MAX) return true
    this.touches = true
    this.refuse(
      'The statement is too large to follow its columns while columns are masked.',
      'Split it into smaller statements.',
    )
    return false
  }

  /** The first refusal stays: later ones are often only its consequences. */
  refuse(reason: string, hint: string): void {
    this.refusal ??= { reason, hint }
  }

  /** Notes that the statement names these columns, without judging it. */
  note(marks: readonly Source[]): void {
    for (const { mask } of marks) {
      this.touches = true
      if (mask !== undefined) this.rules.add(mask.rule)
    }
  }

  #meet(marks: readonly Source[]): void {
    this.note(marks)
    if (marks.length > 0) this.meets = true
  }

  /** A place in which a masked value must not stand: an expression that may tell it, or a store without its mask. */
  forbid(marks: readonly Source[]): void {
    this.#meet(marks)
    for (const mark of marks) {
      if (mark.mask?.monitor === true || this.#isClosed(mark)) continue
      this.refuse(
        `${mark.label} is masked and cannot be part of this expression or copy.`,
        HINT_VALUE,
      )
    }
  }

  /**
   * Outputs that are used inside the statement: they are computed whether anybody reads them or not (WITH, RETURNING, behind
   * OFFSET), and an error would tell.
   */
  compute({ list, open }: Outputs): void {
    for (const { marks } of [
      ...list.map(({ value }) => value),
      ...(open === undefined ? [] : [open]),
    ])
      this.forbid(marks.filter(({ mask }) => mask?.fallible === true && !mask.monitor))
  }

  /** Something decides by this value which rows come out. */
  decides(value: Value): void {
    for (const source of value.columns) this.deciding.set(source.label, source)
    this.guard(value.marks)
  }

  /** True: it is compared with constants that stand for pseudonyms, which tells no more than they do. */
  opensWith(value: Value, nodes: readonly (Node | undefined)[], array = false): boolean {
    if (!this.opens.compared(value, nodes, array)) return false
    for (const source of value.columns) this.deciding.set(source.label, source)
    this.#meet(value.marks)
    return true
  }

  /** As `decides`, of columns that a definition or a constraint names. */
  guard(marks: readonly Source[]): void {
    this.#meet(marks)
    for (const mark of marks) {
      if (mark.mask?.monitor === true || this.#isClosed(mark)) continue
      if (mark.mask?.inPredicates !== 'allow')
        this.refuse(
          `${mark.label} is masked and cannot decide which rows come out, or in which order.`,
          mark.mask?.transform.type === 'pseudonym' ? HINT_PSEUDONYM : HINT_PREDICATE,
        )
    }
  }

  /** An output of the statement, as the client will see it. */
  output(value: Value): OutputMask | null {
    const { marks, how } = value
    if (marks.length === 0) return null
    if (how === 'identity') this.note(marks)
    else this.#meet(marks)
    for (const mark of marks) if (mark.mask?.monitor !== true) this.#isClosed(mark)
    const enforced = marks.filter((mark) => mark.mask?.monitor === false)
    if (how === 'other') this.forbid(enforced)
    if (enforced[0] !== undefined && !isAscii(value.kind)) this.#sent(enforced[0], how)
    const denied = enforced.find((mark) => how !== 'identity' && mark.mask?.derived === 'deny')
    if (denied !== undefined)
      this.refuse(
        `${denied.label} is masked, and policy denies what is computed from it.`,
        'Select the column by itself: it comes back masked.',
      )
    const first = marks[0]!
    if (how === 'identity' && first.mask !== undefined) {
      const { transform, monitor, name } = first.mask
      const { relation, column } = first
      return { transform, monitor, name, relation, column, typeOid: oidOf(value.kind) }
    }
    return {
      transform: marks.reduce<Transform>(
        (found, { mask }) => stronger(found, ofDerived(mask)),
        WEAKEST,
      ),
      monitor: enforced.length === 0,
      name: (enforced[0] ?? first).mask?.name ?? first.label,
      relation: 0,
      column: 0,
      typeOid: oidOf(value.kind),
    }
  }

  /** Before a mask hides it the target sends it, and a text that it cannot send fails by what stands there. */
  #sent({ label }: Source, how: How): void {
    if (this.world.sending === 'fails')
      this.refuse(
        `${label} is masked, and whether this client's encoding can show it would tell what it holds.`,
        'Set client_encoding to UTF8.',
      )
    else if (this.world.sending === 'cuts' && how !== 'identity')
      this.refuse(
        `${label} is masked, and a part of it may be half a character in a database without an encoding.`,
        'Select the column by itself: it comes back masked.',
      )
  }

  /** True: no use of it passes, and this was said. */
  #isClosed(mark: Source): boolean {
    if (mark.unknown)
      this.refuse(
        `The gateway does not know what ${mark.label} holds while columns are masked.`,
        'Name columns of tables that exist; try again if it was just created.',
      )
    else if (mark.mask?.fallible === true)
      this.refuse(
        `${mark.label} is computed from masked columns by functions that could tell them.`,
        'Select the columns that it is computed from, of the tables that hold them: masked ones come back masked.',
      )
    else return false
    return true
  }
}

const REDACT: Transform = { type: 'redact' }
/** Of what is derived, only null, redact and fixed are left. */
const WEAKEST: Transform = { type: 'fixed', value: '' }

function ofDerived(mask: ColumnMask | undefined): Transform {
  const type = mask?.transform.type
  return mask !== undefined && (type === 'null' || type === 'fixed') ? mask.transform : REDACT
}
