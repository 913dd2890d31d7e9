/**
 * Pure. Where signed heads go beside our own stores, so that nobody who rules those can roll them back unseen: a file
 * (on a medium that only grows), an HTTP address, an S3-compatible bucket.
 *
 * What is sent is one line of JSON: the head's text, its signature, the public keys, and, where the anchor has a key of its
 * own, that key's signature over the head's text. S3 requests are signed by AWS Signature Version 4
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).
 */
import { createHmac, hash } from 'node:crypto'
import type { AnchorConfig, SecretReference } from '../config/shape.ts'
import type { SignedHead, SignedKey } from './proof.ts'

export type AnchorTarget = AnchorPlace & {
  /** PEM of an Ed25519 key that countersigns; only the anchor process reads it. */
  readonly keyFile: string | undefined
}

export type AnchorPlace =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'http'; readonly url: string; readonly token: string | undefined }
  | {
      readonly type: 's3'
      /** `https://host/bucket/prefix`. */
      readonly url: string
      readonly region: string
      readonly accessKey: string
      readonly secretKey: string
    }

export function anchorTarget(
  config: AnchorConfig,
  secretOf: (reference: SecretReference) => string,
): AnchorTarget {
  const { keyFile } = config
  if (config.type === 'file') return { type: 'file', path: config.path, keyFile }
  if (config.type === 'http') {
    const token = config.token === undefined ? undefined : secretOf(config.token)
    return { type: 'http', url: config.url, token, keyFile }
  }
  const { url, region } = config
  const [accessKey, secretKey] = [secretOf(config.accessKey), secretOf(config.secretKey)]
  return { type: 's3', url, region, accessKey, secretKey, keyFile }
}

export interface Countersignature {
  readonly key: string
  readonly signature: string
}

/** The line of one head, without its end. */
export function anchorLine(
  head: SignedHead,
  keys: readonly SignedKey[],
  by: Countersignature | undefined,
): string {
  const { text, signature } = head
  return JSON.stringify({ text, signature, keys, ...(by === undefined ? {} : { by }) })
}

export interface Put {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** A PUT of `body` to `<url>/<name>`, signed. `date`: `20261121T160000Z`. */
export function s3Put(
  place: Extract<AnchorPlace, { type: 's3' }>,
  what: { readonly name: string; readonly body: string; readonly date: string },
): Put {
  const url = new URL(`${place.url.replace(/\/$/, '')}/${what.name}`)
  const digest = hash('sha256', what.body, 'hex')
  const signed: Record<string, string> = {
    host: url.host,
    'x-amz-content-sha256': digest,
    'x-amz-date': what.date,
  }
  const names = Object.keys(signed).sort().join(';')
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`)
  const request = ['PUT', url.pathname, '', lines.join(''), names, digest].join('\n')
  const day = what.date.substring(0, 8)
  const scope = `${day}/${place.region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', what.date, scope, hash('sha256', request, 'hex')].join('\n')
  let key: Buffer = Buffer.from(`AWS4${place.secretKey}`)
  for (const part of [day, place.region, 's3', 'aws4_request']) key = hmac(key, part)
  const signature = hmac(key, text).toString('hex')
  const credential = `${place.accessKey}/${scope}`
  const { host: _, ...headers } = signed
  return {
    url: url.href,
    headers: {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
    },
  }
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
