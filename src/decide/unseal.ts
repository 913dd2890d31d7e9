/**
 * Pure. The right to open the sealed originals of one session: what an approved request for it becomes. Only `approveUnseal`
 * mints one, so that nothing can be released without one; it is good once and for whom it was given.
 *
 * Requests and their states are not here: whoever has them says what was asked and who decided.
 */
declare const minted: unique symbol

export interface UnsealApproval {
  readonly [minted]: true
  /** `req_…` */
  readonly request: string
  readonly session: string
  /** Subject of who may use it. */
  readonly asker: string
  readonly approvers: readonly string[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A request to unseal, as it was decided. */
export interface UnsealRequest {
  readonly request: string
  readonly session: string
  readonly asker: UnsealPerson
  readonly approvers: readonly UnsealPerson[]
  /** At least one; `approval.quorum`. */
  readonly quorum: number
  readonly expiresAt: number
}

export interface UnsealPerson {
  readonly subject: string
  /** Workloads decide nothing, and the host's operator neither. */
  readonly kind: 'human' | 'workload' | 'operator'
}

/** A sentence where the request does not suffice. */
export function approveUnseal(request: UnsealRequest, now: number): UnsealApproval | string {
  const { asker, approvers, quorum, expiresAt, session } = request
  if (asker.kind === 'operator') return 'The operator of the host may not unseal.'
  if (now >= expiresAt) return 'The approval has expired.'
  if (approvers.some(({ kind }) => kind !== 'human')) return 'Only people approve.'
  const others = new Set(approvers.map(({ subject }) => subject))
  if (others.has(asker.subject)) return 'Nobody approves their own request.'
  if (others.size < Math.max(1, quorum)) return 'Not enough people have approved.'
  const names = [...others]
  const approval = { request: request.request, session, asker: asker.subject, approvers: names }
  return { ...approval, expiresAt } as unknown as UnsealApproval
}

/** Why it does not hold for this use; undefined: it does. */
export function unsealFault(
  approval: UnsealApproval,
  use: { readonly session: string; readonly subject: string; readonly now: number },
): string | undefined {
  if (approval.session !== use.session) return 'The approval is for another session.'
  if (approval.asker !== use.subject) return 'The approval was given to somebody else.'
  if (use.now >= approval.expiresAt) return 'The approval has expired.'
  return undefined
}
