/**
 * Pure apart from what it is handed. The originals of the values that one masker replaces, for the session's sealer: where
 * each stood, what its column is called, and what hid it.
 *
 * Exists only where originals are sealed; a masker without one does nothing of this.
 */
import type { FieldPlan } from '../../mask/plan.ts'
import type { Tally } from '../../mask/spans.ts'
import type { SealedPlace } from '../../record/sealed-values.ts'
import type { Sealer } from '../../record/sealer.ts'

const BINARY = 1

type Field = Parameters<Sealer['value']>[1]

export class Originals {
  /** In place of the masker's own, so that it is known which detectors spoke. */
  readonly tally: NotedTally
  readonly #sealer: Pick<Sealer, 'row' | 'value'>
  readonly #plan: readonly (FieldPlan | undefined)[]
  readonly #isCopy: boolean
  /** Of columns that masks name: made once, not for each value. */
  readonly #fields: readonly (Field | undefined)[]

  constructor(
    sealer: Pick<Sealer, 'row' | 'value'>,
    about: {
      readonly plan: readonly (FieldPlan | undefined)[]
      readonly tally: Tally
      /** Values as they stand in the stream of a COPY. */
      readonly isCopy: boolean
    },
  ) {
    this.#sealer = sealer
    this.#plan = about.plan
    this.#isCopy = about.isCopy
    this.#fields = about.plan.map((plan, column) =>
      plan?.by === 'column' ? { column, name: plan.name, by: `column ${plan.name}` } : undefined,
    )
    this.tally = new NotedTally(about.tally)
  }

  nextRow(): void {
    this.#sealer.row += 1
  }

  /** Once it is known that the mask replaces it. */
  value(column: number, value: Uint8Array): void {
    const plan = this.#plan[column]
    const by = this.tally.taken()
    const field = this.#fields[column] ?? { column, name: nameOf(plan), by }
    this.#sealer.value(this.#placeOf(plan), field, value)
  }

  #placeOf(plan: FieldPlan | undefined): SealedPlace {
    if (this.#isCopy) return 'copy'
    return plan?.format === BINARY ? 'binary' : 'text'
  }
}

function nameOf(plan: FieldPlan | undefined): string {
  return plan?.by === 'detector' ? (plan.names?.[0] ?? '') : ''
}

/** Counts in another one, and remembers what was counted. */
class NotedTally extends Map<string, number> {
  readonly #counted: Tally
  readonly #names = new Set<string>()

  constructor(counted: Tally) {
    super()
    this.#counted = counted
  }

  /** Names since the last call. */
  taken(): string {
    if (this.#names.size === 0) return ''
    const names = [...this.#names].join(', ')
    this.#names.clear()
    return names
  }

  override get(name: string): number | undefined {
    return this.#counted.get(name)
  }

  override set(name: string, value: number): this {
    this.#names.add(name)
    this.#counted.set(name, value)
    return this
  }
}
