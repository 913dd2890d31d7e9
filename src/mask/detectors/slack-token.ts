/**
 * Pure. Slack tokens by their prefixes (bot, user, app, refresh, configuration) and the secret part
 * of incoming webhook addresses.
 */
import { type Detector, isDigit, NONE } from './detector.ts'

export const slackToken: Detector = {
  id: 'slack_token',
  version: 1,
  group: 'service',
  finds: 'Slack tokens and webhook addresses',
  checked: 'a digit',
  forms: [
    { source: 'xox[abceoprs][-.][A-Za-z0-9.-]{10,}', score: 90 },
    { source: 'xapp-[0-9]-[A-Za-z0-9-]{10,}', score: 90 },
    { source: 'hooks\\.slack\\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}', score: 90 },
  ],
  probe: 'xox[abceoprs][-.]|xapp-[0-9]-|hooks\\.slack\\.com/',
  needs: { length: 15, run: 15, digits: 1 },
  // Every token holds a digit; words joined by dashes do not.
  confirm(bytes, start, end) {
    for (let at = start; at < end; at++) if (isDigit(bytes[at])) return [{ start, end }]
    return NONE
  },
}
