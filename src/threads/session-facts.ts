/** Pure. What stands in every record of a session, from its grant. */
import type { Grant } from '../decide/grant.ts'
import type { SessionFacts } from '../record/event.ts'

export interface SessionPlace {
  readonly sessionId: string
  readonly instance: string
  readonly address: string
}

const NAME_LENGTH_MAX = 255

export function factsOf(grant: Grant, place: SessionPlace): SessionFacts {
  const { identity, connection } = grant
  const { job } = identity
  return {
    sessionId: place.sessionId,
    instance: place.instance,
    protocol: connection.type,
    connection: connection.name,
    targetDatabase: grant.database,
    subject: identity.subject,
    kindOfIdentity: identity.kind,
    owner: identity.owner,
    job: job.id,
    run: job.run,
    agent: job.agent,
    parentAgent: job.parentAgent,
    jobVerified: job.verified,
    clientIp: place.address,
    roles: grant.roles,
    groups: identity.groups,
  }
}

/** Of a client that did not get in: nothing it said of itself is known to be true. */
export function factsOfNobody(
  protocol: string,
  connection: string,
  place: SessionPlace,
): SessionFacts {
  return {
    sessionId: place.sessionId,
    instance: place.instance,
    protocol,
    connection: connection.substring(0, NAME_LENGTH_MAX),
    targetDatabase: '',
    subject: '',
    kindOfIdentity: '',
    owner: '',
    job: '',
    run: '',
    agent: '',
    parentAgent: '',
    jobVerified: false,
    clientIp: place.address,
    roles: [],
    groups: [],
  }
}
