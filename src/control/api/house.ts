/** Pure. What the API says of the gateway itself: who is asking, where it listens, what it leads to. */
import type { Config } from '../../config/shape.ts'
import { rolesOf } from '../../decide/grant.ts'
import type { Listening } from '../../threads/messages.ts'
import { json } from '../answer.ts'
import type { Call, Route } from './route.ts'

export interface HouseParts {
  config(): Config
  listening(): readonly Listening[]
}

export function houseRoutes(parts: HouseParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/whoami',
      needs: 'known',
      summary: 'Says who the credential is.',
      handle: async (call) => json(200, whoami(call, parts.config())),
    },
    {
      method: 'GET',
      path: '/api/v1/connections',
      needs: 'view',
      summary: 'Lists connections, and the listeners with the ports that were really picked.',
      handle: async () =>
        json(200, {
          connections: [...parts.config().connections.values()].map((one) => ({
            name: one.name,
            type: one.type,
            database: one.database,
            databases: one.databases,
            tls: one.tls.mode,
            labels: one.labels,
          })),
          listeners: parts
            .listening()
            .map(({ protocol, host, port }) => ({ protocol, host, port })),
        }),
    },
  ]
}

function whoami({ caller }: Call, config: Config): Record<string, unknown> {
  const { identity } = caller
  if (identity === undefined) return { subject: caller.name, kind: 'operator' }
  return {
    subject: identity.subject,
    kind: identity.kind,
    issuer: identity.issuer,
    groups: identity.groups,
    roles: rolesOf(config, identity),
    api: caller.api,
    connections: identity.connectionsOnly ?? null,
    job: identity.job.id,
    run: identity.job.run,
    agent: identity.job.agent,
    owner: identity.owner,
    credential: identity.credentialId,
    expires_at: new Date(identity.expiresAt).toISOString(),
  }
}
