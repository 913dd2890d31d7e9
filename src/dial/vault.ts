/**
 * IO. The credentials of targets, used but not handed out: SCRAM proofs and md5 answers are computed here, in the control
 * thread, and only a clear-text password leaves it, for a connection whose `credential.auth` lists `password`, and the key of
 * a certificate that is shown to the target, for one dial.
 *
 * The salted password of SCRAM is kept per (connection, password, salt, rounds): 4,096 rounds are paid once and not per
 * login. Exchanges are single use, short-lived and bounded in number.
 */
import { createHash, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { GatewayError } from '../base/errors.ts'
import type { ConnectionConfig, CredentialConfig } from '../config/shape.ts'
import type { ChannelBinding, TargetLogin } from '../threads/messages.ts'
import {
  type ClientFinal,
  clientFinal,
  clientFirst,
  md5Answer,
  preparePassword,
  readServerFirst,
  type ServerFirst,
} from './scram.ts'
import { resolveSecret } from './secret.ts'

const EXCHANGES_MAX = 10_000
const EXCHANGE_MS = 60_000
const SALTED_MAX = 1000

const derive = promisify(pbkdf2)

interface Exchange {
  readonly login: TargetLogin
  readonly nonce: string
  readonly binding: ChannelBinding
  readonly until: number
}

export class Vault {
  readonly #connections: () => ReadonlyMap<string, ConnectionConfig>
  readonly #exchanges = new Map<number, Exchange>()
  readonly #salted = new Map<string, Promise<Buffer>>()
  #last = 0

  /** `connections`: asked at each use, so that a reload counts at once. */
  constructor(connections: () => ReadonlyMap<string, ConnectionConfig>) {
    this.#connections = connections
  }

  /** Throws GW_UPSTREAM_LOGIN where the connection does not list scram-sha-256. */
  scramFirst(login: TargetLogin, binding: ChannelBinding): { exchange: number; message: string } {
    this.#credential(login, 'scram-sha-256')
    const now = performance.now()
    // Oldest first, so the expired ones stand in front.
    for (const [id, one] of this.#exchanges) {
      if (one.until > now && this.#exchanges.size < EXCHANGES_MAX) break
      this.#exchanges.delete(id)
    }
    const exchange = ++this.#last
    const nonce = randomBytes(18).toString('base64')
    this.#exchanges.set(exchange, { login, nonce, binding, until: now + EXCHANGE_MS })
    return { exchange, message: clientFirst(nonce, binding) }
  }

  /** `serverFirst`: as the target sent it. Throws GW_UPSTREAM_LOGIN where it is malformed or hostile. */
  async scramFinal(exchange: number, serverFirst: string): Promise<ClientFinal> {
    const open = this.#exchanges.get(exchange)
    this.#exchanges.delete(exchange)
    if (open === undefined || open.until <= performance.now())
      throw new GatewayError('GW_UPSTREAM_LOGIN', 'the SCRAM exchange is not open any more')
    const read = readServerFirst(serverFirst, open.nonce)
    if (typeof read === 'string') throw refused(open.login, `SCRAM: ${read}`)
    const credential = this.#credential(open.login, 'scram-sha-256')
    const salted = await this.#saltedPassword(open.login, secret(open.login, credential), read)
    return clientFinal(salted, open, read)
  }

  /** `salt`: the four bytes of AuthenticationMD5Password. */
  md5(login: TargetLogin, salt: Uint8Array): string {
    const credential = this.#credential(login, 'md5')
    if (salt.length !== 4) throw refused(login, 'the md5 salt has not four bytes')
    return md5Answer({ user: credential.user, password: secret(login, credential) }, salt)
  }

  password(login: TargetLogin): string {
    return secret(login, this.#credential(login, 'password'))
  }

  /** PEM of the key to the certificate that the connection shows. */
  clientKey(connection: string): string {
    const key = this.#connections().get(connection)?.tls.key
    if (key === undefined) throw refused({ connection, role: '' }, 'no key is configured')
    return resolveSecret(key)
  }

  #credential(login: TargetLogin, way: CredentialConfig['auth'][number]): CredentialConfig {
    const config = this.#connections().get(login.connection)
    // A role that is no longer listed gets no other credential in its place.
    const credential = login.role === '' ? config?.credential : config?.credentials.get(login.role)
    if (credential === undefined) throw refused(login, 'the configuration does not know it')
    if (!credential.auth.includes(way))
      throw refused(login, `the target asks for ${way}, which auth does not list`)
    return credential
  }

  #saltedPassword(login: TargetLogin, password: string, server: ServerFirst): Promise<Buffer> {
    // The password enters as a hash, so that a rotated one has an entry of its own.
    const digest = createHash('sha256').update(password).digest('base64')
    const key = `${login.connection}\0${digest}\0${server.salt.toString('base64')}\0${server.rounds}`
    const known = this.#salted.get(key)
    if (known !== undefined) return known
    const salted = derive(preparePassword(password), server.salt, server.rounds, 32, 'sha256')
    if (this.#salted.size >= SALTED_MAX) this.#salted.delete(this.#salted.keys().next().value!)
    this.#salted.set(key, salted)
    salted.catch(() => this.#salted.delete(key))
    return salted
  }
}

function secret(login: TargetLogin, credential: CredentialConfig): string {
  if (credential.password === undefined)
    throw refused(login, 'the target asks for a password and none is configured')
  return resolveSecret(credential.password)
}

function refused({ connection, role }: TargetLogin, reason: string): GatewayError {
  const which = role === '' ? '' : `, credentials.${role}`
  return new GatewayError('GW_UPSTREAM_LOGIN', `connection ${connection}${which}: ${reason}`)
}
