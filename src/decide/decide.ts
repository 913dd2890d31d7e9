/**
 * Pure. The verdict on one action: first what the roles allow at all, then what the rules say. Total and
 * deterministic; whatever cannot be told is a denial.
 *
 *   not understood → deny     class not allowed → deny, in the words of a rule that denies it as well
 *   deny rule true → deny     rule that fails → deny                              else allow
 */
import { type Action, type ActionClass, CLASSES } from './action.ts'
import { type DecideContext, Facts } from './facts/view.ts'
import type { Guard } from './policy.ts'
import type { PolicyRule } from './policy-file.ts'
import type { Verdict } from './verdict.ts'

export type { DecideContext, Finding, SessionState } from './facts/view.ts'

type Denial = Extract<Verdict, { verdict: 'deny' }>

const ALLOWED: Verdict = Object.freeze({ verdict: 'allow', rule: '', wouldDeny: '' })

/** `guard` is the one of `context.grant`. Cached verdicts are the caller's: see `guard.stable`. */
export function decide(guard: Guard, action: Action, context: DecideContext): Verdict {
  const unallowed = classDenial(action, context.grant.allow)
  if (unallowed?.kind === 'not_understood' || guard.rules.length === 0) return unallowed ?? ALLOWED
  const facts = new Facts(action, context)
  if (unallowed !== undefined) return betterWorded(unallowed, { guard, action, facts, context })
  const denied = firstHit(guard.denials.candidates(action, context.grant), facts)
  if (denied !== undefined) return ruleDenial(denied, action)
  const permissions = guard.permissions.candidates(action, context.grant)
  // All of them: one that fails denies, wherever it stands.
  const answers = permissions.map((rule) => ({ rule, answer: rule.rule.test(facts) }))
  const failed = answers.find(({ answer }) => answer === 'error')
  if (failed !== undefined) return ruleDenial({ rule: failed.rule, failed: true }, action)
  const named = answers.find(({ answer }) => answer === true)?.rule.name ?? ''
  const monitored =
    firstHit(guard.monitors.candidates(action, context.grant), facts)?.rule.name ?? ''
  return named === '' && monitored === ''
    ? ALLOWED
    : { verdict: 'allow', rule: named, wouldDeny: monitored }
}

/** No role allows it. A rule that refuses it as well knows better what the client should do instead. */
function betterWorded(
  unallowed: Denial,
  of: { guard: Guard; action: Action; facts: Facts; context: DecideContext },
): Denial {
  const { guard, action, facts, context } = of
  const rules = guard.denials.candidates(action, context.grant)
  const rule = rules.find((one) => one.rule.test(facts) === true)
  return rule === undefined ? unallowed : ruleDenial({ rule, failed: false }, action)
}

interface RuleHit {
  readonly rule: PolicyRule
  /** It could not be evaluated. */
  readonly failed: boolean
}

function firstHit(rules: readonly PolicyRule[], facts: Facts): RuleHit | undefined {
  for (const rule of rules) {
    const answer = rule.rule.test(facts)
    if (answer !== false) return { rule, failed: answer === 'error' }
  }
  return undefined
}

/** Each class needs a role that allows it; what could not be understood says so before anything else. */
function classDenial(action: Action, allow: ReadonlySet<ActionClass>): Denial | undefined {
  const { classes } = action
  if (classes.length > 0 && classes.every((one) => allow.has(one))) return undefined
  const permitted = CLASSES.filter((one) => allow.has(one)).join(', ')
  if (classes.length === 0 || (classes.includes('opaque') && !allow.has('opaque')))
    return {
      verdict: 'deny',
      kind: 'not_understood',
      rule: '',
      say: action.opaque?.reason ?? 'The gateway cannot tell what this action does.',
      hint: `What the gateway cannot read is refused. Allowed here: ${permitted}.`,
      position: action.opaque?.position,
    }
  const missing = classes.filter((one) => !allow.has(one)).join(', ')
  return {
    verdict: 'deny',
    kind: 'not_allowed',
    rule: '',
    say: `No role of this identity allows an action of class ${missing}.`,
    hint: `Allowed here: ${permitted}.`,
    position: undefined,
  }
}

function ruleDenial({ rule, failed }: RuleHit, action: Action): Denial {
  const why = action.opaque === undefined ? '' : ` ${action.opaque.reason}`
  return {
    verdict: 'deny',
    kind: 'denied',
    rule: rule.name,
    say: failed
      ? `The rule ${rule.name} could not be evaluated, so the action is refused.${why}`
      : rule.message || `Refused by the rule ${rule.name}.`,
    hint: failed
      ? 'A rule that fails refuses; its policy has to say what it means for such an action.'
      : `The rule ${rule.name} refuses this. Retrying the same action does not help.`,
    position: undefined,
  }
}
