import { privateKey } from '../../../src/mask/detectors/private-key.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(privateKey, {
  hits: [
    '«-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\n-----END RSA PRIVATE KEY-----»',
    'key:\n«-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\n-----END RSA PRIVATE KEY-----»\nend',
    '«-----BEGIN PRIVATE KEY-----\nMIIBVQ»',
    'a «-----BEGIN PGP PRIVATE KEY BLOCK-----\nxyz\n-----END PGP PRIVATE KEY BLOCK-----» b',
    '«-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----»',
  ],
  passes: [
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    '-----BEGIN PUBLIC KEY-----',
    'BEGIN PRIVATE KEY',
  ],
})
