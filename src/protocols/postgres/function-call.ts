/**
 * Pure apart from what it is handed. The function-call message, by which libpq and JDBC reach large objects: the name
 * behind its OID is asked for on this very connection, and the call is judged as the SELECT that would make it, and as
 * `execute` (semantics §1). While any mask applies it is refused: its answer has no description to mask it by.
 */
import { FORWARD, type Held, STOP, TAKEN, WAIT } from '../../relay/lane.ts'
import type { Conversation } from './conversation.ts'
import { ASKING, Entry, FUNCTION } from './entry.ts'
import { parameterTexts } from './params.ts'
import { type FunctionCallBody, readFunctionCall } from './read.ts'
import type { Statement } from './sql/analysis.ts'
import { FIRST_USER_OID } from './sql/catalogue.ts'
import { opaqueStatement } from './sql/opaque-statement.ts'

export class FunctionCalls {
  readonly #talk: Conversation
  /** Qualified and quoted, by OID; functions that initdb made. */
  #builtIn: Map<number, string> | undefined
  /** What the target said of the function that the waiting message calls; undefined: it knows none. */
  #asked: { readonly oid: number; readonly name: string | undefined } | undefined

  constructor(talk: Conversation) {
    this.#talk = talk
  }

  held(bytes: Buffer, start: number, end: number): Held {
    const talk = this.#talk
    const body = readFunctionCall(bytes, start, end)
    if (body === undefined) {
      talk.malformed('client', 'FunctionCall')
      return STOP
    }
    // What is behind messages without a Sync can neither be waited for nor be asked about.
    if (!talk.segmentOpen) {
      if (talk.ledger.size > 0) return WAIT
      if (this.#mustAsk(body.oid)) return WAIT
    }
    const about = this.#statementOf(body)
    if (about === 'wait') return WAIT
    this.#asked = undefined
    const params = parameterTexts(body, bytes, talk.guard.readsParameters)
    const bytesUp = end - start
    const run = talk.reader.admitCall(about.statement, about.text, { params, bytesUp })
    if (run === undefined) return TAKEN
    const one = new Entry(FUNCTION)
    one.running = run
    talk.owe(one)
    talk.endSegment()
    return FORWARD
  }

  #mustAsk(oid: number): boolean {
    const talk = this.#talk
    const isKnown = this.#builtIn?.has(oid) === true || this.#asked?.oid === oid
    // Nothing is asked in a failed transaction, nor about what is refused anyway.
    if (isKnown || !talk.isAtRest || talk.awaitsRollback || !talk.results.masks.now.idle)
      return false
    talk.blocked |= ASKING
    talk.ask(functionText(oid), (json) => {
      talk.blocked &= ~ASKING
      const name = nameIn(json)
      this.#asked = { oid, name }
      // What initdb made stays what it is.
      if (name !== undefined && oid < FIRST_USER_OID) {
        this.#builtIn ??= new Map()
        this.#builtIn.set(oid, name)
      }
    })
    return true
  }

  #statementOf(body: FunctionCallBody): { statement: Statement; text: string } | 'wait' {
    const { oid, values } = body
    const name =
      this.#builtIn?.get(oid) ?? (this.#asked?.oid === oid ? this.#asked.name : undefined)
    const holders = Array.from({ length: values.length / 2 }, (_, i) => `$${i + 1}`)
    const text = name === undefined ? '' : `SELECT ${name}(${holders.join(', ')})`
    const called = name === undefined ? undefined : this.#talk.reader.read(text, text.length)
    if (called === 'wait') return 'wait'
    const statement = called?.statements[0] ?? opaqueStatement('', called?.opaque ?? UNKNOWN)
    return { statement: this.#asCall(statement), text }
  }

  #asCall(statement: Statement): Statement {
    const call = { ...statement, verb: 'FUNCTION CALL', returnsRows: false, parameters: 0 }
    if (!this.#talk.results.masks.now.idle) {
      // It was not even asked what is called: the role needs what every such message needs.
      const mask = { ...statement.mask, touches: true, refusal: REFUSAL }
      return { ...call, opaque: undefined, classes: ['execute'], reasons: [REASON], mask }
    }
    const { classes, reasons } = statement
    if (classes.includes('execute')) return call
    return { ...call, classes: [...classes, 'execute'], reasons: [...reasons, REASON] }
  }
}

/** Schema-qualified throughout, as all that the gateway asks (sql/catalogue-query.ts). */
export function functionText(oid: number): string {
  return `SELECT pg_catalog.json_build_array(n.nspname, p.proname) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace WHERE p.oid OPERATOR(pg_catalog.=) '${oid}'::pg_catalog.oid`
}

const UNKNOWN = {
  reason: 'the function-call message calls a function that is not known here',
  position: undefined,
}
const REASON = 'the function-call message is execute'
const REFUSAL = {
  reason: 'While a mask applies, the function-call message is refused.',
  hint: 'Call the function by SELECT.',
}

/** `["schema","name"]`, as `functionText` asks for it; the target may answer anything. */
function nameIn(json: string | undefined): string | undefined {
  const parts = listIn(json)
  if (parts?.length !== 2) return undefined
  const isName = (part: unknown) => typeof part === 'string' && part !== '' && !part.includes('\0')
  if (!parts.every(isName)) return undefined
  return parts.map((part) => `"${String(part).replaceAll('"', '""')}"`).join('.')
}

function listIn(json: string | undefined): readonly unknown[] | undefined {
  try {
    const read: unknown = JSON.parse(json ?? '')
    return Array.isArray(read) ? read : undefined
  } catch {
    return undefined
  }
}
