/** Pure. Keys and tokens of clouds and of those who run servers, AWS (aws-key.ts) aside. */
import { ascii, type Detector } from './detector.ts'
import { tokenDetector } from './token.ts'

export const gcpApiKey: Detector = tokenDetector({
  id: 'gcp_api_key',
  group: 'cloud',
  finds: 'Google API keys',
  sources: ['AIza[0-9A-Za-z_-]{35}'],
  needs: { length: 39, run: 39 },
})

export const googleOauth: Detector = tokenDetector({
  id: 'google_oauth',
  group: 'cloud',
  finds: 'Google OAuth client secrets, access and refresh tokens',
  sources: ['GOCSPX-[A-Za-z0-9_-]{28}', 'ya29\\.[A-Za-z0-9_-]{20,}', '\\b1//0[A-Za-z0-9_-]{40,}'],
  probe: 'GOCSPX-|ya29\\.|1//0[A-Za-z0-9_-]{40}',
  needs: { length: 25, run: 25 },
})

export const azureStorageKey: Detector = tokenDetector({
  id: 'azure_storage_key',
  group: 'cloud',
  finds: 'Azure account keys in connection strings',
  sources: ['(?i:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{42,86}={1,2}'],
  needs: { length: 55, run: 50, assigns: true },
})

export const azureSas: Detector = tokenDetector({
  id: 'azure_sas',
  group: 'cloud',
  finds: 'Azure shared access signatures',
  sources: [
    '[?&;]?s[vrte]=[^\\s"\'<>]{1,400}&sig=[A-Za-z0-9%+/_-]{20,120}(?:%3[dD]|=)?',
    '[?&]sig=[A-Za-z0-9%+/_-]{20,120}(?:%3[dD]|=)[^\\s"\'<>]{0,400}',
  ],
  probe: 'sig=[A-Za-z0-9%+/_-]{20}',
  needs: { length: 25, assigns: true },
})

export const azureClientSecret: Detector = tokenDetector({
  id: 'azure_client_secret',
  group: 'cloud',
  finds: 'Azure client secrets',
  sources: ['[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}'],
  needs: { length: 37, digits: 1 },
})

export const digitaloceanToken: Detector = tokenDetector({
  id: 'digitalocean_token',
  group: 'cloud',
  finds: 'DigitalOcean tokens',
  sources: ['do[opr]_v1_[0-9a-f]{64}'],
  needs: { length: 71, run: 71 },
})

export const alibabaKey: Detector = tokenDetector({
  id: 'alibaba_key',
  group: 'cloud',
  finds: 'Alibaba Cloud access key ids',
  sources: ['LTAI[A-Za-z0-9]{12,20}'],
  needs: { length: 16, run: 16 },
  apart: true,
})

export const cloudflareKey: Detector = tokenDetector({
  id: 'cloudflare_key',
  group: 'cloud',
  finds: 'Cloudflare origin CA keys, and API tokens beside their name',
  sources: ['v1\\.0-[0-9a-f]{24}-[0-9a-f]{146}'],
  weak: ['[A-Za-z0-9_-]{40}'],
  words: ['cloudflare', 'cf_api_token', 'cf-api-token'],
  needs: { length: 40, run: 40 },
  apart: true,
  isSound: (bytes, start, end) => {
    const text = ascii(bytes, start, end)
    const next = bytes[end]
    const goesOn = next !== undefined && /[A-Za-z0-9_-]/.test(String.fromCharCode(next))
    return !goesOn && /[A-Z]/.test(text) !== text.startsWith('v1.0-') && /[0-9]/.test(text)
  },
})

export const databricksToken: Detector = tokenDetector({
  id: 'databricks_token',
  group: 'cloud',
  finds: 'Databricks tokens',
  sources: ['dapi[0-9a-f]{32}(?:-[0-9])?'],
  needs: { length: 36, run: 36 },
  apart: true,
})

export const herokuKey: Detector = tokenDetector({
  id: 'heroku_key',
  group: 'cloud',
  finds: 'Heroku API keys',
  sources: ['HRKU-[A-Za-z0-9_-]{30,64}'],
  weak: ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  words: ['heroku_api_key', 'heroku api key', 'heroku_key'],
  needs: { length: 35, run: 35 },
})
