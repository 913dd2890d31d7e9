/**
 * Pure. What the corpus expects of the analyser alone, without a gateway: the verdict on each message of a case by
 * classes, masks and the corpus policy, with prepared statements and cursors followed by name.
 */
import type { Analysis, Statement } from '../../../src/protocols/postgres/sql/analysis.ts'
import { type Case, ROLES } from './corpus.ts'

/** Analyses one message of the case. */
export type Analyse = (text: string) => Analysis

/** Why the first refused step is refused; undefined when every step passes. */
export function refusalOf(one: Case, analyse: Analyse): string | undefined {
  const named = new Map<string, Statement>()
  for (const step of one.steps) {
    const analysis = analyse(step)
    if (analysis.opaque !== undefined) return `opaque: ${analysis.opaque.reason}`
    for (const statement of analysis.statements) {
      const reason = judge(statement, one, named)
      if (reason !== undefined) return reason
    }
  }
  return undefined
}

function judge(statement: Statement, one: Case, named: Map<string, Statement>): string | undefined {
  const own = refused(statement, one)
  if (own !== undefined) return own
  const { effect } = statement
  const body = effect.prepares?.body ?? effect.declares?.body
  const inner = body === undefined ? undefined : refused(body, one)
  if (inner !== undefined) return inner
  if (effect.prepares !== undefined)
    named.set(`prepared ${effect.prepares.name}`, effect.prepares.body)
  if (effect.declares !== undefined)
    named.set(`cursor ${effect.declares.name}`, effect.declares.body)
  if (effect.discardsAll) named.clear()
  if (effect.closes !== undefined) forget(effect.closes, named)
  if (effect.runs === undefined) return undefined
  const ran = named.get(`${effect.runs.kind} ${effect.runs.name}`)
  return ran === undefined ? 'opaque: nothing of that name was made' : refused(ran, one)
}

function forget(
  closes: { readonly kind: string; readonly name: string | undefined },
  named: Map<string, Statement>,
): void {
  for (const key of [...named.keys()]) {
    const all = closes.name === undefined && key.startsWith(`${closes.kind} `)
    if (all || key === `${closes.kind} ${closes.name}`) named.delete(key)
  }
}

function refused(statement: Statement, one: Case): string | undefined {
  if (statement.opaque !== undefined) return `opaque: ${statement.opaque.reason}`
  const allowed: readonly string[] = ROLES[one.as]
  const missing = statement.classes.find((name) => !allowed.includes(name))
  if (missing !== undefined) return `class ${missing}: ${statement.reasons.join(' ')}`
  if (statement.mask.refusal !== undefined) return `mask: ${statement.mask.refusal.reason}`
  const { commands, writes, bounded } = statement.facts
  if (commands.includes('DROP') || commands.includes('TRUNCATE')) return 'rule no-drop'
  if (writes && !bounded) return 'rule unbounded-write'
  return statement.classes.includes('schema') ? 'rule schema-change' : undefined
}
