/** Pure. A grant from a configuration, as a session gets one, and a claim. */
import { readConfig } from '../../src/config/config.ts'
import { admit, type Grant } from '../../src/decide/grant.ts'
import type { Claim } from '../../src/protocols/protocol.ts'
import { IDENTITY } from '../lib/identity.ts'

/** What a client said, but for its parameters. */
export const CLAIM: Omit<Claim, 'parameters'> = {
  connection: 'shop',
  database: undefined,
  credential: '',
  claimedUser: '',
  claimedJob: { id: '', run: '', agent: '' },
  cancelKeyBytes: 4,
}

const known = new Map<string, Grant>()

/** `auth` and `allow` as a configuration lists them. */
export function grantWith(wanted: {
  readonly identityParameter?: string | undefined
  readonly allow?: string
  readonly auth?: string
  /** Name of the variable that holds the password. */
  readonly password?: string
}): Grant {
  const key = JSON.stringify(wanted)
  const found = known.get(key)
  if (found !== undefined) return found
  const { identityParameter, allow = 'read', auth = 'scram-sha-256', password = 'P' } = wanted
  const setting = identityParameter?.includes('.')
    ? `{ setting: ${identityParameter} }`
    : identityParameter
  const identity = setting === undefined ? '' : `    identity_to_target: ${setting}\n`
  const text = `connections:
  shop:
    type: postgres
    address: 10.0.0.5:5432
    database: shop
    credential: { user: app, password: { env: ${password} }, auth: [${auth}] }
${identity}roles:
  agents: { members: ["workload:*:*"], connections: ["*"], allow: [${allow}] }
`
  const read = readConfig({ path: '/sluice.yaml', text, cores: 1 })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const grant = admit(read.config, IDENTITY, { connection: 'shop', database: undefined })
  if (grant === undefined) throw new Error('no grant')
  known.set(key, grant)
  return grant
}
