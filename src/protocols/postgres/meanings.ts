/**
 * Pure apart from what it is handed. What texts that the session keeps under a name mean: made by Parse, PREPARE,
 * Bind and DECLARE, analysed again when names or policy change.
 *
 * A prepared statement follows the session's names, as PostgreSQL plans it anew. A portal keeps the meaning that it
 * was bound with: so what is analysed anew is a new object, and portals hold on to the old one with its description.
 */
import type { Conversation } from './conversation.ts'
import { TYPED } from './declared-parameters.ts'
import { isOpenedAs, withOpened } from './openings.ts'
import type { Analysis, Effect, Statement } from './sql/analysis.ts'
import { opaqueStatement } from './sql/opaque-statement.ts'
import { type Portal, type Prepared, preparedOf, type Stamp } from './statements.ts'

/** What a statement makes by name, once it has run. */
export interface Made {
  readonly prepared: Prepared | undefined
  readonly portal: Portal | undefined
}

type Read = (text: string, bytes: number) => Analysis | 'wait'

const OUTDATED = {
  reason: 'a portal that was bound under other names and another policy',
  position: undefined,
}

export class Meanings {
  readonly #talk: Conversation
  readonly #read: Read

  constructor(talk: Conversation, read: Read) {
    this.#talk = talk
    this.#read = read
  }

  get stamp(): Stamp {
    return { namesKey: this.#talk.keeper.stamp, guard: this.#talk.guard }
  }

  /** What a statement means now; the object that its name stands for from now on. */
  renew(prepared: Prepared): Prepared | 'wait' {
    const { keeper, guard } = this.#talk
    if (prepared.namesKey === keeper.stamp && prepared.guard === guard) return prepared
    const read = this.#read(prepared.text, prepared.text.length)
    if (read === 'wait') return 'wait'
    const { name, text, bySql } = prepared
    const [first] =
      read.opaque === undefined ? read.statements : [opaqueStatement(text, read.opaque)]
    const { prepares, declares } = first?.effect ?? {}
    const body = prepares?.body ?? declares?.body ?? first
    // Of its parameters' types the text says nothing.
    const isTyped = prepared.statement?.opaque === TYPED
    const asked = isTyped ? prepared.statement : bySql ? body : first
    const isOpened = asked !== undefined && isOpenedAs(prepared.statement, asked)
    const statement = isOpened ? withOpened(asked) : asked
    const renewed = preparedOf({ name, text, statement, bySql }, this.stamp)
    this.#talk.prepared.replace(name, prepared, renewed)
    return renewed
  }

  /** Before a portal is run: under another policy its statement may meet other masks. */
  renewPortal(portal: Portal): 'ready' | 'wait' {
    const { keeper, guard } = this.#talk
    const { prepared } = portal
    if (prepared.guard === guard || prepared.statement === undefined) return 'ready'
    portal.judged = undefined
    if (prepared.namesKey === keeper.stamp) {
      const renewed = this.renew(prepared)
      if (renewed === 'wait') return 'wait'
      portal.prepared = renewed
    } else {
      // What its names meant then cannot be asked any more.
      const statement = opaqueStatement(prepared.text, OUTDATED)
      const { namesKey, described, result } = prepared
      portal.prepared = preparedOf({ ...prepared, statement }, { namesKey, guard })
      portal.prepared.described = described
      portal.prepared.result = result
    }
    return 'ready'
  }

  /** What a name stands for: in this message so far (`local`), else in the session. */
  named(
    kind: 'prepared' | 'cursor',
    name: string,
    local: ReadonlyMap<string, Statement>,
  ): Statement | undefined | 'wait' {
    const talk = this.#talk
    const here = local.get(`${kind} ${name}`)
    if (here !== undefined) return here
    if (kind === 'prepared') {
      const found = talk.prepared.find(name, talk.segment)
      if (found === 'unsettled') return 'wait'
      const renewed = found === undefined ? undefined : this.renew(found)
      return renewed === 'wait' ? 'wait' : renewed?.statement
    }
    const found = talk.portals.find(name, talk.segment)
    if (found === 'unsettled' || found === undefined) return found === undefined ? found : 'wait'
    return this.renewPortal(found) === 'wait' ? 'wait' : found.prepared.statement
  }

  /** No more names can be kept. */
  isFull(effect: Effect): boolean {
    const { prepares, declares } = effect
    return (
      (prepares !== undefined && this.#talk.prepared.isFull) ||
      (declares !== undefined && this.#talk.portals.isFull)
    )
  }

  /** PREPARE and DECLARE that go up now: the name counts as a Parse or Bind would make it. */
  ask(effect: Effect, text: string): Made | undefined {
    const { prepares, declares } = effect
    if (prepares === undefined && declares === undefined) return undefined
    const talk = this.#talk
    const made = {
      prepared: prepares && this.#prepared(prepares.name, prepares.body, text),
      portal: declares && this.#cursor(declares.name, declares.body, text),
    }
    if (made.prepared) talk.prepared.ask(made.prepared.name, made.prepared, talk.segment)
    if (made.portal) talk.portals.ask(made.portal.name, made.portal, talk.segment)
    return made
  }

  #prepared(name: string, statement: Statement, text: string): Prepared {
    return preparedOf({ name, text, statement, bySql: true }, this.stamp)
  }

  #cursor(name: string, body: Statement, text: string): Portal {
    return {
      name,
      // No prepared statement of this name exists, so that nothing is replaced when it is renewed.
      prepared: this.#prepared('', body, text),
      resultFormats: [],
      params: [],
      bytesUp: 0,
      outlives: /\bhold\b/i.test(text),
      judged: undefined,
      described: false,
      fixed: false,
      result: undefined,
    }
  }
}
