/**
 * Pure apart from what it is handed. Reads texts and says what may go up: analysis, verdict, record, refusal.
 *
 * An answer of `undefined` means that the message was refused and the client has been told (or will be, at its
 * turn); 'wait' that it must be offered again.
 */
import type { Guard } from '../../decide/policy.ts'
import type { Verdict } from '../../decide/verdict.ts'
import type { Conversation } from './conversation.ts'
import { ASKING, type Running } from './entry.ts'
import { FAILED } from './frame.ts'
import { endsTransaction, exactText, holds, type Judged, judge, overLimit } from './judge.ts'
import { underMasks } from './mask-refusals.ts'
import { Meanings } from './meanings.ts'
import { allNamed, withNamed } from './named.ts'
import { Opener } from './opener.ts'
import { parameterTexts } from './params.ts'
import type { BindBody } from './read.ts'
import type { Analysis, Names as SessionNames, Statement } from './sql/analysis.ts'
import type { Refused } from './sql/lineage/opens.ts'
import { opaqueStatement, TOO_LARGE } from './sql/opaque-statement.ts'
import { type Portal, type Prepared, preparedOf } from './statements.ts'
import * as write from './write.ts'

const NO_PARAMS: readonly string[] = []
/** May be nameless, and reads the same in any encoding, with backslashes in strings or without. */
const NAMELESS =
  /^\s*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set|reset|show|deallocate|close|listen|unlisten|notify|discard)\b[\t\n\r\x20-\x5b\x5d-\x7e]{0,2000}$/i
const PARSE_HERE_BYTES_MAX = 16 << 10

export class Reader {
  readonly #talk: Conversation
  /** Answer of the other thread, for the frame that waits for it. */
  #parsed: { text: string; namesKey: string; analysis: Analysis } | undefined

  readonly meanings: Meanings
  readonly opener: Opener

  constructor(talk: Conversation) {
    this.#talk = talk
    this.opener = new Opener(talk, this)
    this.meanings = new Meanings(talk, (text, bytes) => this.read(text, bytes))
  }

  /** What a message's text says it would do, with names as the session means them now. */
  read(text: string, bytes: number): Analysis | 'wait' {
    const talk = this.#talk
    // A failed transaction must be let go of, although nothing can be asked in it.
    const names = talk.keeper.names ?? (talk.awaitsRollback ? talk.keeper.former : undefined)
    if (names === undefined) {
      const nameless = this.nameless(text)
      if (nameless !== undefined) return nameless
      const reason = 'what its names mean is not known behind an earlier statement'
      return { statements: [], opaque: { reason, position: undefined } }
    }
    if (bytes > PARSE_HERE_BYTES_MAX) return this.#elsewhere(text, names)
    const { worker } = talk.parts
    const began = worker.now()
    const analysis = talk.results.masks.analyse(text, names)
    talk.results.actions.parseUs += (worker.now() - began) * 1000
    return analysis
  }

  /** Of a text that means the same whatever names mean, and may be judged while they are not known. */
  nameless(text: string): Analysis | undefined {
    const { former } = this.#talk.keeper
    if (former === undefined || !NAMELESS.test(text)) return undefined
    const analysis = this.#talk.results.masks.analyse(text, former)
    const { statements } = analysis
    const isNameless = statements.length > 0 && statements.every((one) => one.nameless === true)
    return isNameless ? analysis : undefined
  }

  /** A long text would keep all other sessions of this worker waiting: it is parsed by another thread. */
  #elsewhere(text: string, names: SessionNames): Analysis | 'wait' {
    const talk = this.#talk
    const ready = this.#parsed
    if (ready !== undefined && ready.text === text && ready.namesKey === names.key) {
      this.#parsed = undefined
      return ready.analysis
    }
    talk.blocked |= ASKING
    talk.results.masks.analyseElsewhere(text, names, (analysis) => {
      this.#parsed = { text, namesKey: names.key, analysis }
      talk.blocked &= ~ASKING
      talk.proceed()
    })
    return 'wait'
  }

  /** Query: every statement is judged, and one refused refuses them all. */
  admitQuery(
    text: string,
    analysis: Analysis,
    bytesUp: number,
  ): readonly Running[] | undefined | 'wait' {
    const talk = this.#talk
    const { guard } = talk
    const asked = this.opener.statements(text, this.#statements(text, analysis))
    const statements = allNamed(asked, (...of) => this.meanings.named(...of))
    if (statements === 'wait') return 'wait'
    const judged: Judged[] = []
    let inTransaction = talk.inTransaction
    for (const statement of statements) {
      if (this.meanings.isFull(statement.effect)) {
        this.#refuseName(statement, text, false)
        return undefined
      }
      const exact = exactText(text, statement, statements.length)
      const count = statements.length
      const verdict = this.#judge(statement, {
        exact,
        params: NO_PARAMS,
        count,
        inTransaction,
        guard,
      })
      if (verdict.verdict.verdict === 'deny') {
        this.#refuse(verdict, verdict.verdict, {
          statement,
          bytesUp,
          params: NO_PARAMS,
          extended: false,
        })
        return undefined
      }
      if (statement.effect.transaction === 'begin') inTransaction = true
      judged.push(verdict)
    }
    return statements.map((statement, i) =>
      this.#start(statement, judged[i]!, {
        params: NO_PARAMS,
        bytesUp: i === 0 ? bytesUp : 0,
        text: exactText(text, statement, statements.length),
      }),
    )
  }

  /** Parse: refused here where that does not hang on parameters; Bind and Execute judge again. */
  admitParse(name: string, text: string, analysis: Analysis): Prepared | undefined {
    const talk = this.#talk
    const { guard } = talk
    const statements = this.opener.statements(text, this.#statements(text, analysis))
    // PostgreSQL refuses a Parse of several statements itself; none of them is ever run.
    const statement = statements.length > 1 ? opaqueStatement(text, SEVERAL) : statements[0]
    const prepared = preparedOf({ name, text, statement, bySql: false }, this.meanings.stamp)
    if (name !== '' && talk.prepared.isFull) {
      this.#refuseName(statement ?? opaqueStatement(text, SEVERAL), text, true)
      return undefined
    }
    if (statement === undefined) return prepared
    // What it runs is looked up by name when it does.
    if (statement.effect.runs !== undefined && this.#classesAllow(statement)) return prepared
    const certain = guard.readsParameters && this.#classesAllow(statement)
    if (certain) return prepared
    const judged = this.#judgeOnly(statement, text, guard)
    prepared.judged = judged
    if (judged.verdict.verdict === 'allow') return prepared
    const bytesUp = text.length
    this.#refuse(judged, judged.verdict, { statement, bytesUp, params: NO_PARAMS, extended: true })
    return undefined
  }

  admitBind(
    named: Prepared,
    body: BindBody,
    bytes: Buffer,
    bytesUp: number,
  ): Portal | undefined | 'wait' {
    const talk = this.#talk
    const { guard } = talk
    const prepared = this.meanings.renew(named)
    if (prepared === 'wait') return 'wait'
    const params = parameterTexts(body, bytes, guard.readsParameters)
    const portal: Portal = {
      name: body.portal,
      prepared,
      resultFormats: body.resultFormats,
      params,
      bytesUp,
      outlives: false,
      judged: undefined,
      described: false,
      fixed: false,
      result: undefined,
    }
    if (prepared.statement === undefined) return portal
    if (body.portal !== '' && talk.portals.isFull) {
      this.#refuseName(prepared.statement, prepared.text, true)
      return undefined
    }
    const { inTransaction } = talk
    const known = prepared.judged
    if (known !== undefined && holds(known, guard, inTransaction)) {
      portal.judged = known
    } else {
      const judged = this.#judgeNamed(prepared, params, guard)
      if (judged === 'wait') return 'wait'
      portal.judged = judged
      if (judged.stable && prepared.statement.effect.runs === undefined) prepared.judged = judged
    }
    const { verdict } = portal.judged
    if (verdict.verdict === 'allow') return portal
    const { statement } = prepared
    this.#refuse(portal.judged, verdict, { statement, bytesUp, params, extended: true })
    return undefined
  }

  /** Execute: the action is recorded here, once for each message. */
  admitExecute(portal: Portal): readonly Running[] | undefined | 'wait' {
    const talk = this.#talk
    if (this.meanings.renewPortal(portal) === 'wait') return 'wait'
    const { prepared, params } = portal
    const { statement } = prepared
    if (statement === undefined) return NO_RUNNING
    const { guard } = talk
    if (talk.status === FAILED && talk.ledger.size === 0 && !endsTransaction(statement)) {
      this.#refuseAborted(portal, statement)
      return undefined
    }
    if (statement.mask.opens !== undefined && !this.opener.isOpen(portal)) return undefined
    let { judged } = portal
    const named = statement.effect.runs !== undefined
    if (judged === undefined || named || !holds(judged, guard, talk.inTransaction)) {
      const again = this.#judgeNamed(prepared, params, guard)
      if (again === 'wait') return 'wait'
      judged = again
      portal.judged = judged
    }
    const { verdict } = judged
    if (verdict.verdict === 'deny') {
      const { bytesUp } = portal
      this.#refuse(judged, verdict, { statement, bytesUp, params, extended: true })
      return undefined
    }
    const merged = withNamed(statement, (kind, name) => this.meanings.named(kind, name, NO_LOCAL))
    if (merged === 'wait') return 'wait'
    if (this.meanings.isFull(merged.effect)) {
      this.#refuseName(merged, prepared.text, true)
      return undefined
    }
    const { bytesUp } = portal
    return [this.#start(merged, judged, { params, bytesUp, text: prepared.text })]
  }

  refuseOversize(simple: boolean): void {
    const statement = opaqueStatement('', TOO_LARGE)
    const judged = this.#judgeOnly(statement, '', this.#talk.guard)
    const verdict = overLimit('The statement is larger than limits.statement_bytes_max.')
    this.#refuse(judged, verdict, { statement, bytesUp: 0, params: NO_PARAMS, extended: !simple })
  }

  /** `statement`: what the SELECT would do that makes the same call. */
  admitCall(
    statement: Statement,
    text: string,
    about: { params: readonly string[]; bytesUp: number },
  ): readonly Running[] | undefined {
    const { guard, inTransaction } = this.#talk
    const { params } = about
    const judged = this.#judge(statement, { exact: text, params, count: 1, inTransaction, guard })
    const { verdict } = judged
    if (verdict.verdict === 'allow') return [this.#start(statement, judged, { ...about, text })]
    this.#refuse(judged, verdict, { statement, ...about, extended: false })
    return undefined
  }

  /** A name that was not seen made: the target may know it, but nobody knows what it is (semantics §1). */
  refuseUnknown(kind: 'statement' | 'portal', name: string): void {
    const talk = this.#talk
    const statement = opaqueStatement('', UNKNOWN_NAME)
    const judged = this.#judgeOnly(statement, '', talk.guard)
    const id = talk.results.actions.refused(judged, statement, { bytesUp: 0, params: NO_PARAMS })
    const frame = write.unknownName(kind, name, talk.guard.version)
    talk.refuseExtended(frame, id)
  }

  /**
   * A portal bound before its transaction failed. PostgreSQL answers the same; but what such a portal stood for is
   * gone by then, and servers of versions 15 and 18 were seen to crash on running it [tried].
   */
  #refuseAborted(portal: Portal, statement: Statement): void {
    const talk = this.#talk
    const { bytesUp, params, prepared } = portal
    const judged = this.#judgeOnly(statement, prepared.text, talk.guard)
    const id = talk.results.actions.refused(judged, statement, { bytesUp, params })
    const message =
      'current transaction is aborted, commands ignored until end of transaction block'
    talk.refuseExtended(write.errorFrame({ severity: 'ERROR', sqlstate: '25P02', message }), id)
  }

  /** What a pseudonym stands for cannot go up: the portal is refused. */
  refuseOpening(portal: Portal, refusal: Refused): void {
    const { prepared, bytesUp, params } = portal
    const asked = prepared.statement!
    const statement = { ...asked, mask: { ...asked.mask, opens: undefined, refusal } }
    const judged = this.#judgeOnly(statement, prepared.text, this.#talk.guard)
    const { verdict } = judged
    if (verdict.verdict === 'allow') throw new Error('a refusal of masks that refuses nothing')
    this.#refuse(judged, verdict, { statement, bytesUp, params, extended: true })
  }

  #statements(text: string, analysis: Analysis): readonly Statement[] {
    return analysis.opaque === undefined
      ? analysis.statements
      : [opaqueStatement(text, analysis.opaque)]
  }

  #judgeNamed(prepared: Prepared, params: readonly string[], guard: Guard): Judged | 'wait' {
    const statement = withNamed(prepared.statement!, (kind, name) =>
      this.meanings.named(kind, name, NO_LOCAL),
    )
    if (statement === 'wait') return 'wait'
    const { inTransaction } = this.#talk
    return this.#judge(statement, { exact: prepared.text, params, count: 1, inTransaction, guard })
  }

  #judgeOnly(statement: Statement, exact: string, guard: Guard): Judged {
    const { inTransaction } = this.#talk
    return this.#judge(statement, { exact, params: NO_PARAMS, count: 1, inTransaction, guard })
  }

  #judge(
    asked: Statement,
    about: {
      exact: string
      params: readonly string[]
      count: number
      inTransaction: boolean
      guard: Guard
    },
  ): Judged {
    const { worker, live } = this.#talk.parts
    const { exact, params, inTransaction, guard } = about
    const statement = underMasks(asked, this.#talk.results.masks.now)
    const recorded = this.#talk.results.masks.recordedText(exact, statement)
    const question = { statement, exact, recorded, params, statements: about.count, inTransaction }
    return judge(question, guard, { worker, context: live.context })
  }

  #classesAllow(statement: Statement): boolean {
    const { allow } = this.#talk.parts.grant
    return statement.mask.refusal === undefined && statement.classes.every((one) => allow.has(one))
  }

  /** Records the action and what it does to the session; its bytes go up next. */
  #start(
    statement: Statement,
    judged: Judged,
    about: { params: readonly string[]; bytesUp: number; text: string },
  ): Running {
    const talk = this.#talk
    const { effect } = statement
    talk.keeper.forwarded(effect)
    if (effect.copy?.direction === 'in') talk.copyAsked += 1
    if (effect.transaction === 'begin') talk.beginsAsked += 1
    const made = this.meanings.ask(effect, about.text)
    return talk.results.actions.open(statement, judged, about, made)
  }

  /** One name more than a session may have. */
  #refuseName(statement: Statement, text: string, extended: boolean): void {
    const judged = this.#judgeOnly(statement, text, this.#talk.guard)
    const verdict = overLimit('Too many prepared statements or portals in this session.')
    const bytesUp = text.length
    this.#refuse(judged, verdict, { statement, bytesUp, params: NO_PARAMS, extended })
  }

  #refuse(judged: Judged, verdict: Refusal, about: About & { extended: boolean }): void {
    const talk = this.#talk
    const id = talk.results.actions.refused(judged, about.statement, about)
    const { unseen } = about.statement
    const frame =
      unseen !== undefined && verdict.kind === 'not_understood'
        ? write.unknownName(unseen.kind, unseen.name, judged.policyVersion)
        : write.refusalFrame(verdict, judged.policyVersion)
    if (about.extended) talk.refuseExtended(frame, id)
    else talk.refuseQuery(frame, id)
  }
}

type Refusal = Verdict & { verdict: 'deny' }

interface About {
  readonly statement: Statement
  readonly bytesUp: number
  readonly params: readonly string[]
}

const NO_LOCAL: ReadonlyMap<string, Statement> = new Map()
const NO_RUNNING: readonly Running[] = []
const SEVERAL = { reason: 'several statements in one Parse', position: undefined }
const UNKNOWN_NAME = { reason: 'a name that was not seen made', position: undefined }
