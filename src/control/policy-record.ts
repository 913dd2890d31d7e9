/**
 * IO. The policy as a part of the record: each version that comes into force is recorded with the text of its files, so that
 * the chain covers what decided, and evidence can show it. Versions count from 1 in each run of the gateway: run and version
 * together name one.
 *
 *   kind policy, status = version, text = {"version","file","sha256","text"}        one event a file
 *   kind policy, status = version, text = {"version","files":[{"file","sha256"}]}   the last one, says which there are
 */
import { hash } from 'node:crypto'
import { dirname, relative } from 'node:path'
import type { Settings } from '../threads/messages.ts'

export interface PolicyMoment {
  readonly kind: 'policy'
  readonly status: string
  readonly text: string
}

export class PolicyRecord {
  readonly #write: (moments: readonly PolicyMoment[]) => void
  #said = 0

  /** `write`: as one call, on the disk when it returns; throws GW_RECORDING_LOST. */
  constructor(write: (moments: readonly PolicyMoment[]) => void) {
    this.#write = write
  }

  /** Once for each version; what could not be written is tried again with the next call. Throws like `write`. */
  inForce(settings: Settings): void {
    if (settings.policyVersion === this.#said) return
    this.#write(policyMoments(settings))
    this.#said = settings.policyVersion
  }
}

export function policyMoments({ policyVersion, policyFiles, config }: Settings): PolicyMoment[] {
  const folder = config.path === undefined ? undefined : dirname(config.path)
  const files = policyFiles.map(({ path, text }) => ({
    // As the configuration sees it: where the gateway is installed says nothing of the policy.
    file: folder === undefined ? path : relative(folder, path),
    sha256: hash('sha256', text, 'hex'),
    text,
  }))
  const list = files.map(({ file, sha256 }) => ({ file, sha256 }))
  const said = [...files, { files: list }]
  return said.map((one) => ({
    kind: 'policy',
    status: String(policyVersion),
    text: JSON.stringify({ version: policyVersion, ...one }),
  }))
}
