/**
 * Pure. Keys, tokens, addresses and passwords as their issuers describe them, at random. None of
 * them was ever given out, and none stands here in full.
 */
import { BASE62, BASE64URL, DIGITS, HEX, LOWER, type Random, UPPER } from './random.ts'

type Make = (random: Random) => string

const NAMES = [
  'anna',
  'liam.oneil',
  'j.garcia',
  'wei_chen',
  'm-dubois',
  'olu',
  'sven.larsson',
  'k.ito',
]
const HOSTS = ['mail.example', 'shop.example.com', 'corp.example.org', 'uni.example.edu']
const STREETS = ['Maple', 'King William', 'Harbour View', 'Old Mill', 'Cedar', 'Station']
const KINDS = ['Street', 'St.', 'Avenue', 'Road', 'Lane', 'Blvd', 'Drive', 'Court']
const BASE64 = `${BASE62}+/`

export const TOKENS: Readonly<Record<string, Make>> = {
  email: (r) => `${r.pick(NAMES)}${r.between(1, 99)}@${r.pick(HOSTS)}`,
  phone: (r) =>
    r.pick([
      `+1 ${r.pick('23456789')}${r.like('##')}-${r.pick('23456789')}${r.like('##-####')}`,
      `+44 20 ${r.like('####')} ${r.like('####')}`,
      `+49${r.pick(['30', '89', '151', '170'])}${r.like('#######')}`,
      `+33 ${r.pick('123467')} ${r.like('## ## ## ##')}`,
      `(${r.pick('23456789')}${r.like('##')}) ${r.pick('23456789')}${r.like('##-####')}`,
      `${r.pick('23456789')}${r.like('##')}-${r.pick('23456789')}${r.like('##-####')}`,
      `0${r.pick('1234567')} ${r.like('## ## ## ##')}`,
      `07${r.like('###')} ${r.like('######').replace(/^(...)/, '$1 ')}`,
      `0${r.pick(['30', '89', '40'])} ${r.like('######')}`,
    ]),
  street_address: (r) =>
    r.pick([
      `${r.between(1, 9900)} ${r.pick(STREETS)} ${r.pick(KINDS)}`,
      `${r.between(1, 300)}${r.pick('AB')} ${r.pick(STREETS)} ${r.pick(KINDS)}`,
      `P.O. Box ${r.between(10, 99999)}`,
      `${r.pick(['Linden', 'Garten', 'Schiller'])}${r.pick(['stra\u00dfe', 'weg', 'str.', 'allee'])} ${r.between(1, 140)}`,
      `${r.between(1, 180)} ${r.pick(['rue', 'avenue', 'boulevard'])} ${r.pick(['Victor Hugo', 'de la R\u00e9publique', 'du Moulin'])}`,
    ]),
  ipv4: (r) =>
    [r.pick([10, 172, 192, 203, 84]), r.between(0, 255), r.between(0, 255), r.between(1, 254)].join(
      '.',
    ),
  ipv6: (r) =>
    r.pick([
      `2001:db8:${r.of(HEX, 4)}:${r.of(HEX, 4)}:${r.of(HEX, 4)}:${r.of(HEX, 4)}:${r.of(HEX, 4)}:${r.of(HEX, 4)}`,
      `fe80::${r.of(HEX, 4)}:${r.of(HEX, 4)}:${r.of(HEX, 4)}:${r.of(HEX, 4)}`,
      `2a02:${r.of(HEX, 4)}::${r.of(HEX, 3)}`,
      `fd00:${r.of(HEX, 4)}:${r.of(HEX, 4)}::${r.between(1, 9)}`,
    ]),
  mac_address: (r) =>
    r.pick([
      Array.from({ length: 6 }, () => r.of(HEX, 2)).join(':'),
      [`A${r.of(HEX, 1)}`, ...Array.from({ length: 5 }, () => r.of(HEX, 2))]
        .join('-')
        .toUpperCase(),
      `${r.of(HEX, 4)}.a${r.of(HEX, 3)}.${r.of(HEX, 4)}`,
    ]),
  aws_key: (r) => `${r.pick(['AKIA', 'ASIA'])}${r.of(`${UPPER}234567`, 16)}`,
  gcp_api_key: (r) => `AIza${r.of(BASE64URL, 35)}`,
  google_oauth: (r) => r.pick([`GOCSPX-${r.of(BASE64URL, 28)}`, `ya29.${r.of(BASE64URL, 120)}`]),
  azure_storage_key: (r) => `AccountKey=${r.of(BASE64, 86)}==`,
  azure_sas: (r) => `sv=2024-05-04&se=2026-01-01&sr=c&sp=rl&sig=${r.of(BASE62, 43)}%3D`,
  azure_client_secret: (r) => `${r.of(BASE62, 3)}8Q~${r.of(BASE62, 34)}`,
  digitalocean_token: (r) => `dop_v1_${r.of(HEX, 64)}`,
  alibaba_key: (r) => `LTAI${r.of(BASE62, 20)}`,
  cloudflare_key: (r) => `v1.0-${r.of(HEX, 24)}-${r.of(HEX, 146)}`,
  databricks_token: (r) => `dapi${r.of(HEX, 32)}`,
  heroku_key: (r) => `HRKU-${r.of(BASE64URL, 60)}`,
  github_token: (r) =>
    r.pick([
      `gh${r.pick('pousr')}_${r.of(BASE62, 36)}`,
      `github_pat_${r.of(BASE62, 22)}_${r.of(BASE62, 59)}`,
    ]),
  gitlab_token: (r) => `gl${r.pick(['pat', 'dt', 'rt', 'ptt'])}-${r.of(BASE64URL, 20)}`,
  pypi_token: (r) => `pypi-AgEIcHlwaS5vcmc${r.of(BASE64URL, 150)}`,
  docker_token: (r) => `dckr_pat_${r.of(BASE64URL, 27)}`,
  terraform_token: (r) => `${r.of(BASE62, 14)}.atlasv1.${r.of(BASE62, 67)}`,
  vault_token: (r) => `hvs.${r.of(BASE64URL, 95)}`,
  rubygems_key: (r) => `rubygems_${r.of(HEX, 48)}`,
  pulumi_token: (r) => `pul-${r.of(HEX, 40)}`,
  doppler_token: (r) => `dp.pt.${r.of(BASE62, 43)}`,
  sluice_token: (r) => `slc_${r.of('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 26)}_${r.of(BASE64URL, 43)}`,
  slack_token: (r) =>
    `xox${r.pick('bp')}-${r.of(DIGITS, 12)}-${r.of(DIGITS, 12)}-${r.of(BASE62, 24)}`,
  stripe_key: (r) => `${r.pick('sr')}k_${r.pick(['live', 'test'])}_${r.of(BASE62, 24)}`,
  twilio_key: (r) => `${r.pick(['AC', 'SK'])}${r.of(HEX, 32)}`,
  sendgrid_key: (r) => `SG.${r.of(BASE64URL, 22)}.${r.of(BASE64URL, 43)}`,
  mailgun_key: (r) => `key-${r.of(HEX, 32)}`,
  mailchimp_key: (r) => `${r.of(HEX, 32)}-us${r.between(1, 21)}`,
  openai_key: (r) => `sk-proj-${r.of(BASE64URL, 74)}T3BlbkFJ${r.of(BASE64URL, 74)}`,
  anthropic_key: (r) => `sk-ant-api03-${r.of(BASE64URL, 93)}AA`,
  huggingface_token: (r) => `hf_${r.of(UPPER + LOWER, 34)}`,
  shopify_token: (r) => `shpat_${r.of(HEX, 32)}`,
  square_token: (r) => `sq0atp-${r.of(BASE64URL, 22)}`,
  telegram_token: (r) => `${r.between(1e8, 9e9)}:AA${r.of(BASE64URL, 33)}`,
  discord_token: (r) =>
    `${Buffer.from(`${r.between(1, 9)}${r.of(DIGITS, 17)}`).toString('base64')}.${r.of(BASE64URL, 6)}.${r.of(BASE64URL, 38)}`,
  grafana_token: (r) => `glsa_${r.of(BASE62, 32)}_${r.of(HEX, 8)}`,
  newrelic_key: (r) => `NRAK-${r.of(UPPER + DIGITS, 27)}`,
  linear_key: (r) => `lin_api_${r.of(BASE62, 40)}`,
  atlassian_token: (r) => `ATATT3xFf${r.of(BASE64URL, 180)}`,
  postman_key: (r) => `PMAK-${r.of(HEX, 24)}-${r.of(HEX, 34)}`,
  notion_token: (r) => `ntn_${r.of(DIGITS, 11)}${r.of(BASE62, 35)}`,
  private_key: (r) => {
    const kind = r.pick(['RSA ', 'EC ', 'OPENSSH ', ''])
    return `-----BEGIN ${kind}PRIVATE KEY-----\n${r.of(BASE64, 64)}\n${r.of(BASE64, 40)}\n-----END ${kind}PRIVATE KEY-----`
  },
  jwt: (r) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: r.pick(['HS256', 'RS256', 'ES256']), typ: 'JWT' })}.${part({ sub: r.of(DIGITS, 8), iat: r.between(1e9, 2e9) })}.${r.of(BASE64URL, 43)}`
  },
  connection_string: (r) => {
    const secret = r.of(`${BASE62}!$%^*-`, 14)
    return r.pick([
      `postgres://app:${secret}@db.example:5432/orders`,
      `mongodb+srv://root:${secret}@cluster0.example.net/admin`,
      `redis://:${secret}@cache.example:6379/0`,
      `amqp://svc:${secret}@mq.example/%2f`,
      `Server=tcp:sql.example,1433;Database=crm;User ID=sa;Password=${r.of(BASE62, 16)}`,
    ])
  },
  password: (r) => `${r.of(BASE62, 9)}${r.pick('!#%*')}${r.pick(DIGITS)}`,
  high_entropy: (r) => `${r.of(BASE62, 40)}a7Z3`,
}
