// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shells and templates write them
/**
 * Pure. What detectors of credentials must find, and what they must leave; `«…»` encloses what is hidden.
 * Tokens are put together here from pieces, so that scanners of repositories do not take them for live ones.
 */
import type { Examples } from '../../lib/detector-examples.ts'

const a = (count: number): string => 'aB3dE5gH7jK9'.repeat(20).substring(0, count)
const hex = (count: number): string => '0a1b2c3d4e5f6789'.repeat(20).substring(0, count)
const key = (...pieces: readonly string[]): string => pieces.join('')
const hit = (...pieces: readonly string[]): string => `«${key(...pieces)}»`

export const SECRETS: Readonly<Record<string, Examples>> = {
  gcp_api_key: { hits: [hit('AI', 'za', a(35))], passes: [key('AI', 'za', a(20)), 'AIza'] },
  google_oauth: {
    hits: [hit('GOC', 'SPX-', a(28)), hit('ya', '29.', a(60)), hit('1/', '/0', a(50))],
    passes: ['ya29.short', 'GOCSPX-'],
  },
  azure_storage_key: {
    hits: [`DefaultEndpointsProtocol=https;${hit('Account', 'Key=', a(86), '==')}`],
    passes: ['AccountKey=', 'AccountKey=${KEY}'],
  },
  azure_sas: {
    hits: [`https://x.example/c${hit('?sv=2024-05-04&sp=rl&sig=', a(43), '%3D')}`],
    passes: ['?sig=short', 'sv=2024-05-04&sp=rl'],
  },
  azure_client_secret: { hits: [hit('abc', '8Q~', a(34))], passes: ['abc8Q~short'] },
  digitalocean_token: {
    hits: [hit('dop', '_v1_', hex(64))],
    passes: ['dop_v1_', key('dop', '_v2_', hex(64))],
  },
  alibaba_key: { hits: [hit('LT', 'AI', a(20))], passes: ['LTAI', 'xLTAI0123456789abcdef'] },
  cloudflare_key: {
    hits: [hit('v1.', '0-', hex(24), '-', hex(146)), `CF_API_TOKEN=${hit(a(40))}`],
    passes: ['v1.0-beta', hex(40), a(40)],
  },
  databricks_token: {
    hits: [hit('da', 'pi', hex(32))],
    passes: ['dapi', key('da', 'pi', hex(12))],
  },
  heroku_key: {
    hits: [
      hit('HR', 'KU-', a(60)),
      `HEROKU_API_KEY=${hit('01234567-89ab-4def-8123-456789abcdef')}`,
    ],
    passes: ['01234567-89ab-4def-8123-456789abcdef'],
  },
  gitlab_token: {
    hits: [hit('gl', 'pat-', a(20)), hit('gl', 'rt-', a(20)), hit('GR', '1348941', a(20))],
    passes: ['glpat-short', 'glpath-aaaaaaaaaaaaaaaaaaaaaaaa'],
  },
  npm_token: {
    hits: [hit('npm', '_', 'a'.repeat(30), npmCheck('a'.repeat(30)))],
    passes: [key('npm', '_', a(36)), 'npm_config_registry'],
  },
  pypi_token: {
    hits: [hit('pypi-', 'AgEIcHlwaS5vcmc', a(120))],
    passes: ['pypi-mirror', key('pypi-', a(80))],
  },
  docker_token: {
    hits: [hit('dckr', '_pat_', a(27)), `{${hit('"auth"', ': "', a(24), '"')}}`],
    passes: ['dckr_pat_', '"auth": true'],
  },
  terraform_token: {
    hits: [hit(a(14), '.atlas', 'v1.', a(67))],
    passes: ['.atlasv1.', key('short.atlas', 'v1.', a(67))],
  },
  vault_token: {
    hits: [hit('hv', 's.', a(90)), `X-Vault-Token: ${hit('s.', a(24))}`],
    passes: ['hvs.short', key('s.', a(24))],
  },
  rubygems_key: { hits: [hit('rubygems', '_', hex(48))], passes: ['rubygems_version'] },
  pulumi_token: { hits: [hit('pul', '-', hex(40))], passes: ['pul-0', key('xpul', '-', hex(40))] },
  doppler_token: {
    hits: [hit('dp.', 'pt.', a(43))],
    passes: ['dp.pt.x', key('dp.', 'xx.', a(43))],
  },
  sluice_token: {
    hits: [hit('slc', '_01HQ', '0'.repeat(22), '_', a(43)), hit('slc', '_operator_', a(43))],
    passes: ['slc_operator_', key('slc', '_01HQ_', a(43))],
  },
  stripe_key: {
    hits: [hit('sk', '_live_', a(24)), hit('rk', '_test_', a(24)), hit('wh', 'sec_', a(32))],
    passes: ['sk_live_', key('pk', '_live_', a(24))],
  },
  twilio_key: {
    hits: [hit('A', 'C', hex(32)), hit('S', 'K', hex(32)), `TWILIO_AUTH_TOKEN=${hit(hex(32))}`],
    passes: [hex(32), key('A', 'C', hex(40))],
  },
  sendgrid_key: {
    hits: [hit('S', 'G.', a(22), '.', a(43))],
    passes: ['SG.1', key('S', 'G.', a(22))],
  },
  mailgun_key: {
    hits: [hit('key', '-', hex(32)), hit(hex(32), '-', hex(8), '-', hex(8))],
    passes: ['key-1', key('monkey', '-', hex(32)), key('key', '-', hex(40))],
  },
  mailchimp_key: { hits: [hit(hex(32), '-', 'us21')], passes: [hex(32), key(hex(20), '-', 'us1')] },
  openai_key: {
    hits: [hit('s', 'k-', a(20), 'T3Blbk', 'FJ', a(20)), hit('s', 'k-proj-', a(74))],
    passes: ['sk-proj-x', 'sk-learn', 'task-projection'],
  },
  anthropic_key: { hits: [hit('s', 'k-ant-', 'api03-', a(93))], passes: ['sk-ant-api03-x'] },
  huggingface_token: {
    hits: [hit('h', 'f_', 'abCDefGHij'.repeat(4).substring(0, 34))],
    passes: ['hf_model', key('xh', 'f_', 'a'.repeat(34))],
  },
  shopify_token: { hits: [hit('sh', 'pat_', hex(32))], passes: ['shpat_x'] },
  square_token: {
    hits: [hit('sq0', 'atp-', a(22)), hit('EA', 'AA', a(60))],
    passes: ['sq0atp-x', 'EAAA'],
  },
  telegram_token: {
    hits: [hit('123456789', ':AA', a(33))],
    passes: ['12:AAA', key('1', ':AA', a(33))],
  },
  discord_token: {
    hits: [hit(Buffer.from('123456789012345678').toString('base64'), '.abcdef.', a(38))],
    passes: [key(a(24), '.abcdef.', a(38))],
  },
  grafana_token: {
    hits: [hit('gl', 'sa_', a(32), '_', hex(8)), hit('gl', 'c_', a(60))],
    passes: ['glsa_x', 'glc_x'],
  },
  newrelic_key: {
    hits: [hit('NR', 'AK-', 'ABCDE1234F'.repeat(3).substring(0, 27))],
    passes: ['NRAK-x'],
  },
  linear_key: { hits: [hit('lin', '_api_', a(40))], passes: ['lin_api_x'] },
  atlassian_token: { hits: [hit('AT', 'ATT3xFf', a(100))], passes: ['ATATT3'] },
  postman_key: { hits: [hit('PM', 'AK-', hex(24), '-', hex(34))], passes: ['PMAK-x'] },
  notion_token: {
    hits: [hit('nt', 'n_', '12345678901', a(35)), hit('sec', 'ret_', a(43))],
    passes: ['ntn_x', 'secret_santa'],
  },
  connection_string: {
    hits: [
      'use «postgres://app:hunter2@db.example/orders»',
      '«redis://:hunter2@cache:6379»',
      '«Server=tcp:x,1433;Database=d;User ID=sa;Password=hunter2»;',
    ],
    passes: [
      'postgres://db.example/orders',
      'postgres://app:${PASSWORD}@db/orders',
      'https://example.com:8443/a@b',
      'Server=x;Password=<password>',
    ],
  },
  password: {
    hits: [
      'password: "«hunter2!»"',
      "ALTER ROLE app PASSWORD '«hunter2!»'",
      'DB_PASSWORD=«hunter2!»',
      '{"api_key":"«hunter2!»"}',
      "IDENTIFIED BY '«hunter2!»'",
      'Authorization: Bearer «abcdef0123456789»',
    ],
    passes: [
      'password: string',
      'password=${DB_PASSWORD}',
      'The password must have 8 characters',
      'secret: Buffer',
      'password = getPassword()',
      'password: "The password is wrong"',
      "password = os.environ['X']",
    ],
  },
}

/** The last six characters of a token of npm: CRC-32 in base 62. */
function npmCheck(body: string): string {
  let crc = 0xffffffff
  for (const byte of Buffer.from(body)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let rest = (crc ^ 0xffffffff) >>> 0
  let text = ''
  for (let at = 0; at < 6; at++, rest = Math.floor(rest / 62)) text = letters[rest % 62] + text
  return text
}
