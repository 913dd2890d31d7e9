/**
 * Pure apart from what it is handed. Pseudonyms of one session on their way up: the text or the Bind that goes up in
 * place of the client's, and what must not go up because it was not translated. How stands in openings.ts.
 */
import type { Conversation } from './conversation.ts'
import { type BoundFrame, openLiterals, openParameters } from './openings.ts'
import type { Statement } from './sql/analysis.ts'
import type { Refused } from './sql/lineage/opens.ts'
import type { Portal } from './statements.ts'

const BOUND_BEFORE: Refused = {
  reason: 'This portal was bound before its parameters came to stand for pseudonyms.',
  hint: 'Bind it again.',
}

export class Opener {
  /** Text to go up in place of the client's; of the last Query or Parse only. */
  instead: Buffer | undefined
  readonly #talk: Conversation
  readonly #refuser: { refuseOpening(portal: Portal, refusal: Refused): void }

  constructor(
    talk: Conversation,
    refuser: { refuseOpening(portal: Portal, refusal: Refused): void },
  ) {
    this.#talk = talk
    this.#refuser = refuser
  }

  /** The statements of a message with pseudonyms in its text translated; `instead` holds the text then. */
  statements(text: string, statements: readonly Statement[]): readonly Statement[] {
    this.instead = undefined
    if (!statements.some((one) => one.mask.opens !== undefined)) return statements
    const { keeper, parts } = this.#talk
    const catalogue = (keeper.names ?? keeper.former)?.catalogue
    const opened = openLiterals(text, statements, { key: parts.worker.maskKey, catalogue })
    this.instead = opened.text
    return opened.statements
  }

  /** The Bind to go up for this portal; undefined: it is refused. */
  bind(portal: Portal, frame: BoundFrame): Buffer | undefined {
    const opens = portal.prepared.statement?.mask.opens
    if (opens === undefined) return undefined
    const opened = openParameters(frame, opens, this.#talk.parts.worker.maskKey)
    if ('reason' in opened) {
      this.#refuser.refuseOpening(portal, opened)
      return undefined
    }
    portal.opened = true
    return opened
  }

  /** False: its parameters went up as the client sent them, and it is refused. */
  isOpen(portal: Portal): boolean {
    if (portal.opened === true) return true
    this.#refuser.refuseOpening(portal, BOUND_BEFORE)
    return false
  }
}
