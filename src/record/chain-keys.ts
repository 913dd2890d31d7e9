/**
 * IO (files). The keys that heads are signed with: one at a time, changed when it is old, the former one destroyed. The
 * list of public keys is on the disk beside it, each signed by the key before it; the first one signs itself, and is
 * what an auditor pins.
 *
 *   <folder>/keys.ndjson      the list, one signed key a line
 *   <folder>/<key id>.pem     the private key in use, 0600
 */
import { createPrivateKey } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { newSigningKey, type SignedKey, type SigningKey, signingKey, signKey } from './proof.ts'

/** A key signs for this long. */
export const KEY_AGE_MS = 90 * 86_400_000

export class ChainKeys {
  readonly #folder: string
  readonly #chain: string
  #current: SigningKey
  #since: number
  readonly list: SignedKey[]

  private constructor(
    folder: string,
    chain: string,
    has: { current: SigningKey; since: number; list: SignedKey[] },
  ) {
    this.#folder = folder
    this.#chain = chain
    this.#current = has.current
    this.#since = has.since
    this.list = has.list
  }

  static areIn(folder: string): boolean {
    return existsSync(join(folder, 'keys.ndjson'))
  }

  /** Makes the first key where there is none. Throws where the list is there and its private key is not. */
  static open(folder: string, chain: string, at: number): ChainKeys {
    const path = join(folder, 'keys.ndjson')
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
    // What follows the last line was torn by a crash, and nothing was signed with it.
    lines.pop()
    const list = lines.map((line) => JSON.parse(line) as SignedKey)
    const last = list.at(-1)
    if (last === undefined) {
      const current = newSigningKey()
      const keys = new ChainKeys(folder, chain, { current, since: at, list })
      keys.#begin(current, current, at)
      return keys
    }
    const [, , id, , since] = JSON.parse(last.text)
    const pem = readFileSync(join(folder, `${id}.pem`))
    const keys = { current: signingKey(createPrivateKey(pem)), since, list }
    const opened = new ChainKeys(folder, chain, keys)
    opened.#dropOthers()
    return opened
  }

  get current(): SigningKey {
    return this.#current
  }

  isOld(at: number, ageMsMax = KEY_AGE_MS): boolean {
    return at - this.#since > ageMsMax * 1000
  }

  /** A new key, signed by the one before, which is then gone. */
  rotate(at: number): void {
    this.#begin(newSigningKey(), this.#current, at)
  }

  /** The private key is on the disk before the list names it: a crash in between leaves the former one in use. */
  #begin(key: SigningKey, by: SigningKey, at: number): void {
    const pem = key.private.export({ format: 'pem', type: 'pkcs8' }).toString()
    writeSynced(join(this.#folder, `${key.id}.pem`), pem)
    const signed = signKey(key, by, { chain: this.#chain, at })
    const path = join(this.#folder, 'keys.ndjson')
    // As a whole: on a full disk an appended line would be torn, and the list with it.
    const list = [...this.list, signed].map((one) => `${JSON.stringify(one)}\n`)
    writeSynced(`${path}.new`, list.join(''))
    renameSync(`${path}.new`, path)
    this.list.push(signed)
    this.#current = key
    this.#since = at
    this.#dropOthers()
  }

  #dropOthers(): void {
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith('.pem') && name !== `${this.#current.id}.pem`)
        rmSync(join(this.#folder, name))
    }
  }
}

function writeSynced(path: string, text: string): void {
  const descriptor = openSync(path, 'w', 0o600)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
