/**
 * Pure. Tokens with which software is built, published and rolled out, besides GitHub's
 * (github-token.ts); this gateway's own among them.
 */
import { crc32 } from 'node:zlib'
import { ascii, type Detector } from './detector.ts'
import { tokenDetector } from './token.ts'

export const gitlabToken: Detector = tokenDetector({
  id: 'gitlab_token',
  group: 'delivery',
  finds: 'GitLab tokens: personal, deploy, runner, trigger, job, feed, agent',
  sources: [
    'gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_=.-]{20,}',
    'GR1348941[A-Za-z0-9_-]{20}',
  ],
  needs: { length: 25, run: 25 },
})

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export const npmToken: Detector = tokenDetector({
  id: 'npm_token',
  group: 'delivery',
  finds: 'npm access tokens',
  checked: 'CRC-32 in the last six characters',
  sources: ['npm_[A-Za-z0-9]{36}'],
  needs: { length: 40, run: 40 },
  isSound(bytes, start) {
    const text = ascii(bytes, start + 4, start + 40)
    let sum = 0
    for (const letter of text.substring(30)) sum = sum * 62 + BASE62.indexOf(letter)
    return sum === crc32(Buffer.from(text.substring(0, 30)))
  },
})

export const pypiToken: Detector = tokenDetector({
  id: 'pypi_token',
  group: 'delivery',
  finds: 'PyPI tokens',
  // The beginning of a macaroon for pypi.org or test.pypi.org, in base64.
  sources: ['pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50,}'],
  needs: { length: 69, run: 69 },
})

export const dockerToken: Detector = tokenDetector({
  id: 'docker_token',
  group: 'delivery',
  finds: 'Docker tokens, and registry logins in client configurations',
  sources: [
    'dckr_[po]at_[A-Za-z0-9_-]{27,32}',
    '"auth"\\s{0,4}:\\s{0,4}"[A-Za-z0-9+/]{12,}={0,2}"',
  ],
  needs: { length: 18, run: 12 },
})

export const terraformToken: Detector = tokenDetector({
  id: 'terraform_token',
  group: 'delivery',
  finds: 'Terraform Cloud tokens',
  sources: ['[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60,}'],
  probe: '\\.atlasv1\\.',
  needs: { length: 83, run: 83 },
})

export const vaultToken: Detector = tokenDetector({
  id: 'vault_token',
  group: 'delivery',
  finds: 'Vault tokens: service, batch, recovery; old ones beside their name',
  sources: ['hv[sbr]\\.[A-Za-z0-9_-]{24,}'],
  weak: ['[sbr]\\.[A-Za-z0-9]{24}'],
  words: ['vault', 'vault_token', 'x-vault-token'],
  needs: { length: 26, run: 26 },
  apart: true,
})

export const rubygemsKey: Detector = tokenDetector({
  id: 'rubygems_key',
  group: 'delivery',
  finds: 'RubyGems API keys',
  sources: ['rubygems_[0-9a-f]{48}'],
  needs: { length: 57, run: 57 },
})

export const pulumiToken: Detector = tokenDetector({
  id: 'pulumi_token',
  group: 'delivery',
  finds: 'Pulumi tokens',
  sources: ['pul-[0-9a-f]{40}'],
  needs: { length: 44, run: 44 },
  apart: true,
})

export const dopplerToken: Detector = tokenDetector({
  id: 'doppler_token',
  group: 'delivery',
  finds: 'Doppler tokens',
  sources: ['dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,44}'],
  needs: { length: 46, run: 46 },
  apart: true,
})

export const sluiceToken: Detector = tokenDetector({
  id: 'sluice_token',
  group: 'delivery',
  finds: 'tokens of this gateway',
  sources: ['slc_(?:[0-9A-HJKMNP-TV-Z]{26}|operator)_[A-Za-z0-9_-]{43}'],
  needs: { length: 56, run: 56 },
})
