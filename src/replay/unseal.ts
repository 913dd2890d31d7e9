/**
 * IO (randomness of a library, none of ours). Opens sealed originals where the recipient is: with their identity, and what
 * the gateway released after an approval. Nothing of it needs the gateway, or is shown to it.
 */
import { createDecipheriv, hash } from 'node:crypto'
import { ageDecrypt } from '../record/age.ts'
import { readBatch, type SealedCut, type SealedValue } from '../record/sealed-values.ts'
import { additionalData, nonceOf, TAG_BYTES } from '../record/sealer.ts'

/** What an approved unseal gives, as JSON. */
export interface Release {
  readonly sluice: 'release'
  readonly version: 1
  readonly session: string
  readonly request: string
  readonly approvers: readonly string[]
  /** The session's key, for the recipients: an age file, base64. */
  readonly key: string
  readonly batches: readonly SealedBatchRow[]
}

export interface SealedBatchRow {
  readonly batch: number
  /** Base64, with the tag. */
  readonly ciphertext: string
  /** As the chain's event says it; '' where there is no such event. */
  readonly sha256: string
  /** How many batches the session has. */
  readonly among: number
}

/** What is wrong with a batch: the others open all the same. */
export interface UnsealFinding {
  readonly batch: number
  readonly say: string
}

export interface Unsealed {
  readonly values: readonly SealedValue[]
  readonly cuts: readonly SealedCut[]
  readonly findings: readonly UnsealFinding[]
}

/** `identities`: the text of the recipient's file. Rejects where none of them opens the key. */
export async function unseal(release: Release, identities: string): Promise<Unsealed> {
  const dataKey = await ageDecrypt(Buffer.from(release.key, 'base64'), identities)
  const values: SealedValue[] = []
  const cuts: SealedCut[] = []
  const findings: UnsealFinding[] = []
  const seen = new Set<number>()
  for (const { batch, ciphertext, sha256 } of release.batches) {
    const bytes = Buffer.from(ciphertext, 'base64')
    const find = (say: string) => findings.push({ batch, say: `batch ${batch} ${say}` })
    if (seen.has(batch)) find('stands there twice')
    seen.add(batch)
    if (sha256 === '') find('is in no event of the record: it was added, or its event is gone')
    else if (sha256 !== hash('sha256', bytes, 'hex')) find('is not the one that was recorded')
    const plain = opened(bytes, { dataKey, session: release.session, batch })
    if (plain === undefined) {
      find('does not open: it was changed, or is another session’s')
      continue
    }
    const held = readBatch(plain)
    values.push(...held.values)
    cuts.push(...held.cuts)
  }
  return { values, cuts, findings }
}

function opened(
  bytes: Buffer,
  of: { readonly dataKey: Uint8Array; readonly session: string; readonly batch: number },
): Buffer | undefined {
  if (bytes.length < TAG_BYTES) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', of.dataKey, nonceOf(of.batch), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(additionalData(of.session, of.batch))
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    const body = decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES))
    return Buffer.concat([body, decipher.final()])
  } catch {
    return undefined
  }
}
