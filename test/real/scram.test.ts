/** Our SCRAM and md5 answers against a real server: it alone says whether a password was prepared and proved rightly. */
import { connect, type Socket } from 'node:net'
import { parse, serialize } from 'pg-protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UNBOUND } from '../../src/accept/channel-binding.ts'
import type { ConnectionConfig, CredentialConfig } from '../../src/config/shape.ts'
import { Vault } from '../../src/dial/vault.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

const PASSWORDS = [
  'simple',
  ' spaces and , = " \\ ',
  'é composed',
  'e\u0301 decomposed',
  'no\u00a0break',
  'soft\u00adhyphen',
  'ﬁ ligature, Ⅸ',
  'ＦＵＬＬ',
  'שלום',
  'mixed שלום latin',
  'bell\u0007é',
  '😀 outside the BMP',
  '한국어',
  'zero\u200bwidth é',
]

let server: Postgres

beforeAll(async () => {
  server = await startPostgres({ auth: 'scram-sha-256' })
  for (const [at, password] of PASSWORDS.entries())
    server.sql(`create role user${at} login password '${password.replaceAll("'", "''")}'`)
}, 180_000)

afterAll(() => server?.stop())

const LOGIN = { connection: 'target', role: '' }

function vaultFor(credential: Partial<CredentialConfig>): Vault {
  process.env.SLUICE_TEST_TARGET = ''
  const connection: ConnectionConfig = {
    name: 'target',
    type: 'postgres',
    addresses: [{ host: server.host, port: server.port }],
    database: 'postgres',
    databases: ['postgres'],
    tls: { mode: 'disable', ca: undefined, cert: undefined, key: undefined },
    credential: {
      user: 'user0',
      password: { env: 'SLUICE_TEST_TARGET' },
      auth: ['scram-sha-256'],
      ...credential,
    },
    credentials: new Map(),
    identityParameter: undefined,
    maxSessions: undefined,
    statementTimeoutMs: undefined,
    functionsRead: [],
    retentionDays: undefined,
    labels: {},
  }
  return new Vault(() => new Map([['target', connection]]))
}

interface Asked {
  readonly name: string
  readonly data?: string
  readonly salt?: Uint8Array
}

/** Logs in and says how it went: `ok`, the SQLSTATE, or what the target failed to prove. */
async function login(vault: Vault, target: Postgres, user: string): Promise<string> {
  const socket: Socket = connect(target.port, target.host)
  let exchange = 0
  let expected = ''
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject)
      const answer = async (message: Asked): Promise<void> => {
        if (message.name === 'authenticationSASL') {
          const first = vault.scramFirst(LOGIN, UNBOUND)
          exchange = first.exchange
          socket.write(serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', first.message))
        } else if (message.name === 'authenticationSASLContinue') {
          const final = await vault.scramFinal(exchange, message.data!)
          expected = final.serverFinal
          socket.write(serialize.sendSCRAMClientFinalMessage(final.message))
        } else if (message.name === 'authenticationSASLFinal') {
          if (message.data !== expected) resolve('the target does not know the password')
        } else if (message.name === 'authenticationMD5Password') {
          socket.write(serialize.password(vault.md5(LOGIN, message.salt!)))
        } else if (message.name === 'authenticationOk') resolve('ok')
        else if (message.name === 'error') resolve((message as unknown as { code: string }).code)
      }
      parse(socket, (message) => {
        answer(message as unknown as Asked).catch(reject)
      }).catch(reject)
      socket.write(serialize.startup({ user, database: 'postgres' }))
    })
  } finally {
    socket.destroy()
  }
}

describe('a real target', () => {
  test.each(PASSWORDS.map((password, at) => [JSON.stringify(password), at] as const))(
    'accepts our SCRAM proof of %s, and proves itself',
    async (_, at) => {
      const vault = vaultFor({})
      process.env.SLUICE_TEST_TARGET = PASSWORDS[at]!
      expect(await login(vault, server, `user${at}`)).toBe('ok')
      expect(await login(vault, server, `user${at}`)).toBe('ok') // From the kept salted password.
      process.env.SLUICE_TEST_TARGET = `${PASSWORDS[at]} wrong`
      expect(await login(vault, server, `user${at}`)).toBe('28P01')
    },
  )

  test('accepts our md5 answer where the connection lists md5, and gets none where it does not', async () => {
    const old = await startPostgres({ auth: 'md5' })
    try {
      old.sql("create role user0 login password 'simple'")
      const vault = vaultFor({ auth: ['md5'] })
      process.env.SLUICE_TEST_TARGET = 'simple'
      expect(await login(vault, old, 'user0')).toBe('ok')
      await expect(login(vaultFor({}), old, 'user0')).rejects.toMatchObject({
        code: 'GW_UPSTREAM_LOGIN',
      })
    } finally {
      await old.stop()
    }
  })
})
