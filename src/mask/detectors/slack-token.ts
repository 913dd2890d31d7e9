/**
 * Pure. Slack tokens by their prefixes (bot, user, app, refresh, configuration) and the secret part
 * of incoming webhook addresses.
 */
import { type Detector, isDigit, NONE } from './detector.ts'

export const slackToken: Detector = {
  id: 'slack_token',
  version: 1,
  patterns: [
    'xox[abceoprs][-.][A-Za-z0-9.-]{10,}',
    'xapp-[0-9]-[A-Za-z0-9-]{10,}',
    'hooks\\.slack\\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}',
  ],
  probe: 'xox[abceoprs][-.]|xapp-[0-9]-|hooks\\.slack\\.com/',
  needs: { length: 15, run: 15, digits: 1 },
  // Every token holds a digit; words joined by dashes do not.
  confirm(bytes, start, end) {
    for (let at = start; at < end; at++) if (isDigit(bytes[at])) return [{ start, end }]
    return NONE
  },
}
