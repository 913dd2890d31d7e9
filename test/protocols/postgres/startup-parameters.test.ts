import { expect, test } from 'vitest'
import { startupParameters } from '../../../src/protocols/postgres/startup-parameters.ts'
import type { Claim } from '../../../src/protocols/protocol.ts'
import { grant } from '../../decide/fixtures.ts'

function sent(
  parameters: Record<string, string>,
  groups: string[] = [],
): ReadonlyMap<string, string> {
  const claim: Claim = {
    connection: 'orders',
    database: undefined,
    credential: '',
    claimedUser: 'ada',
    claimedJob: { id: '', run: '', agent: '' },
    parameters: new Map(Object.entries(parameters)),
    cancelKeyBytes: 4,
  }
  return startupParameters(claim, grant({ groups }))
}
const code = (expected: string) => expect.objectContaining({ code: expected })

test('user and database are those of the grant, and the encoding is ours unless asked for', () => {
  const own = { user: 'app', database: 'orders', client_encoding: 'UTF8' }
  expect(Object.fromEntries(sent({ user: 'root', database: 'x' }))).toEqual(own)
  expect(sent({ CLIENT_ENCODING: 'LATIN1' }).get('client_encoding')).toBe('LATIN1')
})

test('harmless parameters go on, by name, -c and --', () => {
  const options = '-c statement_timeout=5s --search-path=a\\ b -cDateStyle=ISO'
  const wanted = sent({ application_name: 'x', options })
  expect(Object.fromEntries(wanted)).toMatchObject({
    application_name: 'x',
    statement_timeout: '5s',
    search_path: 'a b',
    DateStyle: 'ISO',
  })
  expect(wanted.has('options')).toBe(false)
})

test('other parameters need a role that may set them', () => {
  expect(() => sent({ work_mem: '1GB' })).toThrow(code('GW_CLASS_DENIED'))
  expect(() => sent({ options: '-c work_mem=1GB' })).toThrow(code('GW_CLASS_DENIED'))
  expect(sent({ work_mem: '1GB' }, ['dba']).get('work_mem')).toBe('1GB')
})

test('nobody may say who he is at the target, in any form', () => {
  for (const parameters of [
    { role: 'postgres' },
    { session_authorization: 'postgres' },
    { local_preload_libraries: 'x' },
    { options: '-c role=postgres' },
    { options: '-c user=postgres' },
    { options: '-c database=secret' },
    { options: '--replication=database' },
    { User: 'postgres' },
  ])
    expect(() => sent(parameters, ['dba'])).toThrow(code('GW_CLASS_DENIED'))
})

test('the parameter that tells the target who it is is ours alone', () => {
  const told = (identityParameter: string, parameters: Record<string, string>) => {
    const claim: Claim = {
      connection: 'orders',
      database: undefined,
      credential: '',
      claimedUser: 'ada',
      claimedJob: { id: '', run: '', agent: '' },
      parameters: new Map(Object.entries(parameters)),
      cancelKeyBytes: 4,
    }
    const plain = grant({ groups: ['dba'] })
    const connection = { ...plain.connection, identityParameter }
    return startupParameters(claim, { ...plain, connection })
  }
  expect(told('sluice.subject', {}).get('sluice.subject')).toBe('ci')
  for (const parameters of [
    { 'sluice.subject': 'root' },
    { 'SLUICE.Subject': 'root' },
    { options: '-c sluice.subject=root' },
    { options: '--Sluice.Subject=root' },
  ])
    expect(() => told('sluice.subject', parameters)).toThrow(code('GW_CLASS_DENIED'))
  // Every client names its application; the name is a claim of its job and goes no further.
  for (const parameters of [
    { application_name: 'psql' },
    { Application_Name: 'psql' },
    { options: '-c application_name=psql' },
  ])
    expect(Object.fromEntries(told('application_name', parameters))).toEqual({
      user: 'app',
      database: 'orders',
      client_encoding: 'UTF8',
      application_name: 'ci',
    })
})

test('replication is for roles that allow admin, in the words of PostgreSQL', () => {
  for (const replication of ['true', 'database', 'on', '1'])
    expect(() => sent({ replication })).toThrow(code('GW_CLASS_DENIED'))
  const asked = (replication: string) => sent({ replication }, ['dba']).get('replication')
  expect(['true', 'ON', 't', '1', 'Yes'].map(asked)).toEqual(new Array(5).fill('true'))
  expect(asked('database')).toBe('database')
  expect(['off', 'false', 'N', '0'].map(asked)).toEqual(new Array(4).fill(undefined))
  for (const wrong of ['maybe', 'DATABASE', 'o', ''])
    expect(() => asked(wrong)).toThrow(code('GW_CLASS_DENIED'))
})

test('options that are no parameter are refused', () => {
  for (const options of ['-B 100', '-c', '-c x', 'x=y', '-d5', '-c =1'])
    expect(() => sent({ options }, ['dba'])).toThrow(code('GW_CLASS_DENIED'))
})

test('options of the protocol itself are no parameters of the target', () => {
  expect(sent({ '_pq_.something': 'x' }).size).toBe(3)
})
