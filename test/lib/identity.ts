/** Pure. Somebody with a gateway token, for tests to which it is all one who asks. */
import { type Identity, NO_JOB } from '../../src/identify/identity.ts'

export const IDENTITY: Identity = {
  subject: 'ci',
  kind: 'workload',
  issuer: 'gateway',
  groups: [],
  rolesOnly: undefined,
  connectionsOnly: undefined,
  owner: '',
  job: NO_JOB,
  credentialId: 'slc_1',
  expiresAt: 4_000_000_000_000,
}
