/** Pure. Keys of services that send, sell, watch and answer, Slack's (slack-token.ts) aside. */
import { ascii, type Detector } from './detector.ts'
import { tokenDetector } from './token.ts'

export const stripeKey: Detector = tokenDetector({
  id: 'stripe_key',
  group: 'service',
  finds: 'Stripe secret and restricted keys, webhook secrets',
  sources: ['[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,}', 'whsec_[A-Za-z0-9+/=]{32,}'],
  needs: { length: 24, run: 24 },
})

export const twilioKey: Detector = tokenDetector({
  id: 'twilio_key',
  group: 'service',
  finds: 'Twilio account ids and API keys; its secrets beside their name',
  sources: ['(?:AC|SK)[0-9a-f]{32}'],
  weak: ['[0-9a-f]{32}', '[A-Za-z0-9]{32}'],
  words: ['twilio', 'twilio_auth_token'],
  needs: { length: 32, run: 32 },
  apart: true,
  isSound: (bytes, start, end) => !isWordLike(bytes[end]) && /[0-9]/.test(ascii(bytes, start, end)),
})

export const sendgridKey: Detector = tokenDetector({
  id: 'sendgrid_key',
  group: 'service',
  finds: 'SendGrid API keys',
  sources: ['SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}'],
  needs: { length: 69, run: 69 },
})

export const mailgunKey: Detector = tokenDetector({
  id: 'mailgun_key',
  group: 'service',
  finds: 'Mailgun keys',
  sources: ['key-[0-9a-f]{32}', '[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}'],
  needs: { length: 36, run: 36 },
  apart: true,
  isSound: (bytes, _start, end) => !isWordLike(bytes[end]),
})

export const mailchimpKey: Detector = tokenDetector({
  id: 'mailchimp_key',
  group: 'service',
  finds: 'Mailchimp keys',
  sources: ['[0-9a-f]{32}-us[0-9]{1,2}'],
  needs: { length: 36, run: 36 },
  apart: true,
})

export const openaiKey: Detector = tokenDetector({
  id: 'openai_key',
  group: 'service',
  finds: 'OpenAI keys',
  sources: [
    'sk-(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}',
    'sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}',
  ],
  probe: 'T3BlbkFJ[A-Za-z0-9_-]{20}|sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40}',
  needs: { length: 48, run: 48 },
})

export const anthropicKey: Detector = tokenDetector({
  id: 'anthropic_key',
  group: 'service',
  finds: 'Anthropic keys',
  sources: ['sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{80,}'],
  needs: { length: 93, run: 93 },
})

export const huggingfaceToken: Detector = tokenDetector({
  id: 'huggingface_token',
  group: 'service',
  finds: 'Hugging Face tokens',
  sources: ['(?:hf_|api_org_)[A-Za-z]{34}'],
  needs: { length: 37, run: 37 },
  apart: true,
})

export const shopifyToken: Detector = tokenDetector({
  id: 'shopify_token',
  group: 'service',
  finds: 'Shopify tokens',
  sources: ['shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}'],
  needs: { length: 38, run: 38 },
})

export const squareToken: Detector = tokenDetector({
  id: 'square_token',
  group: 'service',
  finds: 'Square tokens',
  sources: ['sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,43}', 'EAAA[A-Za-z0-9_-]{60}'],
  needs: { length: 29, run: 29 },
  apart: true,
})

export const telegramToken: Detector = tokenDetector({
  id: 'telegram_token',
  group: 'service',
  finds: 'Telegram bot tokens',
  sources: ['[0-9]{8,10}:AA[A-Za-z0-9_-]{33}'],
  needs: { length: 44, run: 35, digits: 8, colons: 1 },
  apart: true,
})

export const discordToken: Detector = tokenDetector({
  id: 'discord_token',
  group: 'service',
  finds: 'Discord bot tokens and webhooks',
  checked: 'the first part is a number in base64',
  sources: [
    '[MNO][A-Za-z0-9]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,40}',
    'discord(?:app)?\\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,70}',
  ],
  needs: { length: 58, run: 58 },
  isSound(bytes, start, end) {
    const text = ascii(bytes, start, end)
    if (text.startsWith('discord')) return true
    const id = Buffer.from(text.substring(0, text.indexOf('.')), 'base64').toString('latin1')
    return /^[0-9]{17,20}$/.test(id)
  },
})

export const grafanaToken: Detector = tokenDetector({
  id: 'grafana_token',
  group: 'service',
  finds: 'Grafana service account and cloud tokens',
  sources: ['glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}', 'glc_[A-Za-z0-9+/]{32,400}={0,2}'],
  needs: { length: 36, run: 36 },
})

export const newrelicKey: Detector = tokenDetector({
  id: 'newrelic_key',
  group: 'service',
  finds: 'New Relic keys',
  sources: ['NR(?:AK|IQ|RA|SP)-[A-Z0-9]{27}', '[0-9a-f]{36}NRAL'],
  needs: { length: 32, run: 32 },
})

export const linearKey: Detector = tokenDetector({
  id: 'linear_key',
  group: 'service',
  finds: 'Linear keys',
  sources: ['lin_(?:api|oauth)_[A-Za-z0-9]{40,64}'],
  needs: { length: 48, run: 48 },
})

export const atlassianToken: Detector = tokenDetector({
  id: 'atlassian_token',
  group: 'service',
  finds: 'Atlassian tokens',
  sources: ['AT(?:ATT|CTT|STT|BBT)3xFf[A-Za-z0-9_=-]{20,}'],
  needs: { length: 28, run: 28 },
})

export const postmanKey: Detector = tokenDetector({
  id: 'postman_key',
  group: 'service',
  finds: 'Postman keys',
  sources: ['PMAK-[0-9a-f]{24}-[0-9a-f]{34}'],
  needs: { length: 64, run: 64 },
})

export const notionToken: Detector = tokenDetector({
  id: 'notion_token',
  group: 'service',
  finds: 'Notion tokens',
  sources: ['ntn_[0-9]{11}[A-Za-z0-9]{35}', 'secret_[A-Za-z0-9]{43}'],
  needs: { length: 50, run: 50 },
})

function isWordLike(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9_-]/.test(String.fromCharCode(byte))
}
