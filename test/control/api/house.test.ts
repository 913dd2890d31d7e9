import { expect, test } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'
import { houseRoutes } from '../../../src/control/api/house.ts'
import type { Caller } from '../../../src/control/api/route.ts'
import { NO_JOB } from '../../../src/identify/identity.ts'

const read = readConfig({
  path: '/etc/sluice.yaml',
  text: `
connections:
  orders:
    type: postgres
    address: 10.9.8.7:5432
    database: orders
    credential: { user: secret_user, password: { env: X } }
roles: { agents: { members: ["subject:ci"], connections: [orders], allow: [read] } }
`,
  cores: 1,
})
if ('problems' in read) throw new Error(JSON.stringify(read.problems))
const { config } = read
const [whoami, connections] = houseRoutes({
  config: () => config,
  listening: () => [{ protocol: 'postgres', host: '127.0.0.1', port: 40_123 }],
})

const caller: Caller = {
  name: 'ci',
  credentialId: 'T1',
  identity: {
    subject: 'ci',
    kind: 'workload',
    issuer: 'gateway',
    groups: [],
    rolesOnly: undefined,
    connectionsOnly: undefined,
    owner: 'ann',
    job: NO_JOB,
    credentialId: 'T1',
    expiresAt: 0,
  },
  api: [],
  address: '127.0.0.1',
}

const call = { id: '', query: new URLSearchParams(), body: undefined }

test('whoami says roles and owner, and of the operator only that', async () => {
  const body = (await whoami!.handle({ ...call, caller })).body
  expect(JSON.parse(body)).toMatchObject({
    subject: 'ci',
    roles: ['agents'],
    owner: 'ann',
    credential: 'T1',
  })
  const operator = { ...caller, name: 'operator', identity: undefined }
  const its = (await whoami!.handle({ ...call, caller: operator })).body
  expect(JSON.parse(its)).toEqual({ subject: 'operator', kind: 'operator' })
})

test('connections name the ports that were picked, and neither address nor credential of a target', async () => {
  const { body } = await connections!.handle({ ...call, caller })
  expect(JSON.parse(body)).toMatchObject({
    connections: [{ name: 'orders', databases: ['orders'] }],
    listeners: [{ protocol: 'postgres', port: 40_123 }],
  })
  expect(body).not.toContain('10.9.8.7')
  expect(body).not.toContain('secret_user')
})
