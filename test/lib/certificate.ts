/** IO. A certificate authority and a server certificate for tests, by openssl. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
  /** PEM files. */
  readonly ca: string
  readonly cert: string
  /** Mode 0600. */
  readonly key: string
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** For `name` and 127.0.0.1, good for one day, in `folder`, by an authority of its own. */
export function makeCertificate(folder: string, name: string): Certificate {
  const [key, cert] = [join(folder, AUTHORITY.key), join(folder, AUTHORITY.cert)]
  const about = ['-days', '1', '-subj', '/CN=test authority']
  openssl('req', '-x509', ...NEW_KEY, '-keyout', key, '-out', cert, ...about)
  return signedBy(folder, name, folder)
}

/** The same by the authority that `makeCertificate` made in another folder. */
export function signedBy(authority: string, name: string, folder: string): Certificate {
  mkdirSync(folder, { recursive: true })
  const at = (file: string): string => join(folder, file)
  const ca = { key: join(authority, AUTHORITY.key), cert: join(authority, AUTHORITY.cert) }
  const own = { key: at(`${name}.key`), request: at(`${name}.csr`), cert: at(`${name}.pem`) }
  openssl('req', ...NEW_KEY, '-keyout', own.key, '-out', own.request, '-subj', `/CN=${name}`)
  const extensions = at('extensions')
  writeFileSync(extensions, `subjectAltName = DNS:${name}, IP:127.0.0.1\n`)
  const signer = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial']
  const files = ['-in', own.request, '-out', own.cert, '-extfile', extensions]
  openssl('x509', '-req', ...signer, ...files, '-days', '1')
  return { ca: ca.cert, cert: own.cert, key: own.key }
}

const AUTHORITY = { key: 'authority.key', cert: 'authority.pem' } as const

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
