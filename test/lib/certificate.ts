/** IO. A certificate authority and a server certificate for tests, by openssl. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
  /** PEM files. */
  readonly ca: string
  readonly cert: string
  /** Mode 0600. */
  readonly key: string
}

/** For `name` and 127.0.0.1, good for one day, in `folder`. */
export function makeCertificate(folder: string, name: string): Certificate {
  const at = (file: string): string => join(folder, file)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'pipe' })
  }
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = { key: at('authority.key'), cert: at('authority.pem') }
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    ca.key,
    '-out',
    ca.cert,
    '-days',
    '1',
    '-subj',
    '/CN=test authority',
  )
  const server = { key: at(`${name}.key`), request: at(`${name}.csr`), cert: at(`${name}.pem`) }
  openssl('req', ...newKey, '-keyout', server.key, '-out', server.request, '-subj', `/CN=${name}`)
  const extensions = at('extensions')
  writeFileSync(extensions, `subjectAltName = DNS:${name}, IP:127.0.0.1\n`)
  const signer = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial']
  const files = ['-in', server.request, '-out', server.cert, '-extfile', extensions]
  openssl('x509', '-req', ...signer, ...files, '-days', '1')
  return { ca: ca.cert, cert: server.cert, key: server.key }
}
