import { slackToken } from '../../../src/mask/detectors/slack-token.ts'
import { holds } from '../../lib/detector-examples.ts'

// Put together here, so that scanners of repositories do not take them for live ones.
const token = (prefix: string): string => `${prefix}-2${'0'.repeat(11)}-ExampleExample`

holds(slackToken, {
  hits: [
    `«${token('xoxb')}»`,
    `use «${token('xoxp')}» here`,
    `«${token('xapp-1')}»`,
    `«xoxe.${token('xoxp')}»`,
    `https://«hooks.slack.com/services/T${'0'.repeat(8)}/B${'0'.repeat(8)}/${'X'.repeat(24)}»`,
  ],
  passes: ['xoxb-1', 'xoxo-hugs-and-kisses', 'https://api.slack.com/methods'],
})
