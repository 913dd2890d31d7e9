/** Pure. What was decided about an action. */

export type Verdict =
  | {
      readonly verdict: 'allow'
      /** `policy/rule` of the rule that named it, or ''. */
      readonly rule: string
      /** What a policy in `mode: monitor` would have done: its rule, or ''. */
      readonly wouldDeny: string
    }
  | {
      readonly verdict: 'deny'
      readonly kind: 'denied' | 'not_allowed' | 'not_understood' | 'over_limit'
      /** `policy/rule`, or ''. */
      readonly rule: string
      /** A sentence for the person: the rule's message or ours. */
      readonly say: string
      /** What would work instead; '' when nothing is known. */
      readonly hint: string
      /** 1-based character position, for not_understood. */
      readonly position: number | undefined
    }
