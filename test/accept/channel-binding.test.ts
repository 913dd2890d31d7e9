import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { bindingFor, endPointHash } from '../../src/accept/channel-binding.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-binding-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
const RSA = ['-newkey', 'rsa:2048']
const PSS = (hash: string) => [...RSA, `-${hash}`, '-sigopt', 'rsa_padding_mode:pss']

/** DER of a self-signed certificate, and what openssl says its hash is. */
function made(flags: readonly string[], hash: string): { der: Buffer; expected: string } {
  const file = join(folder, 'cert.pem')
  const place = ['-keyout', join(folder, 'key.pem'), '-out', file, '-subj', '/CN=x', '-nodes']
  execFileSync('openssl', ['req', '-x509', ...flags, ...place], { stdio: 'pipe' })
  const shown = ['x509', '-in', file, '-noout', '-fingerprint', `-${hash}`]
  const text = execFileSync('openssl', shown, { encoding: 'utf8' })
  const expected = text.split('=')[1]!.trim().replaceAll(':', '').toLowerCase()
  const pem = execFileSync('openssl', ['x509', '-in', file, '-outform', 'DER'])
  return { der: new X509Certificate(pem).raw, expected }
}

test.each([
  ['ECDSA with SHA-256', [...EC, '-sha256'], 'sha256'],
  ['ECDSA with SHA-384', [...EC, '-sha384'], 'sha384'],
  ['RSA with SHA-512', [...RSA, '-sha512'], 'sha512'],
  ['RSA with SHA-1, which counts as SHA-256', [...RSA, '-sha1'], 'sha256'],
  ['RSA-PSS with SHA-256', PSS('sha256'), 'sha256'],
  ['RSA-PSS with SHA-384', PSS('sha384'), 'sha384'],
] as const)('a certificate signed by %s is bound by its hash', (_, flags, hash) => {
  const { der, expected } = made(flags, hash)
  expect(Buffer.from(endPointHash(der)!).toString('hex')).toBe(expected)
  for (const isVerified of [true, false]) {
    const offered = bindingFor(der, { isOffered: true, isVerified })
    expect(offered).toEqual({ flag: 'p', data: Buffer.from(expected, 'hex') })
    const hidden = bindingFor(der, { isOffered: false, isVerified })
    expect(hidden).toMatchObject({ flag: 'y', data: new Uint8Array(0) })
  }
})

test('without TLS nothing is bound', () => {
  for (const isOffered of [true, false])
    expect(bindingFor(undefined, { isOffered, isVerified: false })).toMatchObject({ flag: 'n' })
})

test('a certificate that has no such hash is good only where it is verified, and hides no offer', () => {
  const { der } = made(['-newkey', 'ed25519'], 'sha256')
  for (const certificate of [der, Buffer.alloc(0)]) {
    const ask = (isOffered: boolean, isVerified: boolean) =>
      bindingFor(certificate, { isOffered, isVerified })?.flag
    expect([ask(true, false), ask(true, true)]).toEqual([undefined, 'n'])
    expect([ask(false, false), ask(false, true)]).toEqual(['y', 'y'])
  }
})

test('noise and cut certificates have no hash, or one of what is there', () => {
  const { der } = made([...EC, '-sha256'], 'sha256')
  for (let size = 0; size < der.length; size++)
    expect(endPointHash(der.subarray(0, size))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
      endPointHash(noise)
    }),
  )
})
