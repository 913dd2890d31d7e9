/**
 * Pure. What is found while one statement's tree is walked, before it is settled into a `Statement`.
 *
 * Only adds: nothing that was found is ever taken back, so that the order of the walk cannot lose a class.
 */
import type { ActionClass, OpaqueReason } from '../../../decide/action.ts'
import { type Effect, NO_EFFECT } from './analysis.ts'
import type { Part } from './nodes.ts'
import { pathIsPlain, type Trust } from './resolve.ts'
import type { Outputs, Scope } from './scope.ts'

/** What walkers of one family need of another; handed in, so that files do not import each other in a ring. */
export interface Walkers {
  /** A SELECT, VALUES or TABLE inside something else. Gives the names of its columns where they are known. */
  query(gathered: Gathered, outer: Scope | undefined, select: Part): Outputs
  /** Any statement inside another. */
  statement(gathered: Gathered, outer: Scope | undefined, node: Part): Outputs
}

export type MutableEffect = { -readonly [K in keyof Effect]: Effect[K] }

export class Gathered {
  readonly trust: Trust
  readonly identityParameter: string | undefined
  readonly walkers: Walkers
  readonly classes = new Set<ActionClass>()
  readonly reasons = new Set<string>()
  readonly tags = new Set<string>()
  readonly tables = new Set<string>()
  readonly tablesWritten = new Set<string>()
  readonly columns = new Set<string>()
  readonly functions = new Set<string>()
  readonly literals = new Set<string>()
  readonly triggers = new Set<string>()
  readonly objects = new Set<string>()
  /** OIDs of relations and types that were named, for the question which casts could apply. */
  readonly relationOids = new Set<number>()
  readonly typeOids = new Set<number>()
  /** Those of them whose rows are read. */
  readonly readOids = new Set<number>()
  /** A literal may take the type of what stands beside it, or arrays are made (typed-code.ts). */
  unifies = false
  /** A row is named as a whole. */
  takesRows = false
  effect: MutableEffect = { ...NO_EFFECT }
  writes = false
  /** Something is written by a form that the tree alone does not show to be unbounded. */
  unbounded = false
  copy = ''
  opaque: OpaqueReason | undefined
  refused: string | undefined
  parameters = 0
  returnsRows = false
  verb = ''
  /** Rises inside plain EXPLAIN: what the statement would change does not happen. */
  dry = 0

  constructor(trust: Trust, options: { identityParameter: string | undefined; walkers: Walkers }) {
    this.trust = trust
    this.identityParameter = options.identityParameter
    this.walkers = options.walkers
  }

  /** What a statement itself does; nothing inside a plain EXPLAIN. */
  give(one: ActionClass, reason: string): void {
    if (this.dry === 0) this.run(one, reason)
  }

  /** What something that runs even in a plain EXPLAIN does, such as a function. */
  run(one: ActionClass, reason: string): void {
    this.classes.add(one)
    if (one !== 'read') this.reasons.add(reason)
    if (one === 'execute') {
      this.effect.dirties = true
      this.effect.changesCatalogue = true
      this.writes = true
      this.unbounded = true
    }
  }

  /** Code is made or changed that something else will run. */
  plants(reason: string): void {
    if (this.dry > 0) return
    this.classes.add('execute')
    this.reasons.add(reason)
  }

  /** A value at the target changes that outlives the statement. */
  change(options: { bounded: boolean }): void {
    if (this.dry > 0) return
    this.writes = true
    if (!options.bounded) this.unbounded = true
  }

  notUnderstood(reason: string): void {
    this.classes.add('opaque')
    this.opaque ??= { reason, position: undefined }
  }

  /** No role may do this. */
  refuse(reason: string): void {
    this.refused ??= reason
    this.run('admin', reason)
  }

  /** To be called for every name without a schema. */
  unqualified(): void {
    if (!pathIsPlain(this.trust.names))
      this.notUnderstood(
        'search_path names pg_catalog behind another schema, so unqualified names could mean anything.',
      )
  }

  tag(tag: string): void {
    if (this.dry === 0) this.tags.add(tag)
  }

  /** Marks that names mean something else after the statement. */
  changesNames(options: { shared: boolean }): void {
    if (this.dry > 0) return
    this.effect.dirties = true
    if (options.shared) this.effect.changesCatalogue = true
  }
}
