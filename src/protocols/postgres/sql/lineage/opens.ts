/**
 * Pure. Constants that stand for a pseudonym: compared for equality with a column that has pseudonyms, or written to
 * one (semantics §5, "Pseudonyms"). What they stand for is looked up before they go up (openings.ts); here is only
 * where they stand, and whether the statement is one in which the real value tells nobody.
 *
 * A literal's real value stands in the statement's text, which `current_query()`, plans, definitions and defaults can
 * show: so literals are taken in queries only, and nothing in EXPLAIN, PREPARE and definitions. A parameter must have
 * no other use, or it would show its value there.
 */
import type { ColumnMask } from '../../../../mask/plan.ts'
import type { Transform } from '../../../../mask/transform-spec.ts'
import type { Opens, PseudonymKind } from '../analysis.ts'
import { FIRST_USER_OID } from '../catalogue.ts'
import { each, isPart } from '../nodes.ts'
import type { Node } from '../parse.ts'
import type { Kind } from './kinds.ts'
import { looksMasked, maskedAgain, type Refused } from './masked-again.ts'
import type { Source, Value } from './value.ts'

export type { Refused } from './masked-again.ts'

const KINDS: ReadonlyMap<Kind, PseudonymKind> = new Map([
  ['text', 'text'],
  ['varchar', 'text'],
  ['bpchar', 'text'],
  ['uuid', 'uuid'],
  ['bytea', 'bytea'],
])

/** A constant as the grammar has it. */
type Constant =
  | { readonly text: string; readonly at: number; readonly key: object }
  | { readonly number: number; readonly array: boolean; readonly key: object }

interface Open {
  readonly constant: Constant
  readonly domain: string
  readonly kind: PseudonymKind
  readonly label: string
  readonly written: boolean
}

interface Check {
  readonly number: number
  readonly transform: Transform
  readonly label: string
}

const HINT_ALONE = 'Give it a parameter of its own.'

export class OpensFound {
  readonly #opens = new Map<object, Open>()
  readonly #checks: Check[] = []
  #refused: Refused | undefined

  /** True: each of `nodes` is a constant that can stand for a value of the column, and is noted. */
  compared(value: Value, nodes: readonly (Node | undefined)[], array = false): boolean {
    const mask = onlyMask(value)
    const kind = KINDS.get(value.kind)
    if (mask?.transform.type !== 'pseudonym' || kind === undefined || nodes.length === 0)
      return false
    if (mask.inPredicates === 'allow') return false
    const constants = nodes.map((node) => constantIn(node, value.kind, array))
    if (constants.some((one) => one === undefined)) return false
    this.#note(constants as Constant[], { mask, kind, written: false })
    return true
  }

  /** What is written to a masked column; `node` undefined: nobody can tell. */
  written(value: Value, node: Node | undefined): void {
    const mask = onlyMask(value)
    if (mask === undefined || isNothing(node)) return
    const constant = constantIn(node, value.kind, false)
    const kind = KINDS.get(value.kind)
    if (mask.transform.type === 'pseudonym' && kind === undefined && mayBeText(value.kind))
      this.#refused ??= onlyPseudonyms(mask.name)
    else if (mask.transform.type !== 'pseudonym' || kind === undefined)
      this.#guarded(mask, constant)
    else if (constant !== undefined) this.#note([constant], { mask, kind, written: true })
    else this.#refused ??= onlyPseudonyms(mask.name)
  }

  /** What was found, once the statement is walked; a refusal where it must not be translated. */
  finish(stmt: Node): Opens | Refused | undefined {
    if (this.#refused !== undefined) return this.#refused
    if (this.#opens.size === 0 && this.#checks.length === 0) return undefined
    const kind = Object.keys(stmt)[0] ?? ''
    const opens = [...this.#opens.values()]
    if (opens.length > 0 && !KINDS_OF_STATEMENT.has(kind))
      return {
        reason:
          'A pseudonym is not translated in this kind of statement, which would show what it stands for.',
        hint: 'Use it in a SELECT, INSERT, UPDATE, DELETE or MERGE by itself.',
      }
    const literals = opens.flatMap(({ constant, ...one }) =>
      'text' in constant ? [{ ...one, text: constant.text, at: constant.at }] : [],
    )
    const written = writes(stmt) || literals.some((one) => one.written)
    if (literals.length > 0 && written)
      return {
        reason: 'A pseudonym in the text of a statement that writes is not translated.',
        hint: 'Send it as a parameter.',
      }
    return this.#alone(stmt, opens) ?? this.#result(opens, literals)
  }

  #result(opens: readonly Open[], literals: Opens['literals']): Opens {
    const parameters = opens.flatMap(({ constant, domain, kind, label }) =>
      'number' in constant
        ? [{ number: constant.number, array: constant.array, domain, kind, label }]
        : [],
    )
    return { literals, parameters, checks: this.#checks }
  }

  /** Each parameter that is translated stands for one thing and nowhere else. */
  #alone(stmt: Node, opens: readonly Open[]): Refused | undefined {
    const found = new Map<number, Open>()
    const counts = new Map<number, number>()
    for (const one of opens) {
      if (!('number' in one.constant)) continue
      const { number } = one.constant
      const other = found.get(number)
      counts.set(number, (counts.get(number) ?? 0) + 1)
      found.set(number, one)
      if (other !== undefined && !isAlike(one, other)) return shared(number, one.label)
    }
    if (found.size === 0) return undefined
    const used = new Map<number, number>()
    each(stmt, (kind, inside) => {
      if (kind === 'ParamRef' && isPart(inside)) {
        const number = Number(inside.number ?? 0)
        used.set(number, (used.get(number) ?? 0) + 1)
      }
      return true
    })
    for (const [number, one] of found)
      if (used.get(number) !== counts.get(number)) return shared(number, one.label)
    return undefined
  }

  #note(
    constants: readonly Constant[],
    of: { mask: ColumnMask; kind: PseudonymKind; written: boolean },
  ): void {
    const { mask, kind, written } = of
    if (mask.transform.type !== 'pseudonym') return
    for (const constant of constants)
      this.#opens.set(constant.key, {
        constant,
        domain: mask.transform.domain,
        kind,
        label: mask.name,
        written,
      })
  }

  /** Writing back what another transform showed would destroy the value. */
  #guarded(mask: ColumnMask, constant: Constant | undefined): void {
    if (constant === undefined) return
    const { transform, name } = mask
    if ('number' in constant) this.#checks.push({ number: constant.number, transform, label: name })
    else if (looksMasked(constant.text, transform)) this.#refused ??= maskedAgain(name)
  }
}

const KINDS_OF_STATEMENT = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'DeclareCursorStmt',
])

function onlyPseudonyms(label: string): Refused {
  return {
    reason: `${label} takes nothing but pseudonyms of its domain.`,
    hint: 'Write one that was read from it or from a column of its domain, as a parameter.',
  }
}

/**
 * A type that may be shown as text is, a domain say, of which no constant is translated: who wrote to it could write
 * guesses, and compare how they are shown.
 */
function mayBeText(kind: Kind): boolean {
  if (kind === undefined) return true
  const oid = kind.startsWith('#') ? Number(kind.substring(1)) : 0
  return TEXTS.has(oid) || oid >= FIRST_USER_OID
}

/** name, "char", xml, unknown, cstring */
const TEXTS: ReadonlySet<number> = new Set([19, 18, 142, 705, 2275])

function shared(number: number, label: string): Refused {
  return {
    reason: `$${number} stands for a value of ${label} and is used for something else as well.`,
    hint: HINT_ALONE,
  }
}

function isAlike(one: Open, other: Open): boolean {
  return (
    one.domain === other.domain &&
    one.kind === other.kind &&
    (one.constant as { array?: boolean }).array === (other.constant as { array?: boolean }).array
  )
}

/** The mask of a column that stands by itself, where it applies. */
function onlyMask(value: Value): ColumnMask | undefined {
  const [mark, more] = value.marks as readonly [Source?, Source?]
  if (value.how !== 'identity' || value.columns.length !== 1 || more !== undefined) return undefined
  const mask = mark?.mask
  if (mask === undefined || mark?.unknown === true || mask.monitor || mask.fallible === true) {
    return undefined
  }
  return mask
}

function isNothing(node: Node | undefined): boolean {
  if (node === undefined) return false
  return 'SetToDefault' in node || ('A_Const' in node && node.A_Const.isnull === true)
}

/** Casts to the column's own type change nothing. */
function constantIn(node: Node | undefined, kind: Kind, array: boolean): Constant | undefined {
  if (node === undefined) return undefined
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    const name = typeName?.names?.at(-1)
    const cast = name !== undefined && 'String' in name ? name.String.sval : undefined
    const bounded = (typeName?.typmods ?? []).length > 0 || typeName?.setof === true
    const isArray = (typeName?.arrayBounds ?? []).length > 0
    const fits = cast === kind || (cast === 'text' && KINDS.get(kind) === 'text')
    if (!fits || bounded || isArray !== array || (typeName?.names ?? []).length > 2)
      return undefined
    return constantIn(arg, kind, array)
  }
  if ('ParamRef' in node) {
    const number = node.ParamRef.number ?? 0
    return number > 0 ? { number, array, key: node.ParamRef } : undefined
  }
  if (array || !('A_Const' in node)) return undefined
  const { sval, location } = node.A_Const as { sval?: { sval?: string }; location?: number }
  if (sval === undefined) return undefined
  return { text: sval.sval ?? '', at: location ?? 0, key: node.A_Const }
}

/** Anything in it writes. */
function writes(stmt: Node): boolean {
  let found = false
  each(stmt, (kind) => {
    if (WRITES.has(kind)) found = true
    return true
  })
  return found
}

const WRITES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'intoClause'])
