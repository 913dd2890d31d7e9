/**
 * Pure. One statement of a message, from facts to a verdict and to what is recorded of it.
 *
 * A verdict is kept with the statement and used again only while nothing it depends on can have changed: the policy,
 * being inside a transaction or not, and, unless the guard says that no rule reads them, parameters and session.
 */
import { type Action, highest } from '../../decide/action.ts'
import type { Guard } from '../../decide/policy.ts'
import type { Verdict } from '../../decide/verdict.ts'
import { findingsOf } from '../../mask/findings.ts'
import type { Shape } from '../../record/event.ts'
import type { RelayWorker, SessionContext } from '../protocol.ts'
import { factsJson } from './facts-json.ts'
import type { Statement } from './sql/analysis.ts'

export interface Judged {
  readonly verdict: Verdict
  readonly shape: Shape
  readonly policyVersion: number
  readonly inTransaction: boolean
  /** Depends on nothing but the statement, the grant and the two fields above. */
  readonly stable: boolean
  /** The exact text, where the record has another one. */
  readonly original: string | undefined
}

export interface Question {
  readonly statement: Statement
  /** Exact text of the statement. */
  readonly exact: string
  /** The same with what masks hide replaced; recorded. */
  readonly recorded: string
  readonly params: readonly string[]
  readonly statements: number
  readonly inTransaction: boolean
}

export function judge(
  question: Question,
  guard: Guard,
  parts: { worker: RelayWorker; context: SessionContext },
): Judged {
  const { statement, params, inTransaction } = question
  const action = withFindings(actionOf(question), guard)
  const verdict = verdictOf(statement, parts.worker.decide(guard, action, parts.context))
  return {
    verdict,
    shape: shapeOf(action, question, { verdict, guard, worker: parts.worker }),
    policyVersion: guard.version,
    inTransaction,
    stable: guard.stable && (params.length === 0 || !guard.readsParameters),
    original: question.recorded === question.exact ? undefined : question.exact,
  }
}

/** What rules are asked about. */
export function actionOf(question: Question): Action {
  const { statement } = question
  const sql = {
    ...statement.facts,
    statements: question.statements,
    in_transaction: question.inTransaction,
    params: question.params,
  }
  return {
    protocol: 'postgres',
    classes: statement.classes,
    verb: statement.verb,
    objects: statement.objects,
    opaque: statement.opaque,
    text: question.exact,
    facts: { sql },
  }
}

function withFindings(action: Action, guard: Guard): Action {
  return guard.readsFindings ? { ...action, findings: findingsOf(action, guard.detectors) } : action
}

/** What the rules say, unless the statement is refused whatever they say. */
export function verdictOf(statement: Statement, decided: Verdict): Verdict {
  if (decided.verdict === 'deny') return decided
  return refusedAnyway(statement) ?? refusedByMask(statement) ?? decided
}

/** True when an earlier verdict still says what a new one would. */
export function holds(judged: Judged, guard: Guard, inTransaction: boolean): boolean {
  return (
    judged.stable &&
    judged.policyVersion === guard.version &&
    judged.inTransaction === inTransaction
  )
}

/** The text of one statement of a message; the whole of it when it is the only one. */
export function exactText(text: string, statement: Statement, count: number): string {
  if (count === 1) return text
  return Buffer.from(text).toString('utf8', statement.start, statement.end).trim()
}

export function endsTransaction({ effect }: Statement): boolean {
  const { transaction } = effect
  return transaction === 'commit' || transaction === 'rollback' || transaction === 'rollback-to'
}

export function overLimit(say: string): Verdict & { verdict: 'deny' } {
  return { verdict: 'deny', kind: 'over_limit', rule: '', say, hint: '', position: undefined }
}

/** What no role may do, whatever it allows. */
function refusedAnyway(statement: Statement): Verdict | undefined {
  if (statement.refused === undefined) return undefined
  const say = statement.refused
  return { verdict: 'deny', kind: 'not_allowed', rule: '', say, hint: '', position: undefined }
}

function refusedByMask(statement: Statement): Verdict | undefined {
  const { refusal, rules } = statement.mask
  if (refusal === undefined) return undefined
  return {
    verdict: 'deny',
    kind: 'denied',
    rule: rules[0] ?? '',
    say: refusal.reason,
    hint: refusal.hint,
    position: undefined,
  }
}

function shapeOf(
  action: Action,
  question: Question,
  parts: { verdict: Verdict; guard: Guard; worker: RelayWorker },
): Shape {
  const { verdict, guard, worker } = parts
  return worker.shape({
    class: highest(action.classes),
    verb: action.verb,
    objects: action.objects,
    statement: question.recorded,
    exact: question.exact,
    verdict: verdict.verdict === 'allow' ? 'allow' : verdict.kind,
    rule: verdict.verdict === 'allow' ? verdict.rule || verdict.wouldDeny : verdict.rule,
    policyVersion: guard.version,
    requestId: '',
    facts: factsJson(action),
  })
}
