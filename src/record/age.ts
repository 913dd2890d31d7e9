/**
 * IO (randomness). The one door to age (https://age-encryption.org/v1): small secrets to public keys of people, who open
 * them with the identities that they alone hold. By the library of age's author.
 */

/** Most gateways seal nothing, and its curves take a tenth of a second to load. */
const load = () => import('age-encryption')

export async function ageEncrypt(
  secret: Uint8Array,
  recipients: readonly string[],
): Promise<Uint8Array> {
  const { Encrypter } = await load()
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return encrypter.encrypt(secret)
}

/** `identities`: the text of a file as age-keygen writes it. Rejects where none of them is a recipient's. */
export async function ageDecrypt(file: Uint8Array, identities: string): Promise<Uint8Array> {
  const { Decrypter } = await load()
  const decrypter = new Decrypter()
  for (const identity of identitiesIn(identities)) decrypter.addIdentity(identity)
  return decrypter.decrypt(file)
}

/** Without comments and blank lines. */
export function identitiesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** For tests and for trying it out: people make theirs with age-keygen. */
export async function newIdentity(): Promise<{ identity: string; recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await load()
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}
